"""A simulator in this process, on a real port, with real threads; and a place for its events."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests
import stripe
from flask import Flask, request
from werkzeug.serving import WSGIRequestHandler, make_server

from donorhub.payments.simulator.app import create_app
from donorhub.payments.simulator.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from donorhub.payments.simulator.simulator import Simulator

SECRET = "whsec_for_tests"
KEY = "sk_test_simulated"


@dataclass
class Delivery:
    """One event as the site received it."""

    body: bytes
    signature: str
    at: float

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Receiver:
    """A webhook address that keeps what it gets and answers `status`."""

    url: str = ""
    status: int = 200
    pause: float = 0
    deliveries: list[Delivery] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0

    def app(self) -> Flask:
        app = Flask("receiver")

        @app.post("/webhooks/stripe")
        def receive() -> tuple[str, int]:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            time.sleep(self.pause)
            self.deliveries.append(
                Delivery(request.get_data(), request.headers["Stripe-Signature"], time.time())
            )
            self._at_once -= 1
            return "", self.status

        return app

    def types(self) -> list[str]:
        return [delivery.event["type"] for delivery in self.deliveries]

    def wait_for(self, event_type: str, *, count: int = 1, seconds: float = 8) -> Delivery:
        """The latest delivery of this type, once there are that many."""
        assert_soon(lambda: self.types().count(event_type) >= count, seconds, self.types)
        return [d for d in self.deliveries if d.event["type"] == event_type][-1]


@dataclass
class RunningSimulator:
    """What a test holds: the address, a client, and the simulator itself."""

    url: str
    simulator: Simulator
    client: stripe.StripeClient


@contextmanager
def running_simulator(webhook_url: str | None = None, **options: Any) -> Iterator[RunningSimulator]:
    """A simulator on a free port of 127.0.0.1; `options` are those of `Options`."""
    options.setdefault("webhook_secrets", (SECRET,))
    options.setdefault("fee_delay_ms", 50)
    server, url = _listen(
        lambda port: create_app(
            Options(
                public_url=f"http://127.0.0.1:{port}",
                webhook_url=webhook_url or "",
                **options,
            )
        )
    )
    simulator = server.app.extensions["simulator"]
    simulator.start()
    try:
        with _serving(server):
            yield RunningSimulator(url, simulator, client_for(url))
    finally:
        simulator.close()


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A webhook address on a free port."""
    receiver = Receiver()
    server, url = _listen(lambda _port: receiver.app())
    receiver.url = f"{url}/webhooks/stripe"
    with _serving(server):
        yield receiver


def client_for(
    url: str, *, key: str = KEY, retries: int = 0, session: requests.Session | None = None
) -> stripe.StripeClient:
    """The unmodified SDK, pointed at the simulator."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": url},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=10, session=session),
    )


def session_params(**changes: Any) -> Any:
    """What DonorHub sends for a gift of 25 dollars."""
    amount = changes.pop("amount", 2500)
    currency = changes.pop("currency", "cad")
    return {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "submit_type": "donate",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": currency,
                    "unit_amount": amount,
                    "product_data": {"name": "Gift to the harbour school"},
                },
            }
        ],
        "success_url": "http://127.0.0.1:9/gifts/1/?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/gifts/1/cancelled",
        "client_reference_id": "gift-1",
        "customer_email": "donor@example.org",
        "locale": "en",
        "metadata": {"gift": "1"},
        "payment_intent_data": {"metadata": {"gift": "1"}, "description": "Gift 1"},
        **changes,
    }


def assert_soon(
    holds: Callable[[], object], seconds: float = 15, shown: Callable[[], object] = str
) -> None:
    """Wait until it holds, or fail with what is shown instead."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, shown()
        time.sleep(0.02)


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_args: object) -> None:
        """Say nothing about requests that went well."""


def _listen(make_app: Callable[[int], Flask]) -> tuple[Any, str]:
    """A server that is bound before its application exists, so that it can know its port."""
    server = make_server(
        "127.0.0.1", 0, Flask("not yet"), threaded=True, request_handler=_QuietHandler
    )
    server.app = make_app(server.server_port)
    return server, f"http://127.0.0.1:{server.server_port}"


@contextmanager
def _serving(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
