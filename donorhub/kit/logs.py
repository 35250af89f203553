"""Structured logs without personal data: names of things that happened, and row ids."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED_TYPES = (int, bool, str, type(None))
PERSONAL = frozenset(
    {"email", "name", "first_name", "last_name", "message", "address", "to", "phone", "body"}
)
LONGEST_VALUE = 300


def configure(*, production: bool) -> None:
    """Log one line an event to standard error: JSON in production, readable elsewhere."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if production
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_personal_data,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    for name in ("procrastinate", "werkzeug", "stripe", "urllib3", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def without_personal_data(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop fields that are named after people, and cut or escape what is left."""
    for key, value in list(event.items()):
        if key in PERSONAL:
            event[key] = "withheld"
        elif isinstance(value, str):
            event[key] = value[:LONGEST_VALUE].encode("unicode_escape").decode("ascii")
        elif not isinstance(value, ALLOWED_TYPES):
            event[key] = type(value).__name__
    return event
