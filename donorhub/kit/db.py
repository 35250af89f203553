"""The database: declarative base, column types, and the one place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask import Flask, current_app
from flask.globals import app_ctx
from sqlalchemy import (
    BigInteger,
    CursorResult,
    DateTime,
    Engine,
    MetaData,
    TypeDecorator,
    create_engine,
    text,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session, sessionmaker

from donorhub.kit.turnstile import Turnstile

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]

_open: ContextVar[bool] = ContextVar("unit_of_work_open", default=False)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in time; refuses naive values, returns aware UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: object) -> datetime | None:
        """Refuse a naive time before it reaches the database."""
        if value is not None and value.tzinfo is None:
            message = "a stored time must be aware"
            raise ValueError(message)
        return value

    def process_result_value(self, value: datetime | None, _dialect: object) -> datetime | None:
        """Give every stored moment back in UTC."""
        return value.astimezone(UTC) if value is not None else None


class Base(DeclarativeBase):
    """What every table descends from."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        datetime: UtcDateTime,
        int: BigInteger,
    }


class AppSession(Session):
    """Speaks to the database of the app in use; one process may hold several apps."""

    def get_bind(self, *_args: Any, **_kwargs: Any) -> Engine:
        """Return the current app's engine."""
        engine: Engine = current_app.extensions["engine"]
        return engine


_sessions: sessionmaker[Session] = sessionmaker(
    class_=AppSession, expire_on_commit=False, autoflush=False
)
session: scoped_session[Session] = scoped_session(
    _sessions,
    scopefunc=lambda: id(app_ctx._get_current_object()),  # type: ignore[attr-defined]
)


def init_app(app: Flask, url: str, *, pool_size: int) -> None:
    """Open the pool that this process uses, and give sessions back after each request.

    As many requests are at work at a time as there are connections, less one for what asks
    beside them (is a kept page still true?): none waits for a connection.
    """
    engine = make_engine(url, pool_size=pool_size)
    app.extensions["engine"] = engine
    turnstile = Turnstile(app.wsgi_app, places=max(pool_size - 1, 1))
    app.wsgi_app = turnstile  # type: ignore[method-assign]

    @app.teardown_appcontext
    def give_back(_error: BaseException | None) -> None:
        session.remove()


def make_engine(url: str, *, pool_size: int = 5) -> Engine:
    """Return an engine for PostgreSQL through psycopg 3."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            url = "postgresql+psycopg://" + url.removeprefix(prefix)
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=20,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC -c lock_timeout=10s"},
    )


@contextmanager
def unit_of_work() -> Iterator[None]:
    """Everything inside is kept, or nothing is. Does not nest."""
    if _open.get():
        message = "a unit of work is already open"
        raise RuntimeError(message)
    token = _open.set(True)
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _open.reset(token)


def in_unit_of_work() -> bool:
    """Tell whether a unit of work is open here."""
    return _open.get()


def refuse_open_work() -> None:
    """Call this first wherever the network is used: no row may wait for a stranger."""
    if _open.get():
        message = "the network may not be used inside a unit of work"
        raise RuntimeError(message)
    session.rollback()


def rows(sql: str, **values: Any) -> list[Any]:
    """Run one read and return its rows."""
    return list(_execute(sql, values).all())


def one(sql: str, **values: Any) -> Any:
    """Run one statement and return its only row, or None."""
    return _execute(sql, values).one_or_none()


def run(sql: str, **values: Any) -> int:
    """Run one write and return how many rows it touched."""
    return _execute(sql, values).rowcount


def _execute(sql: str, values: dict[str, Any]) -> CursorResult[Any]:
    """Go straight to the driver: written-out SQL has nothing that SQLAlchemy need compile."""
    return session.connection().exec_driver_sql(_for_driver(sql), values)


@lru_cache(maxsize=1024)
def _for_driver(sql: str) -> str:
    """Return SQL with ``:name`` as psycopg writes it, ``%`` doubled; worked out once each."""
    return str(text(sql).compile(dialect=_DIALECT))
