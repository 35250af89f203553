"""Reads about match: what a page may promise at this moment, and what must always hold."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from markupsafe import Markup

from donorhub.kit import Invariant, Money, by_sql, db, locales, now, render_markdown
from donorhub.matching.rules import Offer

_OFFER = (
    "SELECT o.id, o.campaign_id, o.sponsor_names, o.ratio_num, o.ratio_den, o.currency, "
    "o.cap_minor, o.per_gift_cap_minor, o.per_donor_cap_minor, o.starts_at, o.ends_at, "
    "(SELECT array_agg(p.id ORDER BY p.id) FROM match_pools p WHERE p.offer_id = o.id) AS pools"
)


@dataclass(frozen=True, slots=True)
class Match:
    """A campaign's match as pages show it."""

    offer: Offer
    state: str
    sponsor: str
    ratio_num: int
    ratio_den: int
    ratio_text: str
    doubles: bool
    cap: Money
    confirmed: Money
    reserved: Money
    remaining: Money
    ends_at: datetime
    per_gift_cap: Money | None
    terms: Markup

    def match_for(self, gift: Money) -> Money:
        """Return what the rule adds to a gift, if so much is left."""
        return self.offer.match_for(gift)

    def becomes(self, gift: Money) -> Money:
        """Return what a gift becomes if it is matched in full."""
        return gift + self.offer.match_for(gift)


def live_offer(campaign_id: int) -> Offer | None:
    """Return the offer that grants match to a campaign at this moment."""
    row = db.one(
        f"{_OFFER} FROM match_offers o WHERE o.campaign_id = :campaign "
        "AND o.state = 'active' AND o.starts_at <= :now AND o.ends_at > :now",
        campaign=campaign_id,
        now=now(),
    )
    return _offer(row) if row else None


def _offer(row: Any) -> Offer:
    names = (field.name for field in fields(Offer) if field.name != "pool_ids")
    return Offer(**{name: getattr(row, name) for name in names}, pool_ids=tuple(row.pools))


def offer_by_id(offer_id: int) -> Offer:
    """Return an offer, also one that grants nothing any more."""
    row = db.one(f"{_OFFER} FROM match_offers o WHERE o.id = :id", id=offer_id)
    return _offer(row)


def match_of(campaign_id: int, locale: str) -> Match | None:
    """Return a campaign's newest match in its present state, or None if it never had one."""
    row = db.one(
        f"{_OFFER}, o.state, o.terms, s.reserved, s.confirmed FROM match_offers o, "
        "LATERAL (SELECT sum(reserved_minor)::bigint AS reserved, sum(confirmed_minor)::bigint "
        "AS confirmed FROM match_pools p WHERE p.offer_id = o.id) s "
        "WHERE o.campaign_id = :campaign ORDER BY o.id DESC LIMIT 1",
        campaign=campaign_id,
    )
    if row is None:
        return None
    offer = _offer(row)
    remaining = offer.cap_minor - row.reserved - row.confirmed

    def amount(minor: int) -> Money:
        return Money(minor, offer.currency)

    return Match(
        offer=offer,
        state=_state(row.state, offer, remaining),
        sponsor=offer.sponsor(locale),
        ratio_num=offer.ratio_num,
        ratio_den=offer.ratio_den,
        ratio_text=f"{offer.ratio_num}:{offer.ratio_den}",
        doubles=offer.ratio_num == offer.ratio_den,
        cap=amount(offer.cap_minor),
        confirmed=amount(row.confirmed),
        reserved=amount(row.reserved),
        remaining=amount(remaining),
        ends_at=offer.ends_at,
        per_gift_cap=amount(offer.per_gift_cap_minor) if offer.per_gift_cap_minor else None,
        terms=render_markdown(locales.text_for(row.terms, locale)[1]),
    )


def _state(stored: str, offer: Offer, remaining: int) -> str:
    moment = now()
    if stored == "ended" or moment >= offer.ends_at:
        return "ended"
    if moment < offer.starts_at:
        return "upcoming"
    if stored == "paused":
        return "paused"
    return "active" if remaining > 0 else "exhausted"


def matched_total(campaign_id: int, currency: str) -> Money:
    """Return all confirmed match of a campaign, whatever offers it came from."""
    row = db.one(
        "SELECT coalesce(sum(p.confirmed_minor), 0)::bigint AS minor FROM match_pools p "
        "JOIN match_offers o ON o.id = p.offer_id "
        "WHERE o.campaign_id = :campaign AND o.currency = :currency",
        campaign=campaign_id,
        currency=currency,
    )
    return Money(row.minor, currency)


def fingerprint() -> str:
    """Return a mark that changes whenever any public figure or state of a match changes.

    It never returns to an earlier value: a page made while match was held for a moment is not
    taken for the page before or after.
    """
    row = db.one(
        "SELECT concat((SELECT max(id) FROM match_journal), ';', "
        "(SELECT string_agg(format('%s:%s:%s', id, reserved_minor, "
        "confirmed_minor), ',' ORDER BY id) FROM match_pools), ';', (SELECT string_agg("
        "format('%s:%s:%s:%s', id, state, extract(epoch FROM updated_at), "
        "(starts_at <= :now)::int + (ends_at <= :now)::int), ',' ORDER BY id) "
        "FROM match_offers)) AS mark",
        now=now(),
    )
    return str(row.mark)


