"""When something happened, as exactly as a report says and as it may be told."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

from donorhub.stories.rules.words import MONTHS


class DatePrecision(StrEnum):
    """How much of a date readers may see."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    HIDDEN = "hidden"


Found = tuple[date, DatePrecision]

_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
_ISO = re.compile(r"\b((?:19|20)\d\d)-(\d\d)(?:-(\d\d))?\b")
_DAY_FIRST = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th|er)? ({_NAMES})\.?,? ((?:19|20)\d\d)\b", re.IGNORECASE
)
_MONTH_FIRST = re.compile(
    rf"\b({_NAMES})\.? (\d{{1,2}})(?:st|nd|rd|th)?,? ((?:19|20)\d\d)\b", re.IGNORECASE
)
_MONTH = re.compile(rf"\b({_NAMES})\.?,? ((?:19|20)\d\d)\b", re.IGNORECASE)
_YEAR = re.compile(r"\W*((?:19|20)\d\d)\W*")
_NO_YEAR = re.compile(
    rf"\b(?:({_NAMES}) \d{{1,2}}|\d{{1,2}} ({_NAMES}))\b(?!,? (?:19|20)\d\d)", re.IGNORECASE
)
_AROUND = re.compile(
    r"(?:posted|published|updated|publié|date)?\s*(?:on|le)?\s*:?\s*"
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|lundi|mardi|mercredi|jeudi|vendredi|samedi"
    r"|dimanche)?,?\s*",
    re.IGNORECASE,
)


def first_date(text: str) -> Found | None:
    """Return the first date with a year that a text names, and how exact it is."""
    if found := _ISO.search(text):
        return _made(found[1], found[2], found[3])
    if found := _DAY_FIRST.search(text):
        return _made(found[3], str(MONTHS[found[2].casefold()]), found[1])
    if found := _MONTH_FIRST.search(text):
        return _made(found[3], str(MONTHS[found[1].casefold()]), found[2])
    if found := _MONTH.search(text):
        return _made(found[2], str(MONTHS[found[1].casefold()]), None)
    if found := _YEAR.fullmatch(text):
        return _made(found[1], None, None)
    return None


def only_date(line: str) -> Found | None:
    """Return the date that a line consists of, or None when it says anything else."""
    for form in (_ISO, _DAY_FIRST, _MONTH_FIRST, _MONTH):
        found = form.search(line)
        if (
            found
            and _AROUND.fullmatch(line[: found.start()])
            and not line[found.end() :].strip(" .")
        ):
            return first_date(found[0])
    return None


def day_without_year(text: str) -> str:
    """Return the first "February 22" that has no year beside it, or an empty string."""
    found = _NO_YEAR.search(text)
    return found[0] if found else ""


def _made(year: str, month: str | None, day: str | None) -> Found | None:
    try:
        made = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    if day:
        return made, DatePrecision.DAY
    return made, DatePrecision.MONTH if month else DatePrecision.YEAR
