"""Reserving, confirming and releasing match.

Every grant is one conditional UPDATE of a pool row that returns what it granted; every
later move is a compare-and-set on the allocation. Counters are never read, changed in
Python and written back. Rows of pools are locked in the order of their ids.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from donorhub import ledger
from donorhub.kit import Money, current_settings, db, now, unit_of_work
from donorhub.matching.queries import live_offer
from donorhub.matching.rules import Offer, allowed_hold, slots_for

log = structlog.get_logger()

_RECORD = """
, made AS (
    INSERT INTO match_allocations
        (gift_id, offer_id, pool_id, amount_minor, state, sender, donor, created_at)
    SELECT :gift, :offer, id, last_grant_minor, 'reserved', :sender, :donor, :now FROM granted
    RETURNING id, pool_id, amount_minor
)
INSERT INTO match_journal
    (key, pool_id, allocation_id, kind, reserved_change, confirmed_change, at)
SELECT 'reserved:' || id, pool_id, id, 'reserved', amount_minor, 0, :now FROM made
RETURNING reserved_change
"""
_WHOLE = (
    """
WITH granted AS (
    UPDATE match_pools SET reserved_minor = reserved_minor + :want, last_grant_minor = :want
    WHERE id = :pool AND cap_minor - reserved_minor - confirmed_minor >= :want
    RETURNING id, last_grant_minor
)"""
    + _RECORD
)
_WHATEVER_IS_LEFT = (
    """
WITH granted AS (
    UPDATE match_pools SET
        last_grant_minor = least(:want, cap_minor - reserved_minor - confirmed_minor),
        reserved_minor = reserved_minor
            + least(:want, cap_minor - reserved_minor - confirmed_minor)
    WHERE id = :pool AND cap_minor - reserved_minor - confirmed_minor > 0
    RETURNING id, last_grant_minor
)"""
    + _RECORD
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What was reserved for a gift, of what its rule would give."""

    offer: Offer | None
    wished: Money
    granted: Money
    is_share_limited: bool = False


@dataclass(frozen=True, slots=True)
class OfferWish:
    """A sponsor's dated commitment for a campaign."""

    campaign_id: int
    sponsor_names: Mapping[str, str]
    agreement_reference: str
    terms: Mapping[str, str]
    cap: Money
    starts_at: datetime
    ends_at: datetime
    ratio_num: int = 1
    ratio_den: int = 1
    per_gift_cap: Money | None = None
    per_donor_cap: Money | None = None
    slots: int | None = None


def open_offer(wish: OfferWish) -> int:
    """Start matching for a campaign and return the offer's id; one runs at a time.

    An offer whose time is over makes room by itself; `end_offer` ends one before its time.
    """
    slots = wish.slots or slots_for(wish.cap)
    with unit_of_work():
        db.run(
            "UPDATE match_offers SET state = 'ended', updated_at = :now "
            "WHERE campaign_id = :campaign AND state <> 'ended' AND ends_at <= :now",
            campaign=wish.campaign_id,
            now=now(),
        )
        row = db.one(
            "INSERT INTO match_offers (campaign_id, sponsor_names, agreement_reference, "
            "is_contingent, terms, ratio_num, ratio_den, currency, cap_minor, per_gift_cap_minor, "
            "per_donor_cap_minor, state, starts_at, ends_at, updated_at) VALUES (:campaign_id, "
            "cast(:sponsor AS jsonb), :agreement, true, cast(:terms AS jsonb), :num, :den, "
            ":currency, :cap, "
            ":per_gift, :per_donor, 'active', :starts_at, :ends_at, :now) RETURNING id",
            campaign_id=wish.campaign_id,
            sponsor=json.dumps(dict(wish.sponsor_names)),
            agreement=wish.agreement_reference,
            terms=json.dumps(dict(wish.terms)),
            num=wish.ratio_num,
            den=wish.ratio_den,
            currency=wish.cap.currency,
            cap=wish.cap.minor,
            per_gift=wish.per_gift_cap.minor if wish.per_gift_cap else None,
            per_donor=wish.per_donor_cap.minor if wish.per_donor_cap else None,
            starts_at=wish.starts_at,
            ends_at=wish.ends_at,
            now=now(),
        )
        for slot, part in enumerate(wish.cap.split([1] * slots)):
            db.run(
                "INSERT INTO match_pools (offer_id, slot, cap_minor) VALUES (:offer, :slot, :cap)",
                offer=row.id,
                slot=slot,
                cap=part.minor,
            )
    return int(row.id)


def pause_offer(offer_id: int, *, paused: bool = True) -> bool:
    """Stop or resume granting; what is reserved stays reserved."""
    with unit_of_work():
        moved = db.run(
            "UPDATE match_offers SET state = :state, updated_at = :now "
            "WHERE id = :id AND state <> 'ended'",
            id=offer_id,
            state="paused" if paused else "active",
            now=now(),
        )
    return moved == 1