def invariants() -> list[Invariant]:
    """Return the promises about match: I1, I2, I3 (per donor) and I4."""
    return [*_about_pools(), *_about_allocations()]


def _about_pools() -> list[Invariant]:
    return [
        by_sql(
            "I1",
            "no pool is overdrawn: reserved ≥ 0, confirmed ≥ 0, reserved + confirmed ≤ cap",
            "SELECT format('pool %s: reserved %s, confirmed %s, cap %s', id, reserved_minor, "
            "confirmed_minor, cap_minor) FROM match_pools WHERE reserved_minor < 0 "
            "OR confirmed_minor < 0 OR reserved_minor + confirmed_minor > cap_minor",
        ),
        by_sql(
            "I1",
            "the slots of an offer add up to its cap",
            "SELECT format('offer %s', o.id) FROM match_offers o WHERE o.cap_minor <> (SELECT "
            "coalesce(sum(p.cap_minor), 0) FROM match_pools p WHERE p.offer_id = o.id)",
        ),
        by_sql(
            "I2",
            "pool counters are the sums of their allocations",
            "SELECT format('pool %s: counters %s and %s, allocations %s and %s', p.id, "
            "p.reserved_minor, p.confirmed_minor, coalesce(a.r, 0), coalesce(a.c, 0)) "
            "FROM match_pools p LEFT JOIN (SELECT pool_id, "
            "sum(amount_minor) FILTER (WHERE state = 'reserved') AS r, "
            "sum(amount_minor) FILTER (WHERE state = 'confirmed') AS c "
            "FROM match_allocations GROUP BY pool_id) a ON a.pool_id = p.id "
            "WHERE p.reserved_minor <> coalesce(a.r, 0) OR p.confirmed_minor <> coalesce(a.c, 0)",
        ),
        by_sql(
            "I2",
            "pool counters are the fold of the match journal",
            "SELECT format('pool %s', p.id) FROM match_pools p LEFT JOIN (SELECT pool_id, "
            "sum(reserved_change) AS r, sum(confirmed_change) AS c FROM match_journal "
            "GROUP BY pool_id) j ON j.pool_id = p.id WHERE p.reserved_minor <> coalesce(j.r, 0) "
            "OR p.confirmed_minor <> coalesce(j.c, 0)",
        ),
    ]


def _about_allocations() -> list[Invariant]:
    return [
        by_sql(
            "I3",
            "no donor is matched beyond the offer's cap per donor",
            "SELECT format('offer %s: %s', a.offer_id, sum(a.amount_minor)) "
            "FROM match_allocations a JOIN match_offers o ON o.id = a.offer_id "
            "WHERE a.state <> 'released' AND o.per_donor_cap_minor IS NOT NULL "
            "GROUP BY a.offer_id, a.donor, o.per_donor_cap_minor "
            "HAVING sum(a.amount_minor) > o.per_donor_cap_minor",
        ),
        by_sql(
            "I4",
            "every allocation stands where its journal says, each move made once and in order",
            "SELECT format('allocation %s: %s after %s', a.id, a.state, j.moves) "
            "FROM match_allocations a LEFT JOIN (SELECT allocation_id, "
            "array_agg(kind ORDER BY id) AS moves, sum(reserved_change) AS r, "
            "sum(confirmed_change) AS c FROM match_journal GROUP BY allocation_id) j "
            "ON j.allocation_id = a.id WHERE j.moves IS NULL "
            "OR j.moves[array_length(j.moves, 1)] <> a.state "
            "OR j.moves NOT IN (ARRAY['reserved'], ARRAY['reserved', 'confirmed'], "
            "ARRAY['reserved', 'released'], ARRAY['reserved', 'confirmed', 'released'], "
            "ARRAY['confirmed'], ARRAY['confirmed', 'released']) "
            "OR j.r <> CASE a.state WHEN 'reserved' THEN a.amount_minor ELSE 0 END "
            "OR j.c <> CASE a.state WHEN 'confirmed' THEN a.amount_minor ELSE 0 END",
        ),
        by_sql(
            "I4",
            "the ledger's match is the confirmed allocations",
            "SELECT format('%s: ledger %s, confirmed %s', coalesce(l.currency, m.currency), "
            "coalesce(l.minor, 0), coalesce(m.minor, 0)) FROM (SELECT currency, "
            "sum(amount_minor) AS minor FROM ledger_postings WHERE account_code = 'sponsors-owe' "
            "GROUP BY currency) l FULL JOIN (SELECT o.currency, sum(p.confirmed_minor) AS minor "
            "FROM match_pools p JOIN match_offers o ON o.id = p.offer_id GROUP BY o.currency) m "
            "ON m.currency = l.currency WHERE coalesce(l.minor, 0) <> coalesce(m.minor, 0)",
        ),
    ]
