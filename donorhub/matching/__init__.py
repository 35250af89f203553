"""Sponsors' offers, pools and reservations; a gift is known here only by its id."""

from donorhub.matching.queries import (
    Match,
    fingerprint,
    invariants,
    live_offer,
    match_of,
    matched_total,
    offer_by_id,
)
from donorhub.matching.rules import Offer
from donorhub.matching.service import (
    Grant,
    OfferWish,
    confirm,
    end_offer,
    keep_at_most,
    open_offer,
    pause_offer,
    release,
    reserve,
    standing,
)

__all__ = [
    "Grant",
    "Match",
    "Offer",
    "OfferWish",
    "confirm",
    "end_offer",
    "fingerprint",
    "invariants",
    "keep_at_most",
    "live_offer",
    "match_of",
    "matched_total",
    "offer_by_id",
    "open_offer",
    "pause_offer",
    "release",
    "reserve",
    "standing",
]
