"""Addresses made of titles."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 60
VALID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "’": "", "'": ""}
)


def slug_from(title: str) -> str:
    """Return an address made of a title's words, at most 60 signs; empty if none is Latin."""
    decomposed = unicodedata.normalize("NFKD", title.casefold().translate(_LETTERS))
    bare = decomposed.encode("ascii", "ignore").decode()
    slug = "-".join(re.findall(r"[a-z0-9]+", bare))
    if len(slug) <= LONGEST:
        return slug
    cut = slug[: LONGEST + 1]
    return (cut.rsplit("-", 1)[0] if "-" in cut else cut[:LONGEST]).strip("-")


def is_slug(text: str) -> bool:
    """Tell whether a text can stand in an address as it is."""
    return len(text) <= 2 * LONGEST and VALID.fullmatch(text) is not None
