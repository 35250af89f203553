"""The one clock: always aware UTC, and it can be stopped in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


def _system_time() -> datetime:
    return datetime.now(UTC)


_source: list[Callable[[], datetime]] = [_system_time]


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return _source[-1]()


class StoppedClock:
    """A clock that moves only when told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **parts: int) -> datetime:
        """Move on by ``timedelta(**parts)`` and return the new present."""
        self.at += timedelta(**parts)
        return self.at


@contextmanager
def stopped(at: datetime | None = None) -> Iterator[StoppedClock]:
    """Stop the clock for the length of a block (tests and rehearsals)."""
    moment = at or _system_time()
    if moment.tzinfo is None:
        message = "the clock takes aware times only"
        raise ValueError(message)
    clock = StoppedClock(moment.astimezone(UTC))
    _source.append(clock)
    try:
        yield clock
    finally:
        _source.remove(clock)
