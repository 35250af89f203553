"""Start the simulator: `python -m donorhub.payments.simulator --help`."""

from __future__ import annotations

import argparse
import os
from decimal import Decimal
from pathlib import Path

from granian.constants import Interfaces
from granian.server import Server

from .options import SUBSCRIBED_EVENTS, Options

_THREADS = 300


def main() -> None:
    """Read the command line and serve on 127.0.0.1 until told to stop."""
    given = _parser().parse_args()
    public_url = given.public_url or f"http://127.0.0.1:{given.port}"
    options = Options(
        state=given.state if given.state == ":memory:" else str(Path(given.state).resolve()),
        public_url=public_url.rstrip("/"),
        site_url=given.site_url.rstrip("/"),
        webhook_url=given.webhook_url,
        webhook_secrets=tuple(given.webhook_secret),
        webhook_events=frozenset(given.webhook_events.replace(",", " ").split()),
        webhook_workers=given.webhook_workers,
        fee_percent=given.fee_percent,
        fee_fixed=given.fee_fixed,
        fee_delay_ms=given.fee_delay_ms,
        dispute_fee=given.dispute_fee,
    )
    os.environ.update(options.to_env())
    print(f"Stripe simulator on {options.public_url} (no real money)", flush=True)  # noqa: T201
    server = Server(
        "donorhub.payments.simulator.app:serve",
        factory=True,
        address="127.0.0.1",
        port=given.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=given.threads,
        backlog=1024,
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=10,
    )
    server.serve()


def _parser() -> argparse.ArgumentParser:
    default = Options()
    parser = argparse.ArgumentParser(
        prog="python -m donorhub.payments.simulator",
        description="A stand-in for Stripe for development and tests. No real money.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--port", type=int, default=8001, help="port on 127.0.0.1")
    add("--state", default="instance/stripe-simulator.db", help="SQLite file, or :memory:")
    add("--public-url", default="", help="address that browsers use; from the port by default")
    add("--site-url", default=default.site_url, help="the site, for links back")
    add("--webhook-url", default="", help="where events are delivered; nowhere by default")
    add(
        "--webhook-secret",
        action="append",
        default=[],
        help="signing secret; give it twice while secrets are being exchanged",
    )
    add("--webhook-events", default=SUBSCRIBED_EVENTS, help="event types delivered, or *")
    add("--webhook-workers", type=int, default=default.webhook_workers, help="at once")
    add("--fee-percent", type=Decimal, default=default.fee_percent, help="of the amount")
    add("--fee-fixed", type=int, default=default.fee_fixed, help="minor units")
    add("--fee-delay-ms", type=int, default=default.fee_delay_ms, help="until a fee is known")
    add("--dispute-fee", type=int, default=default.dispute_fee, help="minor units")
    add("--threads", type=int, default=_THREADS, help="calls held at once")
    return parser


if __name__ == "__main__":
    main()