def end_offer(offer_id: int) -> bool:
    """End an offer for good; what is reserved or confirmed keeps its match."""
    with unit_of_work():
        moved = db.run(
            "UPDATE match_offers SET state = 'ended', updated_at = :now "
            "WHERE id = :id AND state <> 'ended'",
            id=offer_id,
            now=now(),
        )
    return moved == 1


def reserve(  # noqa: PLR0913 - keyword-only, each a fact of the gift
    gift_id: int,
    *,
    campaign_id: int,
    gift: Money,
    sender: str,
    donor: str,
    is_paid: bool = False,
) -> Grant:
    """Reserve match for a new gift, inside the open unit of work; never more than is left.

    Before it answers "none" or "partly", it has swept every slot in order. ``gift`` is the
    intended gift, without what the donor adds for the fee. One sender may hold only a share
    of the pool unpaid; a gift that is paid already is not asked for it.
    """
    offer = live_offer(campaign_id)
    if offer is None:
        nothing = Money.zero(gift.currency)
        return Grant(None, nothing, nothing)
    wished = offer.match_for(gift)
    want = _donor_may(offer, wished.minor, donor)
    if not is_paid and current_settings().abuse_limits:
        want = _sender_may(offer, want, sender)
    granted = _take(offer, gift_id, want, sender=sender, donor=donor) if want else 0
    return Grant(
        offer,
        wished,
        Money(granted, gift.currency),
        is_share_limited=granted == want < wished.minor,
    )


def _donor_may(offer: Offer, want: int, donor: str) -> int:
    """Lower a wish to what the offer's cap per donor leaves."""
    if offer.per_donor_cap_minor is None:
        return want
    _queue_up(f"{offer.id}:donor:{donor}")
    used = db.one(
        "SELECT coalesce(sum(amount_minor), 0)::bigint AS minor FROM match_allocations "
        "WHERE offer_id = :offer AND donor = :donor AND state <> 'released'",
        offer=offer.id,
        donor=donor,
    )
    return max(min(want, offer.per_donor_cap_minor - used.minor), 0)


def _sender_may(offer: Offer, want: int, sender: str) -> int:
    """Lower a wish to the share of the pool that one sender may hold unpaid."""
    _queue_up(f"{offer.id}:sender:{sender}")
    state = db.one(
        "SELECT (SELECT coalesce(sum(cap_minor - confirmed_minor), 0)::bigint FROM match_pools "
        "WHERE offer_id = :offer) AS unconfirmed, (SELECT coalesce(sum(amount_minor), 0)::bigint "
        "FROM match_allocations WHERE offer_id = :offer AND sender = :sender "
        "AND state = 'reserved') AS held",
        offer=offer.id,
        sender=sender,
    )
    share = current_settings().match_hold_share
    return min(
        want,
        allowed_hold(unconfirmed_minor=state.unconfirmed, held_minor=state.held, share=share),
    )


def _queue_up(name: str) -> None:
    """Let transactions about the same person pass one at a time; gone at commit."""
    db.one("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", name=name)


def _take(offer: Offer, gift_id: int, want: int, *, sender: str, donor: str) -> int:
    values = {"gift": gift_id, "offer": offer.id, "sender": sender, "donor": donor, "now": now()}
    first = offer.pool_ids[gift_id % len(offer.pool_ids)]
    # PostgreSQL keeps a row locked that it waited for, even if the row is then too poor. The
    # sweep begins at the first slot again, so that lock must go: two could wait in a circle.
    # In plain SQL, for every matched gift pays for it, and never released: the commit does that.
    db.run("SAVEPOINT whole")
    if db.one(_WHOLE, pool=first, want=want, **values):
        return want
    db.run("ROLLBACK TO SAVEPOINT whole")
    granted = 0
    for pool in offer.pool_ids:
        row = db.one(_WHATEVER_IS_LEFT, pool=pool, want=want - granted, **values)
        granted += row.reserved_change if row else 0
        if granted == want:
            break
    return granted


def confirm(gift_id: int, *, campaign_id: int, gift: Money, sender: str, donor: str) -> Money:
    """Confirm what was reserved for a gift that has been paid; return what is matched.

    A payment that came after its hold was released tries to reserve again, up to its rule,
    and takes what there is. Runs inside the open unit of work; repeating it changes nothing.
    """
    state = standing(gift_id)
    if not state["reserved"] and not state["confirmed"] and state["released"]:
        reserve(
            gift_id,
            campaign_id=campaign_id,
            gift=gift,
            sender=sender,
            donor=donor,
            is_paid=True,
        )
    _move(gift_id, was="reserved", to="confirmed", reason=None)
    return Money(standing(gift_id)["confirmed"], gift.currency)


