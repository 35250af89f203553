"""Gifts: once, paid through Stripe, matched, thanked for, and given back."""

from donorhub.giving import jobs, letters
from donorhub.giving.cli import giving_group
from donorhub.giving.events import GiftReceived, GiftRestored, GiftReversed
from donorhub.giving.model import Gift
from donorhub.giving.queries import (
    Figures,
    GiftView,
    Giver,
    figures,
    fingerprint,
    gift_view,
    invariants,
    latest_givers,
)
from donorhub.giving.rules import GiftWish
from donorhub.giving.service import (
    cancel_gift,
    expire_holds,
    refresh_gift,
    refund_gift,
    settle_gift,
    start_gift,
    write_gift,
)
from donorhub.giving.views import blueprint, give_submit_again, review_submit_again, share_links

__all__ = [
    "Figures",
    "Gift",
    "GiftReceived",
    "GiftRestored",
    "GiftReversed",
    "GiftView",
    "GiftWish",
    "Giver",
    "blueprint",
    "cancel_gift",
    "expire_holds",
    "figures",
    "fingerprint",
    "gift_view",
    "give_submit_again",
    "giving_group",
    "invariants",
    "jobs",
    "latest_givers",
    "letters",
    "refresh_gift",
    "refund_gift",
    "review_submit_again",
    "settle_gift",
    "share_links",
    "start_gift",
    "write_gift",
]
