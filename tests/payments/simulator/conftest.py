"""A running simulator for each test; in the end every exchange must meet the specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import stripe

from donorhub.payments.simulator.params import decode
from tests.payments import stripe_spec
from tests.payments.simulator_server import (
    Receiver,
    RunningSimulator,
    client_for,
    running_receiver,
    running_simulator,
    session_params,
)


@dataclass
class Bench:
    """A simulator, its webhook receiver, and short ways to do what tests do often."""

    running: RunningSimulator
    receiver: Receiver
    answers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.running.url

    @property
    def client(self) -> stripe.StripeClient:
        return self.running.client

    @property
    def deliveries(self) -> list[Any]:
        return self.receiver.deliveries

    def open_session(self, **changes: Any) -> Any:
        """A session of 25 dollars, made through the SDK."""
        key = changes.pop("key", None)
        options = {"idempotency_key": key} if key else None
        return self.client.v1.checkout.sessions.create(session_params(**changes), options)

    def control(self, path: str, **wishes: Any) -> requests.Response:
        return requests.post(f"{self.url}/_sim{path}", json=wishes, timeout=20)

    def behave(self, **wishes: Any) -> None:
        assert self.control("/behaviour", **wishes).status_code == 200

    def pay(self, session: Any, **wishes: Any) -> dict[str, Any]:
        answer = self.control(f"/checkout/{session.id}/pay", **wishes)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def paid(self, **changes: Any) -> dict[str, Any]:
        """A paid session whose fee has arrived."""
        before = self.receiver.types().count("charge.updated")
        paid = self.pay(self.open_session(**changes))
        self.receiver.wait_for("charge.updated", count=before + 1)
        return paid

    def submit(self, session: Any, **fields: str) -> requests.Response:
        """Fill in the hosted page with a card that pays, or with other fields."""
        form = {
            "email": "donor@example.org",
            "cardNumber": "4242 4242 4242 4242",
            "cardExpiry": "12 / 34",
            "cardCvc": "123",
            "billingName": "Ada Donor",
            **fields,
        }
        return requests.post(
            f"{self.url}/c/pay/{session.id}", data=form, allow_redirects=False, timeout=20
        )


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    with ExitStack() as open_ones:
        yield lambda **options: open_ones.enter_context(_bench(options))


@pytest.fixture
def simulator(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


class _bench:  # noqa: N801 - reads like the function that it stands for
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._held = ExitStack()

    def __enter__(self) -> Bench:
        receiver = self._held.enter_context(running_receiver())
        running = self._held.enter_context(running_simulator(receiver.url, **self._options))
        self._bench = Bench(running, receiver)
        session = self._held.enter_context(requests.Session())
        session.hooks["response"].append(self._keep)
        running.client = client_for(running.url, session=session)
        return self._bench

    def __exit__(self, *failure: object) -> None:
        if failure[0] is None:
            self._check()
        self._held.close()

    def _keep(self, response: requests.Response, **_rest: object) -> None:
        if response.status_code == 200:
            self._bench.answers.append(response.json())

    def _check(self) -> None:
        for answer in self._bench.answers:
            if _is_genuine(answer):
                assert stripe_spec.check_object(answer) == []
        for delivery in self._bench.deliveries:
            if _is_genuine(delivery.event):
                assert stripe_spec.check_object(delivery.event) == []
        for entry in self._bench.running.simulator.log.entries():
            if entry.status == 200:
                tree = decode(entry.encoded)
                problems = stripe_spec.check_encoded_request(entry.method, entry.path, tree)
                assert problems == []


def _is_genuine(answer: dict[str, Any]) -> bool:
    """Not made up by a test."""
    return "forged" not in str(answer.get("data"))
