"""Decisions about letters: what may stand in a header, when to try again, when to give up."""

from __future__ import annotations

import json
import re
import secrets
import smtplib
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

LEASE = timedelta(minutes=2)
START_WITHIN = timedelta(seconds=30)
SILENCE = timedelta(seconds=10)
MOST_TRIES = 48
MOST_TRIES_OURS = 12
LONGEST_NAME = 120
LONGEST_SUBJECT = 200
LONGEST_ADDRESS = 254
LONGEST_LOCAL_PART = 64

_FIRST_WAITS = (5, 15, 60)
_LATER_WAIT = 300
_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEY = re.compile(r"[A-Za-z0-9:._/+-]{1,200}\Z")
_TEMPLATE = re.compile(r"[a-z0-9_-]+(?:/[a-z0-9_-]+)+\Z")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?\Z")
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SERVICE_CLOSES = 421
_PERMANENT = 500
_TOO_LONG = 552


class Trouble(StrEnum):
    """Whose trouble kept a letter from being sent, and so what to do about it."""

    SERVER = "server"
    LATER = "later"
    NEVER = "never"
    OURS = "ours"


class UnsafeHeader(ValueError):
    """A name, subject, address, key or template that may not stand in a letter."""


def header_fault(text: str, *, longest: int = LONGEST_NAME) -> str | None:
    """Say why a text may not stand in a header, or None if it may.

    Line breaks of any alphabet would begin a header of the sender's choice; bidirectional
    overrides show a reader something else than what is there. `kit.one_line` makes any
    text safe.
    """
    if len(text) > longest:
        return f"is longer than {longest} signs"
    if any(unicodedata.category(sign) in _FORBIDDEN for sign in text):
        return "has a line break or control character"
    if any(sign in _BIDI for sign in text):
        return "turns the direction of writing"
    return None


def address_fault(address: str) -> str | None:
    """Say why a letter cannot go to an address, or None if it can.

    Stricter than RFC 5321: no quoting, no comments, no lists, no encoded words, an ASCII
    local part, and a domain with a dot (it may be in any alphabet).
    """
    if fault := header_fault(address, longest=LONGEST_ADDRESS):
        return fault
    local, at, domain = address.partition("@")
    if not at or not _LOCAL.match(local) or len(local) > LONGEST_LOCAL_PART or "=?" in local:
        return "is not one plain address"
    labels = domain.split(".")
    if len(labels) == 1 or not all(_LABEL.match(label) for label in labels):
        return "has no proper domain"
    try:
        domain.encode("idna")
    except UnicodeError:
        return "has no proper domain"
    return None


def key_fault(key: str) -> str | None:
    """Say why a key may not be used: ids and ISO dates only, never an address."""
    return None if _KEY.match(key) else "is not made of ids and ISO dates"


def context_fault(context: Mapping[str, Any]) -> str | None:
    """Say why a context cannot be stored: plain JSON only, without NUL or half characters."""
    try:
        text = json.dumps(dict(context), allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError):
        return "is not plain JSON"
    return "has a NUL character" if _NUL.search(text) else None


def template_fault(template: str) -> str | None:
    """Say why a template may not be named so: ``feature/letter`` in small letters."""
    return None if _TEMPLATE.match(template) else "is not of the form feature/letter"


def new_message_id(domain: str) -> str:
    """Return a Message-ID nobody can guess, and that says nothing about the letter."""
    return f"<letter-{secrets.token_hex(16)}@{domain}>"


def wait_after(tries: int) -> timedelta:
    """Return how long to wait after so many tries: 5 s, 15 s, 1 min, then 5 min each."""
    waits = (*_FIRST_WAITS, _LATER_WAIT)
    return timedelta(seconds=waits[min(max(tries, 1), len(waits)) - 1])


def gives_up(trouble: Trouble, *, tries: int) -> bool:
    """Tell whether to stop trying.

    At once when the server says never; after 12 tries (over half an hour) when the fault is
    our own; after 48 tries, close to four hours, when it is the mail server's.
    """
    if trouble is Trouble.NEVER:
        return True
    return tries >= (MOST_TRIES_OURS if trouble is Trouble.OURS else MOST_TRIES)


def trouble_of(error: Exception) -> Trouble:
    """Tell whose trouble an error of sending is.

    A refused sender is our configuration, not the letter's fault: it is tried again.
    """
    code = smtp_code(error)
    if code == _SERVICE_CLOSES:
        return Trouble.SERVER
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Trouble.NEVER if code == _TOO_LONG else Trouble.LATER
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError):
        return Trouble.NEVER if code is not None and code >= _PERMANENT else Trouble.LATER
    return Trouble.SERVER if isinstance(error, OSError | EOFError) else Trouble.OURS


def smtp_code(error: Exception) -> int | None:
    """Return the server's three digits, if it said any; of several the most hopeful."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((code for code, _ in error.recipients.values()), default=None)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None


def error_text(error: Exception, trouble: Trouble) -> str:
    """Describe an error without personal data: whose, its class, the server's code."""
    name = re.sub(r"\W", "", type(error).__name__, flags=re.ASCII)[:80] or "Exception"
    code = smtp_code(error)
    known = code is not None and 100 <= code <= 999  # noqa: PLR2004 - three digits
    return f"{trouble} {name} {code}" if known else f"{trouble} {name}"
