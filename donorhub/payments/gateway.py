"""The one door to Stripe: time-outs, retries, idempotency keys, and facts instead of objects.

Pinned to stripe-python 16 (API 2026-10-28.endive). Connect 3 s, read 10 s, two network
retries by the SDK; 429 is retried here, because the SDK does not
(https://docs.stripe.com/rate-limits), and so is 409 once the SDK has given up. The network
is refused inside a unit of work.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests
import stripe
import structlog
from flask import current_app
from requests.adapters import HTTPAdapter

from donorhub.kit import Money, Settings, refuse_open_work, stepped_aside
from donorhub.payments.rules import HANDLED_TYPES, Dispute, PaymentFacts, Refund

log = structlog.get_logger()

CONNECT_SECONDS, READ_SECONDS = 3, 10
NETWORK_RETRIES = 2
MOST_KEPT_ALIVE = 256
LIMITED_PAUSES_MS = (200, 500, 1200)
# The same key is being worked on (a double click); too many calls.
COME_BACK_LATER = (409, 429)
EXPAND = ["payment_intent.latest_charge.balance_transaction"]
CARD_REFUND_OK = {"succeeded", "pending", "requires_action"}
PAGE = 100
T = TypeVar("T")

stripe.enable_telemetry = False


class StripeUnreachable(RuntimeError):
    """No certain answer came; the same call with the same key may be made again."""


class StripeRefused(RuntimeError):
    """Stripe understood and said no; ``code`` is Stripe's own word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A Checkout session that waits to be paid."""

    reference: str
    url: str


class Gateway:
    """Calls Stripe; returns our own values; raises StripeUnreachable or StripeRefused."""

    def __init__(self, settings: Settings) -> None:
        self.client = stripe.StripeClient(
            settings.stripe_secret_key,
            base_addresses={"api": settings.stripe_api_base},
            max_network_retries=NETWORK_RETRIES,
            http_client=stripe.RequestsClient(
                timeout=(CONNECT_SECONDS, READ_SECONDS), session=_line(settings.stripe_api_base)
            ),
        )

    def open_session(self, params: Mapping[str, Any], *, key: str) -> OpenSession:
        """Create a Checkout session, or get back the one this key created before."""
        # The plain answer: the SDK's tree of objects takes longer to build than all else here.
        made = _call(
            lambda: self.client.raw_request(
                "post", "/v1/checkout/sessions", **params, idempotency_key=key
            )
        ).data
        return OpenSession(made["id"], made["url"] or "")

    def expire_session(self, reference: str, *, key: str) -> bool:
        """Make a session unpayable; False if it was not open any more."""
        try:
            _call(
                lambda: self.client.v1.checkout.sessions.expire(
                    reference, {}, {"idempotency_key": key}
                )
            )
        except StripeRefused as refusal:
            log.info("stripe.session_not_open", code=refusal.code)
            return False
        return True

    def facts(
        self, reference: str, *, checkout_id: int, subject: str, refunds: bool = False
    ) -> PaymentFacts:
        """Ask for a session and the money behind it as they are now.

        ``refunds`` asks for them even if nothing is given back now: one may have come back.
        """
        found = _call(
            lambda: self.client.v1.checkout.sessions.retrieve(reference, {"expand": EXPAND})
        )
        item = _plain(found)
        return self._read(item, checkout_id=checkout_id, subject=subject, refunds=refunds)

    def session_of_intent(self, intent: str) -> str | None:
        """Return the session that a payment intent belongs to."""
        found = _call(
            lambda: self.client.v1.checkout.sessions.list({"payment_intent": intent, "limit": 1})
        )
        return found.data[0].id if found.data else None

    def refund(self, intent: str, amount: Money, *, key: str) -> None:
        """Give money back; the same key gives it back once."""
        _call(
            lambda: self.client.v1.refunds.create(
                {
                    "payment_intent": intent,
                    "amount": amount.minor,
                    "reason": "requested_by_customer",
                },
                {"idempotency_key": key},
            )
        )

    def events_since(self, moment: datetime) -> Iterator[dict[str, Any]]:
        """Yield events of our types from a moment on, oldest first."""
        listed = _call(
            lambda: self.client.v1.events.list(
                {
                    "created": {"gte": int(moment.timestamp())},
                    "types": list(HANDLED_TYPES),
                    "limit": PAGE,
                }
            )
        )
        found = [_plain(event) for event in _all(listed)]
        yield from reversed(found)

    def movements_since(self, moment: datetime) -> Iterator[dict[str, Any]]:
        """Yield balance transactions from a moment on."""
        listed = _call(
            lambda: self.client.v1.balance_transactions.list(
                {"created": {"gte": int(moment.timestamp())}, "limit": PAGE}
            )
        )
        for item in _all(listed):
            yield _plain(item)

    def _read(
        self, item: dict[str, Any], *, checkout_id: int, subject: str, refunds: bool
    ) -> PaymentFacts:
        currency = str(item["currency"]).upper()
        intent = item.get("payment_intent")
        intent = intent if isinstance(intent, dict) else {}
        charge = intent.get("latest_charge")
        charge = charge if isinstance(charge, dict) else {}
        movement = charge.get("balance_transaction")
        fee = movement["fee"] if isinstance(movement, dict) else None
        given_back = bool(charge.get("amount_refunded")) or (refunds and bool(charge))
        disputed = bool(charge.get("disputed"))
        return PaymentFacts(
            checkout_id=checkout_id,
            subject=subject,
            session_reference=str(item["id"]),
            session_state=str(item["status"]),
            is_paid=item["payment_status"] == "paid",
            amount=Money(int(item["amount_total"]), currency),
            livemode=bool(item["livemode"]),
            intent_reference=intent.get("id"),
            charge_reference=charge.get("id"),
            fee=Money(int(fee), currency) if fee is not None else None,
            refunds=self._refunds(str(charge["id"]), currency) if given_back else (),
            disputes=self._disputes(str(charge["id"]), currency) if disputed else (),
        )

    def _refunds(self, charge: str, currency: str) -> tuple[Refund, ...]:
        listed = _call(lambda: self.client.v1.refunds.list({"charge": charge, "limit": PAGE}))
        return tuple(
            Refund(
                item.id,
                Money(item.amount, currency),
                came_back=item.status not in CARD_REFUND_OK,
            )
            for item in _all(listed)
            if item.status in CARD_REFUND_OK or item.balance_transaction
        )

    def _disputes(self, charge: str, currency: str) -> tuple[Dispute, ...]:
        listed = _call(lambda: self.client.v1.disputes.list({"charge": charge, "limit": PAGE}))
        return tuple(_dispute(_plain(item), currency) for item in _all(listed))


