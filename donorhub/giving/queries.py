"""Reads about gifts, and what must always hold for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from donorhub import matching
from donorhub.giving.rules import PENDING, email_hint, part_matched_in_full
from donorhub.kit import Invariant, Money, by_sql, current_settings, db, now


@dataclass(frozen=True, slots=True)
class Figures:
    """What a campaign has moved so far."""

    raised: Money
    gifts: int
    matched: Money
    percent: int


@dataclass(frozen=True, slots=True)
class Giver:
    """A gift in a public list: the name its donor chose, or none."""

    name: str | None
    amount: Money
    matched: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class GiftView:
    """A gift as its own page tells it."""

    public_id: str
    campaign_id: int
    story_id: int | None
    state: str
    amount: Money
    intended: Money
    fee_cover: Money
    refunded: Money
    matched: Money
    wished: Money
    reduced: Money | None
    hold_until: datetime | None
    checkout_url: str | None
    first_name: str
    is_anonymous: bool
    created_at: datetime
    received_at: datetime | None
    email_hint: str
    can_pay_again: bool

    @property
    def shortfall(self) -> Money:
        """How much less is matched than the rule would give."""
        return (
            self.wished - self.matched
            if self.wished > self.matched
            else Money(0, self.amount.currency)
        )


def figures(campaign_id: int, goal: Money) -> Figures:
    """Return raised (received, net of refunds), gifts and matched of a campaign."""
    row = db.one(
        "SELECT coalesce(sum(raised_minor), 0)::bigint AS raised, "
        "coalesce(sum(gifts), 0)::bigint AS gifts FROM gift_tallies "
        "WHERE campaign_id = :campaign AND currency = :currency",
        campaign=campaign_id,
        currency=goal.currency,
    )
    return Figures(
        raised=Money(row.raised, goal.currency),
        gifts=row.gifts,
        matched=matching.matched_total(campaign_id, goal.currency),
        percent=min(row.raised * 100 // goal.minor, 100),
    )


def latest_givers(campaign_id: int, limit: int = 8) -> list[Giver]:
    """Return the newest received gifts: first name and initial, or nobody's name."""
    found = db.rows(
        "SELECT g.first_name, g.last_name, g.is_anonymous, g.intended_minor, g.currency, "
        "g.received_at, coalesce((SELECT sum(a.amount_minor) FROM match_allocations a "
        "WHERE a.gift_id = g.id AND a.state = 'confirmed'), 0)::bigint AS matched FROM gifts g "
        "WHERE g.campaign_id = :campaign AND g.state = 'received' "
        "ORDER BY g.received_at DESC LIMIT :limit",
        campaign=campaign_id,
        limit=limit,
    )
    return [
        Giver(
            name=None if row.is_anonymous else public_name(row.first_name, row.last_name),
            amount=Money(row.intended_minor, row.currency),
            matched=Money(row.matched, row.currency),
            at=row.received_at,
        )
        for row in found
    ]


def public_name(first_name: str, last_name: str) -> str:
    """Return the name that the public sees: "Maya T."."""
    return f"{first_name} {last_name[:1].upper()}.".strip() if last_name else first_name


