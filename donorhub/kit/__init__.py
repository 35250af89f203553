"""Tools that do not know what a gift is."""

from donorhub.kit import (
    assets,
    babel,
    cli,
    clock,
    db,
    events,
    jobs,
    limits,
    locales,
    logs,
    pagecache,
    present,
    settings,
    text,
    tokens,
    web,
)
from donorhub.kit.clock import now
from donorhub.kit.db import Base, UtcDateTime, refuse_open_work, session, unit_of_work
from donorhub.kit.events import defer, job, publish
from donorhub.kit.invariants import Invariant, by_sql
from donorhub.kit.money import CurrencyMismatch, Money, NotAnAmount, exponent
from donorhub.kit.settings import Settings, SettingsError
from donorhub.kit.settings import settings as current_settings
from donorhub.kit.text import one_line, render_markdown
from donorhub.kit.turnstile import stepped_aside

__all__ = [
    "Base",
    "CurrencyMismatch",
    "Invariant",
    "Money",
    "NotAnAmount",
    "Settings",
    "SettingsError",
    "UtcDateTime",
    "assets",
    "babel",
    "by_sql",
    "cli",
    "clock",
    "current_settings",
    "db",
    "defer",
    "events",
    "exponent",
    "job",
    "jobs",
    "limits",
    "locales",
    "logs",
    "now",
    "one_line",
    "pagecache",
    "present",
    "publish",
    "refuse_open_work",
    "render_markdown",
    "session",
    "settings",
    "stepped_aside",
    "text",
    "tokens",
    "unit_of_work",
    "web",
]
