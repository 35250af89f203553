"""The thank-you: the truth about the gift at the moment it is written, sent once."""

from __future__ import annotations

import pytest
from flask import render_template
from flask_babel import force_locale

from donorhub import giving, mail, matching, payments, stories
from donorhub.giving import letters
from donorhub.kit import db, unit_of_work
from tests.builders import a_campaign, a_gift, a_match, a_paid_gift, a_story
from tests.builders.giving import cad, pay

PARTS = ("subject.txt", "body.txt", "body.html")


@pytest.fixture
def campaign(context):
    return a_campaign()


def written(public_id, locale="en"):
    """Return subject, text and HTML as they would leave now."""
    with force_locale(locale):
        shown = {"locale": locale} | letters.gift_thanks_content({"gift": public_id}, locale)
        folder = "letters/giving/gift-thanks"
        return [render_template(f"{folder}/{part}", **shown) for part in PARTS]


def test_it_says_what_was_given_covered_charged_and_matched(stripe_simulator, campaign):
    a_match(campaign)
    public_id = a_paid_gift(stripe_simulator, campaign, amount="50", fee_cover=cad("1.80"))
    subject, text, html = written(public_id)
    assert subject.strip() == "Thank you: your gift of $50 has arrived"
    for body in (text, html):
        for words in ("Winter lights", "The Alder Fund", "$50.00", "$1.80", "$51.80", "$100"):
            assert words in body
        assert public_id in body
        assert f"http://127.0.0.1:8000/gifts/{public_id}/" in body
        assert "http://127.0.0.1:8000/campaigns/winter-lights/" in body
    assert text.startswith("Dear Maya,")


def test_without_a_match_it_does_not_speak_of_one(stripe_simulator, campaign):
    for body in written(a_paid_gift(stripe_simulator, campaign))[1:]:
        for words in ("of match", "Match that goes", "be matched", "covered by you"):
            assert words not in body


@pytest.mark.parametrize(
    ("cap", "said"),
    [("20", "Not all of it could be matched: $20 was free"), (None, "No match was free")],
)
def test_what_was_not_matched_is_said_plainly(stripe_simulator, campaign, cap, said):
    a_match(campaign, cap=cap or "50", slots=1)
    if cap is None:
        a_gift(campaign, amount="50")
    public_id = a_gift(campaign, amount="50")
    giving.service.continue_gift(public_id, campaign_title="Winter lights")
    giving.settle_gift(pay(stripe_simulator, public_id))
    for body in written(public_id)[1:]:
        assert said in body


def test_it_remembers_the_story_that_moved_the_donor(stripe_simulator, campaign):
    story = stories.story_id(a_story())
    for body in written(a_paid_gift(stripe_simulator, campaign, story_id=story))[1:]:
        assert "The open door" in body
        assert "http://127.0.0.1:8000/stories/the-open-door/" in body


def test_a_story_withdrawn_meanwhile_is_not_named_any_more(stripe_simulator, campaign):
    story = stories.story_id(a_story())
    public_id = a_paid_gift(stripe_simulator, campaign, story_id=story)
    stories.withdraw("the-open-door")
    for body in written(public_id)[1:]:
        assert "open door" not in body.lower()
        assert "/stories/the-open-door" not in body


def test_names_are_words_in_every_part(stripe_simulator, campaign):
    public_id = a_paid_gift(stripe_simulator, campaign, first_name="<b>Al & {{7*7}}</b>")
    _, text, html = written(public_id)
    assert "Dear <b>Al & {{7*7}}</b>," in text
    assert "&lt;b&gt;Al &amp; {{7*7}}&lt;/b&gt;" in html


def test_it_is_queued_with_the_gift_once_in_the_donors_language(stripe_simulator, campaign):
    public_id = a_gift(campaign, locale="fr")
    facts = pay(stripe_simulator, public_id)
    for _ in range(3):
        giving.settle_gift(facts)
    rows = db.rows("SELECT key, locale, to_address, to_name, context FROM letters")
    assert [(row.locale, row.to_address, row.to_name) for row in rows] == [
        ("fr", "maya@example.org", "Maya Tremblay")
    ]
    assert rows[0].context == {"gift": public_id}


def test_a_gift_that_went_back_before_the_letter_left_is_not_thanked_for(
    stripe_simulator, campaign
):
    public_id = a_paid_gift(stripe_simulator, campaign)
    giving.refund_gift(public_id)
    letter_id = db.one("SELECT id FROM letters").id
    db.session.rollback()
    mail.send_letter(letter_id)
    row = db.one("SELECT state, suppressed_reason FROM letters")
    assert (row.state, row.suppressed_reason) == ("suppressed", "the gift is no longer received")


def test_it_tells_what_is_matched_when_it_is_written_not_when_it_was_queued(
    stripe_simulator, campaign
):
    a_match(campaign)
    public_id = a_paid_gift(stripe_simulator, campaign)
    with unit_of_work():
        matching.keep_at_most(1, cad("30"), reason="test")
    assert "$30.00" in written(public_id)[1]
    assert payments.latest(f"gift:{public_id}").state == "paid"
