"""How money and time are written for people: filters for pages and letters."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from flask import Flask
from flask_babel import ngettext

from donorhub.kit import clock
from donorhub.kit.locales import current, formatting
from donorhub.kit.money import Money, exponent
from donorhub.kit.settings import settings

SECONDS_A_DAY = 86_400


def money_text(amount: Money) -> str:
    """Write an amount; whole dollars without cents ("$50", « 50 $ »)."""
    whole = amount.minor % 10 ** exponent(amount.currency) == 0
    return _currency(amount, 0 if whole else exponent(amount.currency))


def money_exact(amount: Money) -> str:
    """Write an amount with all its decimals ("$50.00", « 50,00 $ »)."""
    return _currency(amount, exponent(amount.currency))


def _currency(amount: Money, decimals: int) -> str:
    return _written(amount, decimals, formatting())


@lru_cache(maxsize=4096)
def _written(amount: Money, decimals: int, locale: Locale) -> str:
    """Amounts come again and again: writing one costs more than looking it up."""
    pattern = locale.currency_formats["standard"].pattern
    head = pattern.split(";", maxsplit=1)[0]
    whole, _, _rest = head.partition(".")
    tail = head[len(whole) :].lstrip(".0")
    form = whole + ("." + "0" * decimals if decimals else "") + tail
    return numbers.format_currency(
        amount.decimal, amount.currency, format=form, locale=locale, currency_digits=False
    )


def date_text(day: date) -> str:
    """Write a day in words, in the reader's language (French says « 1er » for the first).

    A moment is the day that it is where the charity is.
    """
    if isinstance(day, datetime):
        day = day.astimezone(settings().zone).date()
    words = dates.format_date(day, format="long", locale=formatting())
    return words.replace("1 ", "1er ", 1) if current() == "fr" and day.day == 1 else words


def deadline_text(moment: datetime) -> str:
    """Write a deadline: day, time and zone, so that nobody can mistake it."""
    zone = settings().zone
    return f"{date_text(moment.astimezone(zone))}, {hold_time(moment)}"


def hold_time(moment: datetime) -> str:
    """Write a time of day with its zone ("2:32 p.m. EST")."""
    minute = moment.replace(second=0, microsecond=0)
    return _minute_text(minute, settings().timezone, formatting())


@lru_cache(maxsize=512)
def _minute_text(moment: datetime, timezone: str, locale: Locale) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    time = dates.format_time(local, format="short", locale=locale)
    name = dates.get_timezone_name(local, width="short", locale=locale)
    return f"{time}\u00a0{name}"


def days_left(moment: datetime) -> str:
    """Write how long there is, in whole days, never rounding up."""
    seconds = int((moment - clock.now()).total_seconds())
    count = max(seconds, 0) // SECONDS_A_DAY
    if count < 1:
        return ngettext("last day", "last day", 1)
    return ngettext("%(num)s day left", "%(num)s days left", count)


def percent(part: Money, whole: Money) -> Decimal:
    """Return a share of a whole as 0–100, with two decimals, for drawing only."""
    if whole.minor <= 0:
        return Decimal(0)
    share = Decimal(part.minor) * 100 / Decimal(whole.minor)
    return min(share, Decimal(100)).quantize(Decimal("0.01"))


def init_app(app: Flask) -> None:
    """Give the templates their filters."""
    app.jinja_env.filters.update(
        money=money_text,
        money_exact=money_exact,
        date_text=date_text,
        deadline=deadline_text,
        hold_time=hold_time,
        days_left=days_left,
    )
    app.jinja_env.globals["percent"] = percent
