"""Stripe's side of a test: what it was asked, what it tells, how it misbehaves."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import requests
from flask.testing import FlaskClient

from donorhub import payments
from donorhub.kit import db, events
from donorhub.payments.simulator.webhooks import signature
from tests.payments.simulator_server import SECRET, RunningSimulator


@dataclass
class StripeSide:
    """A simulator that tells nothing by itself: a test delivers what it wants delivered."""

    running: RunningSimulator
    client: FlaskClient

    def control(self, path: str, **wishes: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.running.url}/_sim{path}", json=wishes, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def behave(self, **wishes: Any) -> None:
        self.control("/behaviour", **wishes)

    def session_of(self, public_id: str) -> str:
        return payments.latest(f"gift:{public_id}").session_reference

    def pay(self, public_id: str, **wishes: Any) -> dict[str, Any]:
        return self.control(f"/checkout/{self.session_of(public_id)}/pay", **wishes)

    def refund(self, public_id: str, **wishes: Any) -> str:
        return self.control(f"/checkout/{self.session_of(public_id)}/refund", **wishes)["id"]

    def events(self, event_type: str = "") -> list[dict[str, Any]]:
        """What happened at Stripe, oldest first."""
        query = {"limit": "100", "type": event_type}
        listed = requests.get(f"{self.running.url}/_sim/events", query, timeout=5).json()
        return listed["events"][::-1]

    def event(self, event_type: str) -> dict[str, Any]:
        """The latest event of a type."""
        return self.events(event_type)[-1]

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        query = {"path": path}
        return requests.get(f"{self.running.url}/_sim/requests", query, timeout=5).json()[
            "requests"
        ]

    def forget_requests(self) -> None:
        self.control("/requests/clear")

    def deliver(self, event: dict[str, Any], **changes: Any) -> int:
        """Post an event as Stripe does and return the status of the answer."""
        return self.post(json.dumps(event).encode(), **changes)

    def post(
        self, body: bytes, *, secret: str = SECRET, late: int = 0, header: str | None = None
    ) -> int:
        """Post any body, signed ``late`` seconds before now unless a ``header`` is given."""
        signed = signature(body, at=int(time.time()) - late, secrets=(secret,))
        headers = {"Stripe-Signature": signed if header is None else header}
        return self.client.post("/webhooks/stripe", data=body, headers=headers).status_code

    def deliver_all(self) -> None:
        for event in self.events():
            assert self.deliver(event) == 200

    def work(self) -> list[str]:
        """Do the jobs that wait about events, and return how each ended."""
        found = db.rows(
            "DELETE FROM procrastinate_jobs WHERE status = 'todo' "
            "AND task_name = 'payments.handle_event' RETURNING id, args"
        )
        db.session.commit()
        return [payments.handle_event(**row.args) for row in sorted(found)]

    def retry_due(self) -> None:
        events.run_now("payments.retry_events")


def inbox_rows() -> list[Any]:
    return db.rows("SELECT * FROM stripe_events ORDER BY received_at, id")


def state_of(event_id: str) -> str:
    return db.one("SELECT state FROM stripe_events WHERE id = :id", id=event_id).state
