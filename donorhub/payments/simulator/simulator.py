"""The parts of one running simulator, put together."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .clock import SimClock, seconds_in
from .faults import Behaviour
from .idempotency import Idempotency
from .requestlog import RequestLog
from .store import Store
from .timers import run_due
from .webhooks import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .errors import Json
    from .options import Options
    from .store import Work

_CLOCK = "setting_clock"
_TICK_SECONDS = 0.1


class Simulator:
    """State, clock, faults and outbox; every operation of the package takes one of these."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.store = Store(options.state)
        saved = self.store.find(_CLOCK) or {}
        self.clock = SimClock(offset=saved.get("offset", 0))
        self.behaviour = Behaviour(fee_delay_ms=options.fee_delay_ms)
        self.idempotency = Idempotency(self.store)
        self.log = RequestLog()
        self.outbox = Outbox(self)
        self.store.on_kept = self.outbox.enqueue
        self._closed = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="timers", daemon=True)

    def start(self) -> None:
        """Begin to deliver events and to let time pass."""
        self.outbox.start()
        self._ticker.start()

    @contextmanager
    def work(self, *, request: Json | None = None) -> Iterator[Work]:
        """One operation on the state; `request` is what its events will name as their cause."""
        with self.store.work() as work:
            if request:
                work.request = request
            yield work

    def advance(self, span: str) -> None:
        """Skip a span like `31d`; whatever falls due meanwhile happens before this returns."""
        self._set_offset(self.clock.offset + seconds_in(span))

    def reset_clock(self) -> None:
        """Back to the machine's own time."""
        self._set_offset(0)

    def reset(self) -> None:
        """Forget everything, clock and faults included."""
        self.behaviour = Behaviour(fee_delay_ms=self.options.fee_delay_ms)
        self.outbox.clear()
        self.store.clear()
        self.idempotency.clear()
        self.log.clear()
        self.clock.offset = 0

    def close(self) -> None:
        """Stop the threads and write what is left."""
        self._closed.set()
        if self._ticker.is_alive():
            self._ticker.join(timeout=5)
        self.outbox.close()
        self.store.close()

    def _set_offset(self, offset: int) -> None:
        self.clock.offset = offset
        with self.work() as work:
            work.put("setting", {"id": _CLOCK, "offset": offset})
        run_due(self)
        self.outbox.wake()

    def _tick(self) -> None:
        while not self._closed.wait(_TICK_SECONDS):
            run_due(self)
