"""The outbox: signs events and delivers them to the site until it says yes."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import json
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from .faults import copies, happens, spread_ms
from .line import Line

if TYPE_CHECKING:
    from .errors import Json
    from .simulator import Simulator
    from .store import Work

_GIVES_UP_AFTER_MS = 3 * 86400 * 1000
_LONGEST_PAUSE_MS = 60_000
_CLOCK_FAULT_SECONDS = 600
_SHOWN = 200


class Outbox:
    """Deliveries that wait, in order of when they are due; a few threads send them."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._ready = threading.Condition()
        self._waiting: list[tuple[int, int, str]] = []
        self._count = 0
        self._closed = False
        self._threads: list[threading.Thread] = []
        self.attempts: deque[Json] = deque(maxlen=_SHOWN)

    def start(self) -> None:
        """Take up what was left undelivered and begin to send."""
        if not self._sim.options.webhook_url:
            return
        kept = "kind = 'delivery' AND type = 'waiting' ORDER BY seq"
        self.enqueue([row.id for row in self._sim.store.select(kept, (), limit=10_000_000)])
        for number in range(self._sim.options.webhook_workers):
            name = f"webhooks-{number}"
            thread = threading.Thread(target=self._send_often, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def plan(self, work: Work, event_id: str, *, faulty: bool = True) -> None:
        """Deliver this event once the piece of work is kept; `faulty` lets faults interfere."""
        behaviour = self._sim.behaviour
        dropped = faulty and happens(behaviour.drop_webhooks)
        extra = copies(behaviour.duplicate_webhooks) if faulty and not dropped else 0
        for _copy in range(1 + extra):
            seq = self._sim.store.next_seq()
            delivery: Json = {
                "id": f"delivery_{seq}_{event_id}",
                "event": event_id,
                "attempts": 0,
                "planned_ms": self._sim.clock.now_ms(),
            }
            state = "dropped" if dropped else "waiting"
            work.put("delivery", delivery, type=state, source=event_id)
            if not dropped:
                work.deliveries.append(delivery["id"])

    def enqueue(self, delivery_ids: list[str]) -> None:
        """Put kept deliveries in the queue."""
        with self._ready:
            for delivery_id in delivery_ids:
                self._push(delivery_id, spread_ms(self._sim.behaviour))
            self._ready.notify(len(delivery_ids))

    def waiting(self) -> int:
        """How many deliveries wait in the queue."""
        with self._ready:
            return len(self._waiting)

    def wake(self) -> None:
        """Look at the queue again: the clock or the behaviour has changed."""
        with self._ready:
            self._ready.notify_all()

    def clear(self) -> None:
        """Forget what waits."""
        with self._ready:
            self._waiting.clear()
            self.attempts.clear()

    def close(self) -> None:
        """Stop sending; what waits is taken up at the next start."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        for thread in self._threads:
            thread.join(timeout=12)

    def _push(self, delivery_id: str, pause_ms: int) -> None:
        self._count += 1
        due = self._sim.clock.now_ms() + pause_ms
        heapq.heappush(self._waiting, (due, self._count, delivery_id))

    def _next(self) -> str | None:
        with self._ready:
            while not self._closed:
                wait_seconds = 1.0
                if self._waiting and not self._sim.behaviour.hold_webhooks:
                    early_ms = self._waiting[0][0] - self._sim.clock.now_ms()
                    if early_ms <= 0:
                        return heapq.heappop(self._waiting)[2]
                    wait_seconds = min(wait_seconds, early_ms / 1000)
                self._ready.wait(wait_seconds)
        return None

    def _send_often(self) -> None:
        line = Line(self._sim.options.webhook_url)
        while (delivery_id := self._next()) is not None:
            self._attempt(line, delivery_id)
        line.close()

    def _attempt(self, line: Line, delivery_id: str) -> None:
        delivery = self._sim.store.find(delivery_id)
        event = self._sim.store.row(delivery["event"]) if delivery else None
        if delivery is None or event is None or not event.body:
            return
        body = self._payload(event.body)
        status = line.post(body, {"Stripe-Signature": self._signature(body)})
        self.attempts.append(
            {
                "event": delivery["event"],
                "type": event.type,
                "attempt": delivery["attempts"] + 1,
                "status": status,
                "at": time.time(),
            }
        )
        if 200 <= status < 300:  # noqa: PLR2004
            with self._sim.work() as work:
                work.drop(delivery_id)
            return
        self._put_off(delivery)

    def _put_off(self, delivery: Json) -> None:
        delivery["attempts"] += 1
        tried_for_ms = self._sim.clock.now_ms() - delivery["planned_ms"]
        gives_up = tried_for_ms > _GIVES_UP_AFTER_MS
        with self._sim.work() as work:
            if work.find(delivery["id"]) is None:
                return
            state = "failed" if gives_up else "waiting"
            work.put("delivery", delivery, type=state, source=delivery["event"])
        if not gives_up:
            with self._ready:
                pause = min(1000 * 2 ** min(delivery["attempts"] - 1, 10), _LONGEST_PAUSE_MS)
                self._push(delivery["id"], pause)
                self._ready.notify()

    def _payload(self, body: str) -> bytes:
        if happens(self._sim.behaviour.foreign_livemode):
            body = json.dumps({**json.loads(body), "livemode": True})
        return body.encode()

    def _signature(self, body: bytes) -> str:
        behaviour = self._sim.behaviour
        at = int(time.time())
        if happens(behaviour.stale_timestamp):
            at -= _CLOCK_FAULT_SECONDS
        if happens(behaviour.future_timestamp):
            at += _CLOCK_FAULT_SECONDS
        secrets = self._sim.options.webhook_secrets
        if happens(behaviour.wrong_secret):
            secrets = ("whsec_not_the_secret",)
        return signature(body, at=at, secrets=secrets)


def signature(body: bytes, *, at: int, secrets: tuple[str, ...]) -> str:
    """The Stripe-Signature header; one `v1` for each secret in force."""
    signed = b"%d." % at + body
    proofs = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={at}", *(f"v1={proof}" for proof in proofs)])
