"""Rate limits by name, counted in PostgreSQL so that every process counts together.

Flask-Limiter decides; its own stores count per process or want Redis, so the store is ours:
one upsert a hit, in a transaction of its own, on an unlogged table (a crash forgets counts,
never data).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Flask, current_app, request
from flask_limiter import Limiter
from limits.storage import Storage
from sqlalchemy import Engine, text

from donorhub.kit import tokens, web
from donorhub.kit.settings import settings

P = ParamSpec("P")
R = TypeVar("R")

# Per address, and per e-mail typed: a hall full of people may share one address.
PER_ADDRESS = {"give": "40 per 10 minutes; 300 per day"}
PER_EMAIL = {"give": "10 per 10 minutes; 40 per day"}

_HIT = text(
    "INSERT INTO rate_limits AS r (key, hits, expires_at) VALUES (:key, :amount, :ends) "
    "ON CONFLICT (key) DO UPDATE SET "
    "hits = CASE WHEN r.expires_at <= :now THEN excluded.hits ELSE r.hits + excluded.hits END, "
    "expires_at = CASE WHEN r.expires_at <= :now THEN excluded.expires_at ELSE r.expires_at END "
    "RETURNING hits"
)
_READ = text("SELECT hits, expires_at FROM rate_limits WHERE key = :key AND expires_at > :now")
_FORGET = text("DELETE FROM rate_limits WHERE key = :key")
_FORGET_OLD = text("DELETE FROM rate_limits WHERE expires_at <= :now")


class PostgresStorage(Storage):
    """Counts for the ``limits`` library; times are whole seconds since 1970."""

    STORAGE_SCHEME = ["donorhub+postgresql"]  # noqa: RUF012 - the library reads it so

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing is swallowed: a limiter that cannot count does not let pass."""
        return Exception

    @property
    def _engine(self) -> Engine:
        found: Engine = current_app.extensions["engine"]
        return found

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count a hit and return how many there are in the window."""
        moment = int(time.time())
        values = {"key": key, "amount": amount, "now": moment, "ends": moment + expiry}
        with self._engine.begin() as connection:
            return int(connection.execute(_HIT, values).scalar_one())

    def get(self, key: str) -> int:
        """Return the hits in the window."""
        row = self._row(key)
        return int(row[0]) if row else 0

    def get_expiry(self, key: str) -> int:
        """Return when the window ends."""
        row = self._row(key)
        return int(row[1]) if row else int(time.time())

    def _row(self, key: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a row or None
        with self._engine.begin() as connection:
            return connection.execute(_READ, {"key": key, "now": int(time.time())}).one_or_none()

    def check(self) -> bool:
        """Tell whether counting works."""
        return self.get("check") == 0

    def clear(self, key: str) -> None:
        """Forget one count."""
        with self._engine.begin() as connection:
            connection.execute(_FORGET, {"key": key})

    def reset(self) -> int:
        """Forget windows that are over; return how many."""
        with self._engine.begin() as connection:
            return connection.execute(_FORGET_OLD, {"now": int(time.time())}).rowcount


limiter = Limiter(
    key_func=web.client_address,
    storage_uri="donorhub+postgresql://",
    strategy="fixed-window",
    headers_enabled=False,
)


def limited(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Limit how often a view may be used, under a name, by one address and one e-mail."""

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        rules = ((PER_ADDRESS, _address, _is_off), (PER_EMAIL, _email, _no_email))
        for rates, key, spared in rules:
            view = limiter.shared_limit(
                rates[name], scope=f"{name}-{key.__name__}", key_func=key, exempt_when=spared
            )(view)
        return view

    return mark


def _address() -> str:
    return tokens.fingerprint("limit", web.client_address())


def _email() -> str:
    return tokens.fingerprint("limit-email", _typed_email())


def _typed_email() -> str:
    return request.form.get("email", "").strip().lower()


def _is_off() -> bool:
    return not settings().abuse_limits


def _no_email() -> bool:
    """Without an e-mail there is nobody to count for: a hall of people is not one person."""
    return _is_off() or not _typed_email()


def init_app(app: Flask) -> None:
    """Count in this app's database."""
    limiter.init_app(app)
