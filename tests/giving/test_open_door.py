"""The open doors of giving: the public figures as JSON, and how often one may knock."""

from __future__ import annotations

from datetime import datetime, timedelta

import jsonschema
import pytest

from donorhub import giving, matching
from donorhub.giving.rules import email_hint, needs_review, sender_of
from donorhub.kit import Money, clock, db
from tests.builders import a_campaign, a_gift, a_match, a_paid_gift, a_wish
from tests.builders.giving import cad
from tests.site.conftest import FORM_KEY, GIVE, TOKEN

API = "/api/campaigns/winter-lights"


@pytest.fixture
def campaign(made):
    return made(a_campaign)


@pytest.fixture
def knock(client):
    """Send the form as a person would who took three seconds; from an address, for an e-mail."""
    with clock.stopped() as stopped:
        page = client.get(GIVE).text
        keys = {"csrf_token": TOKEN.search(page)[1], "form_key": FORM_KEY.search(page)[1]}
        stopped.advance(seconds=3)
    person = {"amount": "5", "first_name": "A", "last_name": "B", "frequency": "once"}

    def send(*, email="a@example.org", address="192.0.2.1", **changes):
        data = keys | person | {"email": email} | changes
        return client.post(GIVE, data=data, environ_base={"REMOTE_ADDR": address})

    return send


def test_the_figures_are_open_to_everybody_and_fit_their_specification(
    stripe_simulator, campaign, client, made
):
    schema = client.get("/api/openapi.json").json["paths"]["/api/campaigns/{slug}"]["get"]
    schema = schema["responses"]["200"]["content"]["application/json"]["schema"]
    plain = client.get(API)
    jsonschema.validate(plain.json, schema)
    assert plain.json["match"] is None
    assert plain.headers["Access-Control-Allow-Origin"] == "*"

    made(a_match, campaign, cap="100", slots=1)
    made(a_paid_gift, stripe_simulator, campaign, amount="50")
    made(a_gift, campaign, amount="20")
    found = client.get(API).json
    jsonschema.validate(found, schema)
    assert (found["raised_minor"], found["matched_minor"], found["gifts"]) == (5000, 5000, 1)
    match = found["match"]
    assert (match["state"], match["ratio"]) == ("active", "1:1")
    parts = (match["cap_minor"], match["confirmed_minor"], match["reserved_minor"])
    assert (*parts, match["remaining_minor"]) == (10_000, 5000, 2000, 3000)
    assert datetime.fromisoformat(found["as_of"]).utcoffset() == timedelta(0)


def test_figures_of_nothing_are_not_found_and_tell_no_names(app, client):
    assert client.get("/api/campaigns/nothing").status_code == 404


def test_refunds_leave_the_figures(stripe_simulator, campaign, client, made):
    public_id = made(a_paid_gift, stripe_simulator, campaign, amount="50")
    made(giving.refund_gift, public_id)
    found = client.get(API).json
    assert (found["raised_minor"], found["gifts"]) == (0, 0)


def test_a_form_sent_faster_than_people_type_is_refused_and_taken_the_second_time(
    campaign, strict, stripe_simulator, form, client
):
    answer = form()
    assert answer.status_code == 422
    assert "faster than people type" in answer.page.words


def test_the_trap_catches_programs(campaign, strict, stripe_simulator, knock, made):
    assert knock(website="https://spam.example").status_code == 422
    assert made(lambda: db.one("SELECT count(*) AS n FROM gifts").n) == 0


def test_one_address_may_knock_forty_times_whoever_it_says_it_is(campaign, strict, client, knock):
    answers = [knock(email=f"p{n}@example.org", amount="no").status_code for n in range(41)]
    assert answers == [422] * 40 + [429]
    assert knock(email="x@example.org", amount="no", address="192.0.2.2").status_code == 422


def test_one_e_mail_may_knock_ten_times_from_wherever(campaign, strict, client, knock):
    answers = [knock(amount="no", address=f"192.0.2.{n}") for n in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert "Wait a few minutes" in answers[-1].page.words
    assert knock(email="A@Example.org ", amount="no").status_code == 429


def test_a_hall_of_people_at_one_address_can_all_look_before_they_pay(
    campaign, strict, stripe_simulator, client, made
):
    gifts = [
        made(a_gift, campaign, email=f"p{n}@example.org", wants_review=True) for n in range(15)
    ]
    token = TOKEN.search(client.get(f"/gifts/{gifts[0]}/review").text)[1]
    answers = [
        client.post(f"/gifts/{gift}/review", data={"csrf_token": token, "choice": "pay"})
        for gift in gifts
    ]
    assert [answer.status_code for answer in answers] == [303] * 15


def test_nothing_is_counted_where_limits_are_off(campaign, client, knock, made):
    for _ in range(45):
        assert knock(amount="no").status_code == 422
    assert made(lambda: db.one("SELECT count(*) AS n FROM rate_limits").n) == 0


def test_counts_know_nobody(campaign, strict, knock, made):
    knock(amount="no")
    keys = made(lambda: [row.key for row in db.rows("SELECT key FROM rate_limits")])
    assert keys
    assert not any("example.org" in key or "192.0.2" in key for key in keys)


def test_one_senders_unpaid_gifts_leave_most_of_the_match_to_others(
    campaign, strict, stripe_simulator, made
):
    made(a_match, campaign, cap="100", slots=1)
    held = [made(a_gift, campaign, amount="20", sender="one") for _ in range(3)]
    views = [made(giving.gift_view, gift).matched.minor for gift in held]
    assert views == [2000, 500, 0]
    assert made(matching.match_of, campaign, "en").remaining == cad("75")


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"), ("unknown", "unknown"), ("", "unknown"),
        ("::ffff:192.0.2.7", "192.0.2.7"), ("192.0.2.7, 10.0.0.1", "unknown"),
    ],
)  # fmt: skip
def test_a_sender_is_an_address_or_a_home_network(address, sender):
    assert sender_of(address).removesuffix("/32") == sender


@pytest.mark.parametrize(
    ("wants", "wished", "granted", "review"),
    [
        (False, 5000, 5000, False), (True, 5000, 5000, True), (False, 5000, 3210, True),
        (False, 5000, 0, True), (False, 0, 0, False), (True, 0, 0, True),
    ],
)  # fmt: skip
def test_a_donor_looks_once_more_whenever_less_is_held_than_the_rule_gives(
    wants, wished, granted, review
):
    wish = a_wish(1, wants_review=wants)
    held = {"wished": Money(wished, "CAD"), "granted": Money(granted, "CAD")}
    assert needs_review(wish, **held) is review


def test_an_address_is_hinted_at_only():
    assert email_hint("maya@example.org") == "m…@example.org"
