"""Reads about Stripe, and what must always hold there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from donorhub.kit import Invariant, by_sql, db


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that needs a person."""

    id: str
    type: str
    received_at: datetime
    reason: str


def parked_events(limit: int = 100) -> list[ParkedEvent]:
    """Return events that could not be acted on, newest first."""
    found = db.rows(
        "SELECT id, type, received_at, reason FROM stripe_events WHERE state = 'parked' "
        "ORDER BY received_at DESC LIMIT :limit",
        limit=limit,
    )
    return [ParkedEvent(*row) for row in found]


def event_state(event_id: str) -> str | None:
    """Return where a kept event stands, or None if it is not kept."""
    row = db.one("SELECT state FROM stripe_events WHERE id = :id", id=event_id)
    return row.state if row else None


def invariants() -> list[Invariant]:
    """Return the promises about money at Stripe (I6) and its events (I7)."""
    return [
        by_sql(
            "I6",
            "the ledger's Stripe balance is what Stripe took, less refunds, disputes and fees",
            "SELECT format('%s: ledger %s, Stripe %s %s', c.subject, coalesce(l.minor, 0), "
            "p.net, p.currency) FROM (SELECT checkout_id, currency, amount_minor "
            "- coalesce(fee_minor, 0) - refunded_minor - disputed_minor - dispute_fee_minor AS net "
            "FROM stripe_payments) p JOIN checkouts c ON c.id = p.checkout_id LEFT JOIN "
            "(SELECT e.subject, s.currency, sum(s.amount_minor) AS minor FROM ledger_entries e "
            "JOIN ledger_postings s ON s.entry_id = e.id WHERE s.account_code = 'stripe-balance' "
            "GROUP BY 1, 2) l ON l.subject = c.subject AND l.currency = p.currency "
            "WHERE coalesce(l.minor, 0) <> p.net",
        ),
        by_sql(
            "I6",
            "no money is in the ledger's Stripe balance that Stripe does not know of",
            "SELECT format('%s: %s', e.subject, sum(s.amount_minor)) FROM ledger_entries e "
            "JOIN ledger_postings s ON s.entry_id = e.id AND s.account_code = 'stripe-balance' "
            "WHERE NOT EXISTS (SELECT FROM checkouts c JOIN stripe_payments p "
            "ON p.checkout_id = c.id WHERE c.subject = e.subject) GROUP BY e.subject",
        ),
        by_sql(
            "I7",
            "every paid checkout has exactly one payment, of its own amount",
            "SELECT format('checkout %s', c.id) FROM checkouts c LEFT JOIN stripe_payments p "
            "ON p.checkout_id = c.id WHERE (c.state = 'paid') <> (p.checkout_id IS NOT NULL) "
            "OR p.amount_minor <> c.amount_minor OR p.currency <> c.currency",
        ),
        by_sql(
            "I7",
            "each event from Stripe is kept once",
            "SELECT format('event %s is kept %s times', id, count(*)) FROM stripe_events "
            "GROUP BY id HAVING count(*) > 1",
        ),
    ]
