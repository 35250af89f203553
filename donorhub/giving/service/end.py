"""Ending gifts that were not paid, and giving back those that were."""

from __future__ import annotations

import structlog

from donorhub import matching, payments
from donorhub.giving.model import locked
from donorhub.giving.rules import CANCELLED, EXPIRED, PENDING, RECEIVED
from donorhub.giving.service.settle import settle_gift
from donorhub.kit import Money, db, now, session, unit_of_work

log = structlog.get_logger()

BATCH = 200
PATIENCE = 3


def end_gift(public_id: str, state: str) -> str | None:
    """End an unpaid gift: its session is expired at Stripe first, then its match is freed.

    A payment that was quicker is received instead. Returns the state the gift is in then.
    Raises StripeUnreachable, with everything still held.
    """
    facts = payments.close_checkout(f"gift:{public_id}")
    if facts is not None:
        return settle_gift(facts, ended_as=state)
    with unit_of_work():
        gift = locked(public_id)
        if gift is None:
            return None
        if gift.state == PENDING:
            gift.end(state)
            matching.release(gift.id, reason=state)
            session.flush()
        return gift.state


def cancel_gift(public_id: str) -> str | None:
    """End a gift because its donor went back."""
    return end_gift(public_id, CANCELLED)


def expire_holds() -> int:
    """End every gift whose time to pay is over, however long ago; return how many ended.

    Stops when Stripe has not answered three times: the next sweep goes on.
    """
    ended = silent = 0
    after = 0
    while True:
        found = db.rows(
            "SELECT id, public_id FROM gifts WHERE state = 'pending' AND hold_until <= :now "
            "AND id > :after ORDER BY id LIMIT :most",
            now=now(),
            after=after,
            most=BATCH,
        )
        for row in found:
            try:
                ended += end_gift(row.public_id, EXPIRED) != PENDING
            except payments.StripeUnreachable:
                log.warning("hold.postponed", gift_id=row.id)
                silent += 1
                if silent == PATIENCE:
                    return ended
            except (payments.StripeRefused, payments.FactsDisagree) as error:
                log.error("hold.needs_a_person", gift_id=row.id, reason=str(error))
        if len(found) < BATCH:
            return ended
        after = found[-1].id


def refund_gift(public_id: str) -> str | None:
    """Give a whole gift back through Stripe, once; return its state.

    Raises StripeUnreachable, or StripeRefused with Stripe's code.
    """
    row = db.one(
        "SELECT amount_minor, refunded_minor, currency, state FROM gifts WHERE public_id = :id",
        id=public_id,
    )
    if row is None or row.state != RECEIVED:
        return row.state if row else None
    left = Money(row.amount_minor - row.refunded_minor, row.currency)
    subject = f"gift:{public_id}"
    facts = payments.request_refund(subject, left)
    return settle_gift(facts)
