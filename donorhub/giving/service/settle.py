"""Settling a gift: whatever Stripe says happened, once, in any order, however often."""

from __future__ import annotations

from datetime import timedelta

import structlog

from donorhub import donors, mail, matching, payments
from donorhub.giving.events import GiftReceived, GiftRestored, GiftReversed
from donorhub.giving.letters import gift_thanks
from donorhub.giving.model import Gift, locked
from donorhub.giving.rules import ENDED_UNPAID, EXPIRED, PENDING
from donorhub.kit import Money, db, now, publish, session, tokens, unit_of_work

log = structlog.get_logger()

LOOK_AGAIN = timedelta(seconds=2)


def settle_gift(facts: payments.PaymentFacts, *, ended_as: str = EXPIRED) -> str | None:
    """Move a gift forward to where Stripe's facts say it is; return its state.

    Safe to run twice, at once, and in any order: the gift's row is locked, money is posted
    by key, match moves by compare-and-set. Rows are locked in one order (gift, pools, figures),
    so that two gifts never wait for each other in a circle. Raises FactsDisagree and changes
    nothing when amount, currency or mode are not those of our own row.
    """
    with unit_of_work():
        gift = locked(facts.subject.removeprefix("gift:"))
        if gift is None:
            return None
        before = gift.counted
        standing = payments.record(facts)
        if standing is not None:
            _receive(gift)
            _follow(gift, standing)
        elif facts.is_over and gift.state == PENDING:
            gift.end(ended_as)
            matching.release(gift.id, reason=ended_as)
        session.flush()
        gift.count_since(before)
        return gift.state


def _receive(gift: Gift) -> None:
    if gift.state not in (PENDING, *ENDED_UNPAID):
        return
    late = gift.state != PENDING
    matched = _confirm(gift)
    donor_id = donors.remember(
        gift.email, first_name=gift.first_name, last_name=gift.last_name, locale=gift.locale
    )
    gift.receive(donor_id=donor_id, matched=matched)
    mail.queue(gift_thanks(gift))
    publish(GiftReceived(gift.id))
    log.info("gift.received", gift_id=gift.id, late=late)


def _confirm(gift: Gift) -> Money:
    return matching.confirm(
        gift.id,
        campaign_id=gift.campaign_id,
        gift=gift.matchable,
        sender=gift.sender,
        donor=tokens.fingerprint("donor", gift.email.lower()),
    )


def _follow(gift: Gift, standing: payments.Standing) -> None:
    """Let a gift follow its money: refunds and lost disputes, and refunds that came back."""
    gone = min(standing.refunded + standing.lost, gift.amount)
    if gone < gift.refunded:
        _restore(gift, gone)
    elif gone > gift.refunded:
        by_bank = bool(standing.lost) and standing.refunded < gift.amount
        _reverse(gift, gone, by_bank=by_bank)


def _reverse(gift: Gift, gone: Money, *, by_bank: bool) -> None:
    """Refunds and lost disputes, wherever they were started: the whole gift, or part of it."""
    reason = "dispute lost" if by_bank else "refund"
    if gift.give_back(gone, by_bank=by_bank):
        matching.release(gift.id, reason=reason)
    else:
        _match_what_is_left(gift, reason)
    publish(GiftReversed(gift.id))
    log.info("gift.reversed", gift_id=gift.id, by_bank=by_bank)


def _restore(gift: Gift, gone: Money) -> None:
    """A refund failed at the donor's bank: the gift counts again, and is matched if it can be."""
    gift.take_back(gone)
    before = matching.standing(gift.id)["confirmed"]
    matched = before
    with session.begin_nested() as attempt:
        matching.release(gift.id, reason="refund came back")
        again = _confirm(gift).minor
        if again > before:
            matched = again
        else:
            attempt.rollback()
    gift.match_promised_minor = min(matched, gift.match_wished_minor)
    publish(GiftRestored(gift.id))
    log.info("gift.restored", gift_id=gift.id)


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
