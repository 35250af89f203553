"""Stripe down, slow, refusing, or silent after it acted: the page keeps what was typed."""

from __future__ import annotations

import dataclasses
import re
import time

import pytest

from donorhub import campaigns, giving
from donorhub.kit import db
from tests.builders import a_campaign, a_gift, a_match
from tests.builders.giving import cad, pay
from tests.invariants import broken
from tests.site.conftest import FORM_KEY, GIVE, TOKEN

TYPED = {
    "amount": "61.23", "first_name": "Zoë", "last_name": "O’Neil", "email": "zoe@example.org",
    "message": "Keep going.", "cover_fee": "y", "anonymous": "y",
}  # fmt: skip
TROUBLE = [
    {"down": True}, {"error_rate": 1}, {"rate_limit_rate": 1}, {"lose_answers": 1},
    {"rate_limit_rate": 1, "rate_limit_should_retry": True},
]  # fmt: skip


@pytest.fixture
def matched(made):
    def build():
        found = a_campaign()
        a_match(found, slots=2)
        return found

    return made(build)


def rows(made, sql):
    return made(lambda: db.rows(sql))


def once_more(client, page):
    """Send what stands in the page, as pressing its button again does."""
    values = {field["name"]: field.get("value", "") for field in page.all("input")
              if field.get("name") and (field.get("type") != "checkbox" or "checked" in field)
              and field.get("type") != "radio"}  # fmt: skip
    values["message"] = page.texts["textarea"][0].strip()
    return client.post(GIVE, data=values)


@pytest.mark.parametrize("trouble", TROUBLE, ids="-".join)
def test_the_page_keeps_what_was_typed_and_sent_again_it_is_one_gift_and_one_session(
    matched, stripe_side, quick, form, client, made, trouble
):
    stripe_side.behave(**trouble)
    answer = form(**TYPED)
    assert answer.status_code == 503
    assert "You have not been charged" in answer.page.words
    shown = {field.get("name"): field for field in answer.page.all("input")}
    for name in ("amount", "first_name", "last_name", "email"):
        assert shown[name]["value"] == TYPED[name]
    assert all("checked" in shown[name] for name in ("cover_fee", "anonymous"))
    assert answer.page.texts["textarea"][0].strip() == "Keep going."

    stripe_side.behave(reset=True)
    again = once_more(client, answer.page)
    assert again.status_code == 303
    assert again.location.startswith(stripe_side.running.url)
    gifts = rows(made, "SELECT intended_minor, state FROM gifts")
    assert [(row.intended_minor, row.state) for row in gifts] == [(6123, "pending")]
    assert len(stripe_side.running.client.v1.checkout.sessions.list({"limit": 10}).data) == 1
    assert made(broken) == []


def test_a_stripe_that_is_slow_holds_nobody_else_up_and_loses_nothing(
    matched, stripe_side, impatient, form, client, made
):
    stripe_side.behave(latency_ms=500)
    answer = form(**TYPED)
    assert answer.status_code == 503
    stripe_side.behave(reset=True)
    time.sleep(0.6)
    assert once_more(client, answer.page).status_code == 303
    assert len(rows(made, "SELECT id FROM gifts")) == 1
    assert len(stripe_side.running.client.v1.checkout.sessions.list({"limit": 10}).data) == 1


def test_what_stripe_refuses_is_said_and_frees_its_match_at_once(
    app, matched, stripe_side, form, made, monkeypatch
):
    lower = dataclasses.replace(app.extensions["settings"], minimum_gift_minor=1)
    monkeypatch.setitem(app.extensions, "settings", lower)
    answer = form(**(TYPED | {"amount": "0.20", "cover_fee": None}))
    assert answer.status_code == 422
    assert "You have not been charged" in answer.page.words
    assert rows(made, "SELECT state FROM gifts")[0].state == "cancelled"
    assert rows(made, "SELECT sum(reserved_minor) AS held FROM match_pools")[0].held == 0
    assert made(broken) == []


def test_the_return_page_waits_in_peace_while_stripe_is_silent(
    matched, stripe_side, quick, browse, made
):
    public_id = made(a_gift, matched)
    made(pay, stripe_side.running, public_id)
    stripe_side.behave(down=True)
    page = browse(f"/gifts/{public_id}/")
    assert "not confirmed yet" in page.words
    stripe_side.behave(reset=True)
    made(lambda: (db.run("UPDATE gifts SET checked_at = NULL"), db.session.commit()))
    assert "Thank you" in browse(f"/gifts/{public_id}/").words


def test_a_donor_who_turns_back_while_stripe_is_silent_keeps_the_hold_until_the_sweep(
    matched, stripe_side, quick, client, made
):
    public_id = made(a_gift, matched)
    page = client.get(f"/gifts/{public_id}/").text
    link = re.search(r'href="(/gifts/[^"]+/cancelled\?key=[^"]+)"', page)[1]
    stripe_side.behave(down=True)
    assert client.get(link).location == f"/gifts/{public_id}/"
    assert made(giving.gift_view, public_id).matched == cad("50")
    stripe_side.behave(reset=True)
    assert "/give?again=" in client.get(link).location
    assert made(giving.gift_view, public_id).matched == cad("0")
    assert made(broken) == []


def test_a_gift_to_a_campaign_that_ended_while_it_was_paid_is_received_with_its_match(
    matched, stripe_side, browse, made
):
    public_id = made(a_gift, matched)
    made(campaigns.end_campaign, "winter-lights")
    made(pay, stripe_side.running, public_id)
    page = browse(f"/gifts/{public_id}/")
    assert "Thank you, Maya" in page.words
    gift = made(giving.gift_view, public_id)
    assert (gift.state, gift.matched) == ("received", cad("50"))
    assert made(broken) == []


def test_a_form_sent_after_the_campaign_ended_charges_nobody_and_says_so(
    matched, stripe_side, client, made
):
    page = client.get(GIVE).text
    made(campaigns.end_campaign, "winter-lights")
    keys = {"csrf_token": TOKEN.search(page)[1], "form_key": FORM_KEY.search(page)[1]}
    answer = client.post(GIVE, data=TYPED | keys)
    assert answer.status_code == 422
    assert "has just ended" in answer.page.words
    assert rows(made, "SELECT id FROM gifts") == []


def test_a_pool_emptied_while_the_form_was_open_is_said_before_anybody_pays(
    matched, stripe_side, form, browse, made
):
    made(a_gift, matched, amount="975")
    answer = form(amount="50")
    assert answer.status_code == 303
    assert answer.location.endswith("/review")
    page = browse(answer.location)
    assert "Only $25 of the match is left, so $25 of your $50 will be matched." in page.words
    assert stripe_side.requests("/v1/checkout/sessions")[1:] == []


def test_a_pool_emptied_while_somebody_pays_never_takes_what_they_were_told(
    matched, stripe_side, made
):
    public_id = made(a_gift, matched, amount="600")
    made(a_gift, matched, amount="400")
    assert made(giving.gift_view, public_id).shortfall == cad("0")
    made(lambda: giving.settle_gift(pay(stripe_side.running, public_id)))
    assert made(giving.gift_view, public_id).matched == cad("600")
    assert made(broken) == []
