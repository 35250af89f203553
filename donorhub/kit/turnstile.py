"""Only so many requests work at once; one that waits for a stranger steps aside meanwhile.

A worker process has many threads, so that many donors can wait for Stripe, but one
interpreter and a few connections. Were all threads at work at once, each would wait for the
interpreter between any two statements, holding its connection and its locks all the while.
So as many work as there are connections, and the others stand in line holding nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class _Place(threading.local):
    """Through which gate the thread came, if it came through one."""

    gate: threading.Semaphore | None = None


_place = _Place()


class Turnstile:
    """WSGI middleware that lets so many requests of this process in at a time."""

    def __init__(self, inner: WSGIApplication, *, places: int) -> None:
        self.inner = inner
        self.gate = threading.Semaphore(places)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer when it is this request's turn."""
        with self.gate:
            _place.gate = self.gate
            try:
                return self.inner(environ, start_response)
            finally:
                _place.gate = None


@contextmanager
def stepped_aside() -> Iterator[None]:
    """Leave one's place to others inside the block, and stand in line again after it."""
    gate = _place.gate
    if gate is None:
        yield
        return
    gate.release()
    try:
        yield
    finally:
        gate.acquire()
