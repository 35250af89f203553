"""The look before paying: what is charged, what is matched, until when, and three ways on."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from donorhub import giving, matching
from donorhub.kit import clock, db
from tests.builders import a_campaign, a_gift, a_match
from tests.builders.giving import cad
from tests.invariants import broken
from tests.site.conftest import GIVE, TOKEN


@pytest.fixture
def campaign(made):
    return made(a_campaign)


@pytest.fixture
def choose(client):
    """Press one of the three buttons."""

    def press(address, choice):
        token = TOKEN.search(client.get(address).text)[1]
        return client.post(address, data={"csrf_token": token, "choice": choice})

    return press


def gift_of(address, made):
    return made(giving.gift_view, address.split("/")[2])


def started(form, **typed):
    answer = form(review="1", **typed)
    assert answer.status_code == 303
    assert answer.location.endswith("/review")
    return answer.location


def test_without_a_script_every_gift_is_shown_before_paying(campaign, form, browse, made):
    made(a_match, campaign)
    address = started(form, amount="50", cover_fee="y")
    words = browse(address).words
    for amount in ("$50.00", "$1.80", "$51.80"):
        assert amount in words
    assert "Your $50 is matched: $100 reaches the work." in words


def test_going_on_leads_to_stripe_with_the_very_amount_that_was_shown(
    campaign, stripe_side, form, choose, made
):
    made(a_match, campaign)
    address = started(form, amount="50", cover_fee="y")
    answer = choose(address, "pay")
    assert answer.status_code == 303
    assert answer.location.startswith(stripe_side.running.url)
    sent = stripe_side.requests("/v1/checkout/sessions")[0]["params"]
    lines = sent["line_items"]
    lines = lines.values() if isinstance(lines, dict) else lines
    assert [int(line["price_data"]["unit_amount"]) for line in lines] == [5000, 180]
    assert "The Alder Fund adds $50 to your $50" in sent["custom_text"]["submit"]["message"]
    assert choose(address, "pay").location == answer.location
    assert gift_of(address, made).amount == cad("51.80")


def test_the_whole_gift_can_be_given_though_only_part_is_matched(
    campaign, stripe_simulator, form, choose, made
):
    made(a_match, campaign, cap="32.10", slots=1)
    address = started(form, amount="50")
    assert choose(address, "pay").status_code == 303
    gift = gift_of(address, made)
    assert (gift.intended, gift.matched) == (cad("50"), cad("32.10"))


@pytest.mark.parametrize(
    ("cap", "more", "amount", "given", "matched"),
    [
        ("32.10", {}, "50", "32.10", "32.10"),
        ("100", {"ratio_num": 3}, "50", "33.34", "100"),
        ("100", {"ratio_num": 3, "ratio_den": 2}, "200", "66.67", "100"),
        ("20", {"ratio_num": 1, "ratio_den": 2}, "100", "40", "20"),
        ("20", {"per_gift_cap": cad("50")}, "1000", "20", "20"),
    ],
)
def test_giving_only_what_is_matched_charges_what_the_button_said(
    campaign, stripe_simulator, form, choose, browse, made, cap, more, amount, given, matched
):
    made(a_match, campaign, cap=cap, slots=1, **more)
    address = started(form, amount=amount, cover_fee="y")
    said = f"Give ${given}, only the part that is matched"
    assert said in browse(address).words
    assert choose(address, "reduce").status_code == 303
    gift = gift_of(address, made)
    assert (gift.intended, gift.matched, gift.shortfall) == (cad(given), cad(matched), cad("0"))
    rule = giving.forms.fee_rule
    assert made(lambda: rule().cover(gift.intended)) == gift.fee_cover
    assert made(broken) == []


def test_a_part_too_small_to_be_given_is_not_offered(campaign, form, choose, browse, made):
    made(a_match, campaign, cap="0.40", slots=1)
    address = started(form, amount="50")
    words = browse(address).words
    assert "only the part that is matched" not in words
    assert "Give $50" in words
    assert choose(address, "reduce").status_code == 422


def test_giving_nothing_frees_the_match_and_keeps_what_was_typed(
    campaign, form, choose, made, browse
):
    made(a_match, campaign, cap="32.10", slots=1)
    address = started(form, amount="50", message="Keep going.")
    answer = choose(address, "cancel")
    assert answer.location.startswith(f"{GIVE}?again=")
    page = browse(answer.location)
    fields = {field.get("name"): field.get("value") for field in page.all("input")}
    assert (fields["first_name"], fields["email"]) == ("Maya", "maya@example.org")
    assert page.texts["textarea"][0].strip() == "Keep going."
    assert made(matching.match_of, campaign, "en").remaining == cad("32.10")


@pytest.mark.parametrize("choice", ["pay", "reduce"])
def test_when_the_hold_has_ended_nobody_is_sent_to_pay(campaign, form, choose, made, choice):
    made(a_match, campaign, cap="32.10", slots=1)
    address = started(form, amount="50")
    with clock.stopped(clock.now() + timedelta(minutes=32)):
        answer = choose(address, choice)
        assert answer.location == f"/gifts/{address.split('/')[2]}/"
        made(giving.expire_holds)
    assert gift_of(address, made).state == "expired"
    assert made(broken) == []


def test_looking_for_a_while_does_not_shorten_the_time_to_pay(
    campaign, stripe_simulator, form, choose, made
):
    made(a_match, campaign)
    address = started(form, amount="50")
    with clock.stopped(clock.now() + timedelta(minutes=20)):
        assert choose(address, "pay").status_code == 303
        left = gift_of(address, made).hold_until - clock.now()
    assert left >= timedelta(minutes=30)


def test_a_choice_nobody_offered_is_refused_with_the_same_page(campaign, form, choose, made):
    address = started(form, amount="50")
    for choice in ("", "refund", "pay "):
        answer = choose(address, choice)
        assert answer.status_code == 422
        assert "Before you pay" in answer.page.words
    assert gift_of(address, made).state == "pending"


def test_a_part_cannot_be_chosen_once_the_payment_page_is_open(
    campaign, stripe_simulator, form, choose, made
):
    made(a_match, campaign, cap="32.10", slots=1)
    address = started(form, amount="50")
    choose(address, "pay")
    assert choose(address, "reduce").location == f"/gifts/{address.split('/')[2]}/"
    assert gift_of(address, made).amount == cad("50")


def test_match_that_is_held_is_promised_though_the_offer_was_paused_meanwhile(
    campaign, stripe_side, form, choose, made
):
    offer = made(a_match, campaign, cap="32.10", slots=1)
    address = started(form, amount="50")
    made(matching.pause_offer, offer)
    assert choose(address, "reduce").status_code == 303
    sent = stripe_side.requests("/v1/checkout/sessions")[0]["params"]
    note = sent["custom_text"]["submit"]["message"]
    assert note.startswith("The Alder Fund adds $32.10 to your $32.10.")
    assert made(broken) == []


@pytest.mark.parametrize("path", ["review", "", "state", "cancelled"])
def test_a_gift_that_does_not_exist_is_nowhere(app, client, path):
    assert client.get(f"/gifts/{'x' * 22}/{path}").status_code == 404


@pytest.mark.parametrize("key", ["", "x", "forged.key.here"])
def test_a_cancel_link_without_its_key_cancels_nothing(
    campaign, stripe_simulator, client, made, key
):
    public_id, other = made(a_gift, campaign), made(a_gift, campaign)
    page = client.get(f"/gifts/{other}/").text
    foreign = page.split("/cancelled?key=")[1].split('"')[0]
    for tried in (key, foreign):
        answer = client.get(f"/gifts/{public_id}/cancelled?key={tried}")
        assert answer.location == f"/gifts/{public_id}/"
    assert made(giving.gift_view, public_id).state == "pending"


def test_fees_of_another_contract_are_what_the_donor_is_asked_to_add(
    campaign, app, form, made, monkeypatch
):
    changed = dataclasses.replace(
        app.extensions["settings"], stripe_fee_percent=Decimal("1.4"), stripe_fee_fixed_minor=25
    )
    monkeypatch.setitem(app.extensions, "settings", changed)
    address = started(form, amount="50", cover_fee="y")
    assert gift_of(address, made).fee_cover == cad("0.96")
    assert made(lambda: db.one("SELECT fee_cover_minor AS f FROM gifts").f) == 96
