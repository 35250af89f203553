"""Which language a reader gets, and which of a text's versions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from babel import Locale
from flask import current_app, g, has_request_context, request
from flask_babel import get_locale
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

LOCALES = ("en", "fr")
FORMAT_LOCALES = {"en": "en_CA", "fr": "fr_CA"}
T = TypeVar("T")


@lru_cache(maxsize=512)
def preferred(asked: str, cookie: str, header: str, default: str) -> str:
    """Choose a language: asked for in the address, then remembered, then the browser's."""
    for wish in (asked, cookie):
        if wish in LOCALES:
            return wish
    accepted = parse_accept_header(header[:200], LanguageAccept)
    return accepted.best_match(LOCALES) or default


def select_locale(default: str) -> str:
    """Choose the language of the current request."""
    if not has_request_context():
        return default
    if "locale" not in g:
        g.locale = preferred(
            request.args.get("lang", ""),
            request.cookies.get(cookie_name(), ""),
            request.headers.get("Accept-Language", ""),
            default,
        )
    return str(g.locale)


def cookie_name() -> str:
    """Return where a browser keeps the language; in production no other host can set it."""
    return "__Host-lang" if current_app.extensions["settings"].is_production else "lang"


def current() -> str:
    """Return the language in use, as a key of our texts."""
    locale = get_locale()
    return locale.language if locale and locale.language in LOCALES else LOCALES[0]


def formatting(locale: str | None = None) -> Locale:
    """Return the Babel locale that money, dates and plurals are written in."""
    return _parsed(FORMAT_LOCALES[locale or current()])


@lru_cache(maxsize=8)
def _parsed(name: str) -> Locale:
    return Locale.parse(name)


def text_for(texts: Mapping[str, T], locale: str, original: str | None = None) -> tuple[str, T]:
    """Return the language and version to show: the wished, the original, then any."""
    for wish in (locale, original, *LOCALES):
        if wish and wish in texts:
            return wish, texts[wish]
    message = "there is no version of this text at all"
    raise LookupError(message)
