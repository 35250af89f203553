"""Settling a gift: whatever Stripe says happened, once, in any order, however often."""

from __future__ import annotations

from datetime import timedelta

import structlog

from donorhub import donors, mail, matching, payments
from donorhub.giving.events import GiftReceived, GiftReversed
from donorhub.giving.letters import gift_thanks
from donorhub.giving.model import Gift, locked
from donorhub.giving.rules import ENDED_UNPAID, EXPIRED, PENDING, RECEIVED
from donorhub.kit import Money, db, now, publish, session, tokens, unit_of_work

log = structlog.get_logger()

LOOK_AGAIN = timedelta(seconds=2)


def settle_gift(facts: payments.PaymentFacts, *, ended_as: str = EXPIRED) -> str | None:
    """Move a gift forward to where Stripe's facts say it is; return its state.

    Safe to run twice, at once, and in any order: the gift's row is locked, money is posted
    by key, match moves by compare-and-set. Raises FactsDisagree and changes nothing when
    amount, currency or mode are not those of our own row.
    """
    with unit_of_work():
        gift = locked(facts.subject.removeprefix("gift:"))
        if gift is None:
            return None
        payments.record(facts)
        if facts.is_paid:
            _receive(gift)
            _reverse(gift, facts)
        elif facts.is_over and gift.state == PENDING:
            gift.end(ended_as)
            matching.release(gift.id, reason=ended_as)
        session.flush()
        return gift.state


def _receive(gift: Gift) -> None:
    if gift.state not in (PENDING, *ENDED_UNPAID):
        return
    late = gift.state != PENDING
    matched = matching.confirm(
        gift.id,
        campaign_id=gift.campaign_id,
        gift=gift.intended,
        sender=gift.sender,
        donor=tokens.fingerprint("donor", gift.email.lower()),
    )
    donor_id = donors.remember(
        gift.email, first_name=gift.first_name, last_name=gift.last_name, locale=gift.locale
    )
    gift.receive(donor_id=donor_id, matched=matched)
    mail.queue(gift_thanks(gift))
    publish(GiftReceived(gift.id))
    log.info("gift.received", gift_id=gift.id, late=late)


def _reverse(gift: Gift, facts: payments.PaymentFacts) -> None:
    """Refunds and lost disputes, wherever they were started: the whole gift, or part of it."""
    gone = min(facts.refunded + facts.lost, gift.amount)
    if gift.state != RECEIVED or gone <= gift.refunded:
        return
    by_bank = bool(facts.lost) and facts.refunded < gift.amount
    reason = "dispute lost" if by_bank else "refund"
    if gift.give_back(gone, by_bank=by_bank):
        matching.release(gift.id, reason=reason)
    else:
        _match_what_is_left(gift, reason)
    publish(GiftReversed(gift.id))
    log.info("gift.reversed", gift_id=gift.id, by_bank=by_bank)


def _match_what_is_left(gift: Gift, reason: str) -> None:
    row = db.one(
        "SELECT ratio_num, ratio_den FROM match_offers WHERE id = :id", id=gift.match_offer_id
    )
    if row is None:
        return
    most = gift.matchable.minor * row.ratio_num // row.ratio_den
    matching.keep_at_most(gift.id, Money(most, gift.currency), reason=reason)


def refresh_gift(public_id: str) -> None:
    """Ask Stripe about a gift that still waits, at most every two seconds, and settle it.

    The return page calls this, so that a donor who comes back before the webhook sees the
    truth. Raises StripeUnreachable.
    """
    with unit_of_work():
        asked = db.run(
            "UPDATE gifts SET checked_at = :now WHERE public_id = :id AND state = 'pending' "
            "AND (checked_at IS NULL OR checked_at < :before)",
            id=public_id,
            now=now(),
            before=now() - LOOK_AGAIN,
        )
    if not asked:
        return
    facts = payments.read_facts(f"gift:{public_id}")
    if facts is not None:
        settle_gift(facts)
