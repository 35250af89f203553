"""Gifts that meet on the same rows at the same moment."""

from __future__ import annotations

import requests

from donorhub import giving, payments
from tests.builders import a_campaign, a_gift, a_match
from tests.builders.giving import cad, pay
from tests.invariants import broken
from tests.matching.holding import at_once


def refund_at_stripe(simulator, public_id):
    reference = payments.latest(f"gift:{public_id}").session_reference
    answer = requests.post(f"{simulator.url}/_sim/checkout/{reference}/refund", json={}, timeout=5)
    answer.raise_for_status()
    return payments.read_facts(f"gift:{public_id}")


def test_gifts_that_come_and_gifts_that_go_never_wait_for_each_other_in_a_circle(
    app, context, stripe_simulator, monkeypatch
):
    monkeypatch.setattr("donorhub.giving.model.TALLY_SLOTS", 1)
    campaign = a_campaign()
    a_match(campaign, cap="1000", slots=1)
    gifts = [a_gift(campaign, amount="10") for _ in range(16)]
    facts = {gift: pay(stripe_simulator, gift) for gift in gifts}
    going, coming = gifts[:8], gifts[8:]
    for gift in going:
        giving.settle_gift(facts[gift])
        facts[gift] = refund_at_stripe(stripe_simulator, gift)
    pairs = [gift for pair in zip(going, coming, strict=True) for gift in pair]
    answers = at_once(app, [lambda gift=gift: giving.settle_gift(facts[gift]) for gift in pairs])
    assert answers == ["refunded", "received"] * 8
    found = giving.figures(campaign, cad("10000"))
    assert (found.raised, found.gifts, found.matched) == (cad("80"), 8, cad("80"))
    assert broken() == []
