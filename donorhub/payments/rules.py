"""Pure decisions about money at Stripe: facts, fees, and what an event points to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from donorhub.kit import Money

HANDLED_TYPES = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "payment_intent.succeeded",
    "charge.succeeded",
    "charge.updated",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
LOST, WON = "lost", "won"
BACK_OFF_SECONDS = (10, 30, 60, 300, 900, 3600)
MOST_ATTEMPTS = 6


class FactsDisagree(ValueError):
    """What Stripe says was paid is not what our own row says; nothing may move."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that Stripe gave back; ``came_back`` if the donor's bank could not take it."""

    reference: str
    amount: Money
    came_back: bool = False


@dataclass(frozen=True, slots=True)
class Dispute:
    """Money that a bank asks back; ``withdrawn`` tells whether Stripe took it from us.

    Each fee comes with the balance transaction that took it: there may be several.
    """

    reference: str
    amount: Money
    fees: tuple[tuple[str, Money], ...]
    state: str
    withdrawn: bool
    reinstated: bool


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """Everything Stripe says, now, about one Checkout session and the money behind it."""

    checkout_id: int
    subject: str
    session_reference: str
    session_state: str
    is_paid: bool
    amount: Money
    livemode: bool
    intent_reference: str | None = None
    charge_reference: str | None = None
    fee: Money | None = None
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def refunded(self) -> Money:
        """All that was given back, and stayed there."""
        gone = (refund.amount for refund in self.refunds if not refund.came_back)
        return _total(gone, self.amount.currency)

    @property
    def lost(self) -> Money:
        """All that banks took back for good."""
        gone = (dispute.amount for dispute in self.disputes if dispute.state == LOST)
        return _total(gone, self.amount.currency)

    @property
    def is_over(self) -> bool:
        """Whether nothing can be paid any more with this session, and nothing was."""
        return not self.is_paid and self.session_state in {"expired", "missing"}


def _total(amounts: Any, currency: str) -> Money:
    total = Money.zero(currency)
    for amount in amounts:
        total += amount
    return total


@dataclass(frozen=True, slots=True)
class FeeRule:
    """What a card payment costs: a percentage, rounded half up, and a fixed amount."""

    percent: Decimal
    fixed_minor: int

    def fee(self, charged: Money) -> Money:
        """Return the fee on a charge."""
        return charged.share(self.percent / 100) + Money(self.fixed_minor, charged.currency)

    def cover(self, gift: Money) -> Money:
        """Return the least extra that leaves the whole gift after the fee on the sum."""
        rate = 1 - self.percent / 100
        exact = (Decimal(gift.minor) + self.fixed_minor) / rate
        total = int(exact.to_integral_value(ROUND_CEILING))
        while self._net(total - 1, gift.currency) >= gift.minor:
            total -= 1
        while self._net(total, gift.currency) < gift.minor:
            total += 1
        return Money(total - gift.minor, gift.currency)

    def _net(self, total: int, currency: str) -> int:
        charged = Money(total, currency)
        return total - self.fee(charged).minor


def check_against(facts: PaymentFacts, *, amount: Money, livemode: bool) -> None:
    """Raise FactsDisagree unless amount, currency and mode are those of our own row."""
    if facts.livemode != livemode:
        message = "mode differs"
        raise FactsDisagree(message)
    if facts.amount.currency != amount.currency:
        message = "currency differs"
        raise FactsDisagree(message)
    if facts.amount != amount:
        message = "amount differs"
        raise FactsDisagree(message)
    if facts.refunded > facts.amount:
        message = "more was refunded than paid"
        raise FactsDisagree(message)


@dataclass(frozen=True, slots=True)
class Pointers:
    """By what an event's object can be traced to one of our checkouts."""

    session: str | None
    intent: str | None
    charge: str | None
    subject: str | None


def pointers(item: Mapping[str, Any]) -> Pointers:
    """Read the references that an event's object carries, whatever kind it is."""
    kind = item.get("object")
    metadata = item.get("metadata")
    subject = metadata.get("subject") if isinstance(metadata, Mapping) else None
    session = _text(item.get("id")) if kind == "checkout.session" else None
    intent = _text(item.get("id")) if kind == "payment_intent" else _id(item.get("payment_intent"))
    charge = _text(item.get("id")) if kind == "charge" else _id(item.get("charge"))
    return Pointers(session, intent, charge, _text(subject or item.get("client_reference_id")))


def _id(value: object) -> str | None:
    if isinstance(value, Mapping):
        return _text(value.get("id"))
    return _text(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
