"""Posting to the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from donorhub.kit import Money, db, session


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry: debit positive, credit negative."""

    account: str
    amount: Money


class Unbalanced(ValueError):
    """The sides of an entry do not sum to zero."""


def post(key: str, *, kind: str, subject: str, at: datetime, postings: Sequence[Posting]) -> bool:
    """Write an entry inside the open unit of work, once per key; tell whether it is new.

    Raises Unbalanced before the database would. Sides of nothing are left out.
    """
    sides = [side for side in postings if side.amount]
    totals: dict[str, int] = {}
    for side in sides:
        currency = side.amount.currency
        totals[currency] = totals.get(currency, 0) + side.amount.minor
    if any(totals.values()):
        message = f"the sides of {kind} do not sum to zero"
        raise Unbalanced(message)
    if not sides:
        return False
    entry = db.one(
        "INSERT INTO ledger_entries (key, kind, subject, occurred_at) "
        "VALUES (:key, :kind, :subject, :at) ON CONFLICT (key) DO NOTHING RETURNING id",
        key=key,
        kind=kind,
        subject=subject,
        at=at,
    )
    if entry is None:
        return False
    session.execute(
        text(
            "INSERT INTO ledger_postings (entry_id, account_code, amount_minor, currency) "
            "VALUES (:entry, :account, :minor, :currency)"
        ),
        [
            {
                "entry": entry.id,
                "account": side.account,
                "minor": side.amount.minor,
                "currency": side.amount.currency,
            }
            for side in sides
        ],
    )
    return True