def gift_view(public_id: str) -> GiftView | None:
    """Return a gift with its match and its way to pay, or None."""
    row = db.one(
        "SELECT g.*, c.url AS checkout_url, c.state AS checkout_state, "
        "m.reserved, m.confirmed, o.ratio_num, o.ratio_den FROM gifts g "
        "LEFT JOIN match_offers o ON o.id = g.match_offer_id LEFT JOIN LATERAL (SELECT url, state "
        "FROM checkouts WHERE subject = 'gift:' || g.public_id ORDER BY attempt DESC LIMIT 1) c "
        "ON true LEFT JOIN LATERAL (SELECT "
        "coalesce(sum(amount_minor) FILTER (WHERE state = 'reserved'), 0)::bigint AS reserved, "
        "coalesce(sum(amount_minor) FILTER (WHERE state = 'confirmed'), 0)::bigint AS confirmed "
        "FROM match_allocations a WHERE a.gift_id = g.id) m ON true "
        "WHERE g.public_id = :public_id",
        public_id=public_id,
    )
    if row is None:
        return None
    waits = row.state == PENDING

    def amount(minor: int) -> Money:
        return Money(minor, row.currency)

    payable = waits and row.checkout_state == "open" and row.hold_until > now()
    return GiftView(
        public_id=row.public_id,
        campaign_id=row.campaign_id,
        story_id=row.story_id,
        state=row.state,
        amount=amount(row.amount_minor),
        intended=amount(row.intended_minor),
        fee_cover=amount(row.fee_cover_minor),
        refunded=amount(row.refunded_minor),
        matched=amount(row.reserved if waits else row.confirmed),
        wished=amount(row.match_wished_minor),
        reduced=_reduced(row),
        hold_until=row.hold_until if waits else None,
        checkout_url=row.checkout_url if payable else None,
        first_name=row.first_name,
        is_anonymous=row.is_anonymous,
        created_at=row.created_at,
        received_at=row.received_at,
        email_hint=email_hint(row.email),
        can_pay_again=row.state in {"expired", "cancelled"},
    )


def _reduced(row: Any) -> Money | None:
    """What a donor could give instead, matched in full; None if all is, nothing, or too little."""
    if not row.reserved or row.reserved >= row.match_wished_minor:
        return None
    part = part_matched_in_full(
        Money(row.intended_minor, row.currency),
        Money(row.reserved, row.currency),
        ratio_num=row.ratio_num,
        ratio_den=row.ratio_den,
    )
    return part if part.minor >= current_settings().minimum_gift_minor else None


def campaign_of_gift(public_id: str) -> int:
    """Return the id of the campaign a gift was made to."""
    return int(db.one("SELECT campaign_id FROM gifts WHERE public_id = :id", id=public_id)[0])


def gift_state(public_id: str) -> str | None:
    """Return only where a gift stands."""
    row = db.one("SELECT state FROM gifts WHERE public_id = :id", id=public_id)
    return row.state if row else None


def typed_before(public_id: str) -> dict[str, str | bool] | None:
    """Return what a donor had typed for a gift that ended unpaid, so that it is not lost."""
    row = db.one(
        "SELECT intended_minor, currency, first_name, last_name, email, message, is_anonymous, "
        "fee_cover_minor FROM gifts WHERE public_id = :id AND state IN ('expired', 'cancelled')",
        id=public_id,
    )
    if row is None:
        return None
    return {
        "amount": Money(row.intended_minor, row.currency).typed,
        "first_name": row.first_name,
        "last_name": row.last_name,
        "email": row.email,
        "message": row.message,
        "anonymous": row.is_anonymous,
        "cover_fee": row.fee_cover_minor > 0,
    }


def fingerprint() -> str:
    """Return a mark that changes whenever a public figure about gifts changes."""
    row = db.one(
        "SELECT coalesce(string_agg(format('%s:%s:%s:%s', campaign_id, slot, raised_minor, gifts), "
        "',' ORDER BY campaign_id, slot), '') AS mark FROM gift_tallies"
    )
    return str(row.mark)


_LIMIT = (
    "least(least(g.intended_minor, g.amount_minor - g.refunded_minor) * o.ratio_num / o.ratio_den, "
    "coalesce(o.per_gift_cap_minor, 9223372036854775807))"
)


def invariants() -> list[Invariant]:
    """Return the promises about gifts: I3, I6, I7 and I9."""
    return [*_about_match(), *_about_money()]