def release(gift_id: int, *, reason: str) -> int:
    """Give a gift's match back to its pool, inside the open unit of work; once only."""
    freed = _move(gift_id, was="reserved", to="released", reason=reason)
    return freed + _move(gift_id, was="confirmed", to="released", reason=reason)


def keep_at_most(gift_id: int, most: Money, *, reason: str) -> Money:
    """After a partial refund, keep only the match of what is left; return what is kept."""
    found = db.rows(
        "SELECT id, offer_id, pool_id, amount_minor, sender, donor FROM match_allocations "
        "WHERE gift_id = :gift AND state = 'confirmed' ORDER BY pool_id FOR UPDATE",
        gift=gift_id,
    )
    total = sum(row.amount_minor for row in found)
    if total <= most.minor:
        return Money(total, most.currency)
    _move(gift_id, was="confirmed", to="released", reason=reason)
    left = most.minor
    for row in found:
        kept = min(left, row.amount_minor)
        left -= kept
        if kept:
            _confirm_again(gift_id, row, Money(kept, most.currency))
    return Money(most.minor - left, most.currency)


def _confirm_again(gift_id: int, row, kept: Money) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    made = db.one(
        "WITH made AS (INSERT INTO match_allocations (gift_id, offer_id, pool_id, amount_minor, "
        "state, sender, donor, created_at) VALUES (:gift, :offer, :pool, :kept, 'confirmed', "
        ":sender, :donor, :now) RETURNING id), counted AS (UPDATE match_pools SET "
        "confirmed_minor = confirmed_minor + :kept WHERE id = :pool) "
        "INSERT INTO match_journal (key, pool_id, allocation_id, kind, reserved_change, "
        "confirmed_change, at) SELECT 'confirmed:' || id, :pool, id, 'confirmed', 0, :kept, :now "
        "FROM made RETURNING allocation_id",
        gift=gift_id,
        offer=row.offer_id,
        pool=row.pool_id,
        kept=kept.minor,
        sender=row.sender,
        donor=row.donor,
        now=now(),
    )
    _post(made.allocation_id, gift_id, kept, was="reserved", to="confirmed")


def standing(gift_id: int) -> dict[str, int]:
    """Return how much of a gift's match is reserved, confirmed and released, in minor units."""
    found = db.rows(
        "SELECT state, sum(amount_minor)::bigint AS minor FROM match_allocations "
        "WHERE gift_id = :gift GROUP BY state",
        gift=gift_id,
    )
    return {"reserved": 0, "confirmed": 0, "released": 0} | {row.state: row.minor for row in found}


def _move(gift_id: int, *, was: str, to: str, reason: str | None) -> int:
    """Move a gift's allocations by compare-and-set, their pools and journal with them."""
    db.rows(
        "SELECT id FROM match_pools WHERE id IN (SELECT pool_id FROM match_allocations "
        "WHERE gift_id = :gift AND state = :was) ORDER BY id FOR UPDATE",
        gift=gift_id,
        was=was,
    )
    moved = db.rows(
        "UPDATE match_allocations SET state = :to, reason = :reason, moved_at = :now "
        "WHERE gift_id = :gift AND state = :was "
        "RETURNING id, pool_id, amount_minor, (SELECT currency FROM match_offers o "
        "WHERE o.id = offer_id) AS currency",
        gift=gift_id,
        was=was,
        to=to,
        reason=reason,
        now=now(),
    )
    for row in moved:
        reserved = -row.amount_minor if was == "reserved" else 0
        confirmed = row.amount_minor * ((to == "confirmed") - (was == "confirmed"))
        db.run(
            "WITH counted AS (UPDATE match_pools SET reserved_minor = reserved_minor + :reserved, "
            "confirmed_minor = confirmed_minor + :confirmed WHERE id = :pool) "
            "INSERT INTO match_journal (key, pool_id, allocation_id, kind, reserved_change, "
            "confirmed_change, at) VALUES (:key, :pool, :id, :kind, :reserved, :confirmed, :now)",
            reserved=reserved,
            confirmed=confirmed,
            pool=row.pool_id,
            key=f"{to}:{row.id}",
            id=row.id,
            kind=to,
            now=now(),
        )
        _post(row.id, gift_id, Money(row.amount_minor, row.currency), was=was, to=to)
    return sum(row.amount_minor for row in moved)


def _post(allocation_id: int, gift_id: int, amount: Money, *, was: str, to: str) -> None:
    """Write earned match, and match lost again, into the ledger."""
    if "confirmed" not in (was, to):
        return
    sign = 1 if to == "confirmed" else -1
    owed = Money(sign * amount.minor, amount.currency)
    earned = Money(-sign * amount.minor, amount.currency)
    ledger.post(
        f"match:{allocation_id}:{to}",
        kind=f"match-{to}",
        subject=f"match-of-gift:{gift_id}",
        at=now(),
        postings=[ledger.Posting("sponsors-owe", owed), ledger.Posting("match-earned", earned)],
    )
