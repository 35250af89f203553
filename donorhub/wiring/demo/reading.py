"""Reading the demo's files: TOML between +++ lines, then Markdown."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

CONTENT = Path(__file__).parent / "content"
LOCALES = ("en", "fr")
FENCE = "+++\n"


def documents(folder: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return each document by slug and language, its body under ``body``."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for file in sorted((CONTENT / folder).glob("*.md")):
        slug, locale, _suffix = file.name.split(".")
        _before, head, body = file.read_text(encoding="utf-8").split(FENCE, 2)
        found.setdefault(slug, {})[locale] = tomllib.loads(head) | {"body": body.strip()}
    return found


def gifts() -> list[dict[str, Any]]:
    """Return the earlier gifts."""
    listed: list[dict[str, Any]] = tomllib.loads(
        (CONTENT / "gifts.toml").read_text(encoding="utf-8")
    )["gifts"]
    return listed


def first_day(text: str) -> date:
    """Return the first day of a year, a month or a day: what is not said is not known."""
    parts = [int(part) for part in text.split("-")]
    return date(*[*parts, 1, 1][:3])