def _about_match() -> list[Invariant]:
    return [
        by_sql(
            "I3",
            "no gift is matched beyond what its offer's rule gives for what is left of it",
            f"SELECT format('gift %s: %s of %s', g.id, sum(a.amount_minor), {_LIMIT}) FROM gifts g "
            "JOIN match_allocations a ON a.gift_id = g.id AND a.state <> 'released' "
            "JOIN match_offers o ON o.id = a.offer_id GROUP BY g.id, o.id "
            f"HAVING sum(a.amount_minor) > {_LIMIT}",
        ),
        by_sql(
            "I3",
            "only pending gifts hold match, only received gifts keep it",
            "SELECT format('gift %s is %s, its match %s', coalesce(g.id, a.gift_id), g.state, "
            "a.state) FROM match_allocations a LEFT JOIN gifts g ON g.id = a.gift_id "
            "WHERE (a.state = 'reserved' AND g.state IS DISTINCT FROM 'pending') "
            "OR (a.state = 'confirmed' AND g.state IS DISTINCT FROM 'received')",
        ),
        by_sql(
            "I9",
            "nobody who was told what is matched has less, unless that gift went back",
            "SELECT format('gift %s: told %s, has %s', g.id, g.match_promised_minor, "
            "coalesce(sum(a.amount_minor), 0)) FROM gifts g LEFT JOIN match_allocations a "
            "ON a.gift_id = g.id AND a.state = 'confirmed' WHERE g.state = 'received' "
            "AND g.refunded_minor = 0 GROUP BY g.id "
            "HAVING coalesce(sum(a.amount_minor), 0) < g.match_promised_minor",
        ),
    ]


def _about_money() -> list[Invariant]:
    return [
        by_sql(
            "I6",
            "every received gift has its money at Stripe, in full, and no other gift has any",
            "SELECT format('gift %s is %s', g.id, g.state) FROM gifts g LEFT JOIN (SELECT "
            "c.subject, sum(p.amount_minor) AS minor, min(p.currency) AS currency "
            "FROM stripe_payments p JOIN checkouts c ON c.id = p.checkout_id GROUP BY 1) p "
            "ON p.subject = 'gift:' || g.public_id WHERE (g.received_at IS NOT NULL) <> "
            "(p.minor IS NOT NULL) OR p.minor <> g.amount_minor OR p.currency <> g.currency",
        ),
        by_sql(
            "I6",
            "what went back at Stripe went back in the gift",
            "SELECT format('gift %s: %s here, %s there', g.id, g.refunded_minor, least("
            "g.amount_minor, p.refunded_minor + p.lost)) FROM gifts g JOIN checkouts c "
            "ON c.subject = 'gift:' || g.public_id JOIN (SELECT checkout_id, refunded_minor, "
            "CASE WHEN dispute_state = 'lost' THEN disputed_minor ELSE 0 END AS lost "
            "FROM stripe_payments) p ON p.checkout_id = c.id "
            "WHERE g.refunded_minor <> least(g.amount_minor, p.refunded_minor + p.lost)",
        ),
        by_sql(
            "I7",
            "each campaign's figures are the sum of its gifts",
            "SELECT format('campaign %s: %s and %s gifts shown, %s and %s true', "
            "coalesce(t.campaign_id, g.campaign_id), t.raised, t.gifts, g.raised, g.gifts) FROM "
            "(SELECT campaign_id, currency, sum(raised_minor) AS raised, sum(gifts) AS gifts "
            "FROM gift_tallies GROUP BY 1, 2) t FULL JOIN (SELECT campaign_id, currency, "
            "sum(amount_minor - refunded_minor) AS raised, "
            "count(*) FILTER (WHERE state = 'received') AS gifts FROM gifts "
            "WHERE received_at IS NOT NULL GROUP BY 1, 2) g USING (campaign_id, currency) "
            "WHERE coalesce(t.raised, 0) <> coalesce(g.raised, 0) "
            "OR coalesce(t.gifts, 0) <> coalesce(g.gifts, 0)",
        ),
    ]


def due_holds() -> int:
    """Return how many unpaid gifts are past their time."""
    row = db.one(
        "SELECT count(*) AS n FROM gifts WHERE state = 'pending' AND hold_until <= :now", now=now()
    )
    return int(row.n)
