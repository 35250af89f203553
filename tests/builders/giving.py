"""Campaigns, matches and gifts for tests."""

from __future__ import annotations

import secrets
from datetime import timedelta

import requests

from donorhub import campaigns, giving, matching, payments
from donorhub.kit import Money, now

CAD = "CAD"


def cad(text: str) -> Money:
    return Money.parse(text, CAD)


def a_campaign(slug: str = "winter-lights", *, ends_in: timedelta | None = None) -> int:
    return campaigns.save_campaign(
        slug,
        texts={"en": campaigns.CampaignText("Winter lights", "Keep the lights on.", "Why.")},
        goal=cad("10000"),
        suggested=[cad("25"), cad("50"), cad("100")],
        starts_at=now() - timedelta(days=2),
        ends_at=now() + ends_in if ends_in else None,
    )


def a_match(campaign_id: int, *, cap: str = "1000", slots: int | None = None, **more) -> int:
    return matching.open_offer(
        matching.OfferWish(
            campaign_id=campaign_id,
            sponsor_names={"en": "The Alder Fund", "fr": "Le Fonds Alder"},
            agreement_reference="A-1",
            terms={"en": "Only with your gift.", "fr": "Seulement avec votre don."},
            cap=cad(cap),
            starts_at=now() - timedelta(days=1),
            ends_at=now() + timedelta(days=10),
            slots=slots,
            **more,
        )
    )


def a_wish(campaign_id: int, *, amount: str = "50", **more) -> giving.GiftWish:
    values = {
        "form_key": secrets.token_hex(8),
        "campaign_id": campaign_id,
        "campaign_title": "Winter lights",
        "story_id": None,
        "intended": cad(amount),
        "fee_cover": Money.zero(CAD),
        "first_name": "Maya",
        "last_name": "Tremblay",
        "email": "maya@example.org",
        "message": "",
        "is_anonymous": False,
        "locale": "en",
        "sender": secrets.token_hex(8),
        "wants_review": False,
    }
    return giving.GiftWish(**(values | more))


def a_gift(campaign_id: int, *, amount: str = "50", **more) -> str:
    """A gift whose Checkout page waits to be paid; its public id."""
    return giving.start_gift(a_wish(campaign_id, amount=amount, **more)).public_id


def pay(simulator, public_id: str) -> payments.PaymentFacts:
    """Let the donor pay on Stripe's page; nothing on our side has heard of it yet."""
    checkout = payments.latest(f"gift:{public_id}")
    answer = requests.post(
        f"{simulator.url}/_sim/checkout/{checkout.session_reference}/pay", json={}, timeout=5
    )
    answer.raise_for_status()
    return payments.read_facts(f"gift:{public_id}")


def a_paid_gift(simulator, campaign_id: int, *, amount: str = "50", **more) -> str:
    public_id = a_gift(campaign_id, amount=amount, **more)
    giving.settle_gift(pay(simulator, public_id))
    return public_id
