"""Checkouts: prepared with the gift, opened at Stripe, closed at Stripe."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from donorhub.kit import Money, current_settings, db, now, unit_of_work
from donorhub.payments.gateway import StripeRefused, gateway
from donorhub.payments.rules import PaymentFacts

Verb = Callable[[PaymentFacts], object]
_verbs: dict[str, Verb] = {}


@dataclass(frozen=True, slots=True)
class CheckoutWish:
    """What is to be paid for, in the words of whoever asks."""

    subject: str
    amount: Money
    expires_at: datetime
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checkout:
    """One of our rows about a Checkout session."""

    id: int
    subject: str
    attempt: int
    idempotency_key: str
    params: dict[str, Any]
    amount_minor: int
    currency: str
    livemode: bool
    state: str
    session_reference: str | None
    intent_reference: str | None
    url: str | None
    expires_at: datetime

    @property
    def amount(self) -> Money:
        """What is to be paid."""
        return Money(self.amount_minor, self.currency)


COLUMNS = (
    "id, subject, attempt, idempotency_key, params, amount_minor, currency, livemode, state, "
    "session_reference, intent_reference, url, expires_at"
)


def register_verb(prefix: str, verb: Verb) -> None:
    """Say who acts on facts about subjects that begin with ``prefix:``."""
    _verbs[prefix] = verb


def act_on(facts: PaymentFacts) -> None:
    """Hand facts to whoever owns their subject; the verb is safe to repeat."""
    _verbs[facts.subject.partition(":")[0]](facts)


def prepare_checkout(wish: CheckoutWish) -> Checkout:
    """Write down the exact call and its key, in the open unit of work, before it is made."""
    row = db.one(
        "INSERT INTO checkouts (subject, attempt, idempotency_key, params, amount_minor, "
        "currency, livemode, state, expires_at, created_at) SELECT :subject, n, "
        ":subject || ':checkout:' || n, cast(:params AS jsonb), :minor, :currency, :livemode, "
        "'created', :expires_at, :now FROM (SELECT coalesce(max(attempt), 0) + 1 AS n "
        f"FROM checkouts WHERE subject = :subject) AS next RETURNING {COLUMNS}",
        subject=wish.subject,
        params=json.dumps(wish.params),
        minor=wish.amount.minor,
        currency=wish.amount.currency,
        livemode=current_settings().livemode,
        expires_at=wish.expires_at,
        now=now(),
    )
    return Checkout(*row)


def open_checkout(checkout: Checkout) -> str:
    """Open a prepared checkout at Stripe and return the address of its page.

    Raises StripeUnreachable (call again: the key is the same) or StripeRefused.
    """
    if checkout.url and checkout.state == "open":
        return checkout.url
    try:
        opened = gateway().open_session(checkout.params, key=checkout.idempotency_key)
    except StripeRefused:
        with unit_of_work():
            move(checkout.id, "refused", was=("created",))
        raise
    with unit_of_work():
        db.run(
            "UPDATE checkouts SET state = 'open', session_reference = :session, url = :url "
            "WHERE id = :id AND state = 'created'",
            id=checkout.id,
            session=opened.reference,
            url=opened.url,
        )
    return opened.url


def find(checkout_id: int) -> Checkout:
    """Return one checkout."""
    return Checkout(*db.one(f"SELECT {COLUMNS} FROM checkouts WHERE id = :id", id=checkout_id))


def latest(subject: str) -> Checkout | None:
    """Return the newest checkout of a subject."""
    row = db.one(
        f"SELECT {COLUMNS} FROM checkouts WHERE subject = :subject ORDER BY attempt DESC LIMIT 1",
        subject=subject,
    )
    return Checkout(*row) if row else None


def read_facts(subject: str) -> PaymentFacts | None:
    """Ask Stripe how the newest checkout of a subject stands; None if none was opened."""
    checkout = latest(subject)
    if checkout is None or checkout.session_reference is None:
        return None
    return facts_of(checkout)


def facts_of(checkout: Checkout, *, refunds: bool = False) -> PaymentFacts:
    """Ask Stripe how an opened checkout stands now.

    A refund that we know of, or that ``refunds`` tells us of, may have come back since.
    """
    refunds = refunds or bool(
        db.rows(
            "SELECT FROM ledger_entries WHERE subject = :subject AND kind = 'refund' LIMIT 1",
            subject=checkout.subject,
        )
    )
    return gateway().facts(
        checkout.session_reference or "",
        checkout_id=checkout.id,
        subject=checkout.subject,
        refunds=refunds,
    )


def close_checkout(subject: str) -> PaymentFacts | None:
    """Make sure nothing more can be paid for a subject, and say how it ended.

    Expires the session at Stripe first. If our row does not know the session (the process
    died between the call and its answer), the same call with the same key finds it, or is
    refused because it never was: then there is nothing to expire. Facts of a payment that
    was quicker come back as paid. None means that no session ever was.
    """
    checkout = latest(subject)
    if checkout is None or checkout.state == "refused":
        return None
    if checkout.state == "created":
        try:
            open_checkout(checkout)
        except StripeRefused:
            return None
        checkout = find(checkout.id)
    if checkout.state == "open":
        gateway().expire_session(
            checkout.session_reference or "", key=f"{checkout.idempotency_key}:expire"
        )
    return facts_of(checkout)


def request_refund(subject: str, amount: Money) -> PaymentFacts:
    """Ask Stripe to give a subject's money back, and return the facts afterwards.

    The key counts the refunds we know of: asking again after a lost answer is the same
    refund, asking again after one that failed is another. Raises StripeUnreachable, or
    StripeRefused with Stripe's code.
    """
    checkout = latest(subject)
    if checkout is None or checkout.intent_reference is None:
        raise StripeRefused("nothing_was_paid")  # noqa: EM101
    known = db.one(
        "SELECT count(*) AS n FROM ledger_entries WHERE subject = :subject AND kind = 'refund'",
        subject=subject,
    )
    gateway().refund(checkout.intent_reference, amount, key=f"{subject}:refund:{known.n}")
    return facts_of(checkout, refunds=True)


def adopt(checkout: Checkout, session: str) -> Checkout:
    """Take a session that Stripe knows and our row does not yet (the answer was lost)."""
    with unit_of_work():
        db.run(
            "UPDATE checkouts SET session_reference = :session, "
            "state = CASE WHEN state = 'created' THEN 'open' ELSE state END "
            "WHERE id = :id AND session_reference IS NULL",
            id=checkout.id,
            session=session,
        )
    return find(checkout.id)


def move(
    checkout_id: int, state: str, *, was: tuple[str, ...], facts: PaymentFacts | None = None
) -> None:
    """Move a checkout by compare-and-set, in the open unit of work; what it knows stays known."""
    db.run(
        "UPDATE checkouts SET state = :state, "
        "session_reference = coalesce(session_reference, :session), "
        "intent_reference = coalesce(intent_reference, :intent) "
        "WHERE id = :id AND state = ANY(:was)",
        id=checkout_id,
        state=state,
        was=list(was),
        session=facts.session_reference if facts else None,
        intent=facts.intent_reference if facts else None,
    )