def _dispute(item: dict[str, Any], currency: str) -> Dispute:
    moves = item.get("balance_transactions") or []
    taken = [move for move in moves if move["amount"] < 0]
    fees = [(str(move["id"]), Money(int(move["fee"]), currency)) for move in moves]
    return Dispute(
        reference=str(item["id"]),
        amount=Money(int(item["amount"]), currency),
        fees=tuple(fees),
        state=str(item["status"]),
        withdrawn=bool(taken),
        reinstated=any(move["amount"] > 0 for move in moves),
    )


def gateway() -> Gateway:
    """Return the gateway of the running app."""
    found: Gateway = current_app.extensions["gateway"]
    return found


def moment_of(seconds: int) -> datetime:
    """Read one of Stripe's times (seconds since 1970, UTC)."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def _plain(item: Any) -> dict[str, Any]:
    found: dict[str, Any] = item.to_dict(for_json=True)
    return found


def _line(address: str) -> requests.Session:
    """Return a session that looks for proxies in the environment once, not at every call."""
    session = requests.Session()
    session.trust_env = False
    session.proxies.update(requests.utils.get_environ_proxies(address))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=MOST_KEPT_ALIVE))
    return session


def _all(listed: Any) -> Iterator[Any]:
    pages = listed.auto_paging_iter()
    while True:
        try:
            yield _call(lambda: next(pages))
        except _Over:
            return


class _Over(Exception):
    pass


def _call(ask: Callable[[], T]) -> T:
    """Make one call outside any transaction; sort what goes wrong into two kinds."""
    refuse_open_work()
    for pause in (*LIMITED_PAUSES_MS, None):
        try:
            with stepped_aside():
                return ask()
        except StopIteration:
            raise _Over from None
        except stripe.StripeError as error:
            if pause is None or error.http_status not in COME_BACK_LATER:
                raise _sorted(error) from error
            time.sleep((pause + secrets.randbelow(pause)) / 1000)
    raise AssertionError


def _sorted(error: stripe.StripeError) -> StripeUnreachable | StripeRefused:
    """Tell "no certain answer" from "no"; log the class and Stripe's code, never the message."""
    kind = type(error).__name__
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        log.error("stripe.key_refused", error=kind)
        return StripeUnreachable("key refused")
    uncertain = isinstance(
        error, stripe.APIConnectionError | stripe.APIError | stripe.RateLimitError
    )
    if uncertain and not _is_final(error):
        log.warning("stripe.unreachable", error=kind)
        return StripeUnreachable(kind)
    log.warning("stripe.refused", code=error.code or kind)
    return StripeRefused(error.code or kind)


def _is_final(error: stripe.StripeError) -> bool:
    status = error.http_status or 500
    return 400 <= status < 500 and status not in COME_BACK_LATER  # noqa: PLR2004 - HTTP class
