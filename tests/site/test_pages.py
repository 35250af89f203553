"""Every public page in every state: each is checked as it is read, each says the truth."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from donorhub import campaigns, giving, matching, payments, stories
from donorhub.kit import clock
from tests.builders import a_campaign, a_gift, a_match, a_paid_gift, a_story
from tests.builders.giving import cad, pay

PAGES = ("/", "/stories/", "/stories/the-open-door/", "/campaigns/winter-lights/",
         "/campaigns/winter-lights/give", "/fundraise/", "/press/")  # fmt: skip


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_sound_in_both_languages(campaign, browse, address, language):
    page = browse(f"{address}?lang={language}")
    assert page.all("html")[0]["lang"] == language


@pytest.mark.parametrize("address", ["/", "/stories/", "/fundraise/", "/press/"])
def test_a_site_that_has_nothing_to_show_yet_is_sound(app, browse, address):
    assert browse(address).words


def test_the_story_leads_to_giving_and_says_what_the_match_does(campaign, browse):
    page = browse("/stories/the-open-door/")
    links = {link.get("href") for link in page.all("a")}
    assert "/campaigns/winter-lights/give?story=the-open-door" in links
    assert "Your $50 becomes $100." in page.words
    assert "$1,000 of $1,000 is left." in page.words


def test_a_story_without_a_campaign_asks_for_nothing(made, browse):
    made(a_story)
    page = browse("/stories/the-open-door/")
    assert not any("/give" in link.get("href", "") for link in page.all("a"))


def test_a_story_keeps_its_script_as_words(made, browse, client):
    evil = '<script>alert(1)</script>\n\n<img src=x onerror="alert(2)">\n\n[x](javascript:alert(3))'
    made(lambda: a_story(title="</title><script>alert(4)</script>", body=evil))
    for address in ("/", "/stories/", "/stories/the-open-door/"):
        page = browse(address)
        assert all("src" in script for script in page.all("script"))
        assert "<script>alert(4)</script>" in page.words
    assert "<script>alert(1)</script>" in page.words
    feed = client.get("/stories/feed.atom").text
    assert "<script>" not in feed


def test_a_campaign_without_a_match_does_not_speak_of_one(made, browse):
    made(a_campaign)
    words = browse("/campaigns/winter-lights/").words
    assert "match" not in words.lower()
    assert "$0 of $10,000: 0% of the goal" in words


def test_a_campaign_shows_its_match_while_there_is_some(campaign, browse):
    words = browse("/campaigns/winter-lights/").words
    assert "Your $50 becomes $100. Matched by The Alder Fund until" in words


@pytest.fixture
def used_up(stripe_simulator, made):
    def build():
        found = a_campaign()
        a_match(found, cap="30", slots=1)
        a_paid_gift(stripe_simulator, found, amount="30")

    made(build)


def test_a_used_up_match_is_said_everywhere_before_anybody_pays(used_up, browse):
    said = "The match is used up: The Alder Fund has matched $30. Gifts made now are not matched."
    for address in ("/", "/campaigns/winter-lights/", "/campaigns/winter-lights/give"):
        words = browse(address).words
        assert said in words
        assert "becomes" not in words


def test_an_ended_match_is_history_on_its_campaign_and_silence_elsewhere(campaign, browse):
    with clock.stopped() as stopped:
        stopped.advance(days=11)
        assert "The match has ended: The Alder Fund matched $0." in (
            browse("/campaigns/winter-lights/").words
        )
        for address in ("/", "/campaigns/winter-lights/give", "/stories/the-open-door/"):
            assert "match" not in browse(address).words.lower()


def test_a_paused_match_promises_nothing(campaign, made, browse):
    made(lambda: matching.pause_offer(matching.live_offer(campaign).id))
    assert "The match is paused." in browse("/campaigns/winter-lights/").words
    assert "becomes" not in browse("/").words


def test_a_campaign_that_is_over_takes_no_gift(made, browse, client):
    made(a_campaign)
    made(campaigns.end_campaign, "winter-lights")
    words = browse("/campaigns/winter-lights/").words
    assert "This campaign is over. Thank you to everyone who gave." in words
    assert client.get("/campaigns/winter-lights/give").status_code == 303


def test_latest_gifts_show_the_name_the_donor_chose(stripe_simulator, campaign, made, browse):
    made(a_paid_gift, stripe_simulator, campaign, amount="50")
    made(a_paid_gift, stripe_simulator, campaign, amount="20", is_anonymous=True)
    words = browse("/campaigns/winter-lights/").words
    assert "Maya T." in words
    assert "Someone who gave without a name" in words
    assert "Tremblay" not in words
    assert "+ $50 matched" in words


def test_the_amount_of_a_link_is_chosen_and_an_impossible_one_ignored(campaign, browse):
    for asked, tile, own in (("50", "50", ""), ("33.5", None, "33.50"), ("-5", None, "")):
        page = browse(f"/campaigns/winter-lights/give?amount={asked}")
        chosen = [
            f["value"] for f in page.all("input") if f.get("type") == "radio" and "checked" in f
        ]
        assert chosen == ([tile] if tile else [])
        assert next(f for f in page.all("input") if f.get("id") == "amount")["value"] == own


def test_nothing_on_the_form_is_ticked_for_anyone(campaign, browse):
    page = browse("/campaigns/winter-lights/give")
    boxes = [field for field in page.all("input") if field.get("type") == "checkbox"]
    assert {box["name"] for box in boxes} == {"cover_fee", "anonymous"}
    assert not any("checked" in box for box in boxes)


def test_the_look_before_paying_says_what_is_charged_matched_and_held(campaign, form, browse):
    answer = form(review="1", cover_fee="y", amount="50")
    assert answer.status_code == 303
    page = browse(answer.location)
    assert "Your $50 is matched: $100 reaches the work." in page.words
    for figure in ("$50.00", "$1.80", "$51.80"):
        assert figure in page.words
    assert "We are holding $50 of match for you until" in page.words


def test_a_match_too_small_for_the_gift_leaves_three_choices(made, form, browse):
    def build():
        a_match(a_campaign(), cap="32.10", slots=1)

    made(build)
    page = browse(form(amount="50").location)
    assert "Only $32.10 of the match is left, so $32.10 of your $50 will be matched." in page.words
    choices = [button["value"] for button in page.all("button") if button.get("name") == "choice"]
    assert choices == ["pay", "reduce", "cancel"]
    assert "Give $32.10, only the part that is matched" in page.words


def test_a_gift_that_waits_says_so_and_looks_again_without_javascript(campaign, made, browse):
    public_id = made(a_gift, campaign)
    page = browse(f"/gifts/{public_id}/")
    assert "We are waiting for the bank" in page.words
    assert "We are holding $50 of match for you until" in page.words
    assert {"http-equiv": "refresh", "content": "4"} in page.all("meta")


def test_a_received_gift_is_thanked_for_with_what_was_matched(
    stripe_simulator, campaign, made, browse
):
    public_id = made(a_paid_gift, stripe_simulator, campaign)
    words = browse(f"/gifts/{public_id}/").words
    assert "Thank you, Maya" in words
    assert "you gave $50 matched with it $50 reaches the work $100" in words
    assert "m…@example.org" in words
    assert "maya@example.org" not in words


def test_a_return_before_the_webhook_asks_stripe_and_tells_the_truth(
    stripe_simulator, campaign, made, browse
):
    public_id = made(a_gift, campaign)
    made(pay, stripe_simulator, public_id)
    assert "Thank you, Maya" in browse(f"/gifts/{public_id}/").words


def test_an_expired_gift_says_that_nothing_was_charged(campaign, made, browse):
    public_id = made(a_gift, campaign)
    with clock.stopped() as stopped:
        stopped.advance(minutes=40)
        made(giving.expire_holds)
    page = browse(f"/gifts/{public_id}/")
    assert "The time to pay ran out You have not been charged." in page.words
    again = next(
        a["href"] for a in page.all("a") if a["href"].startswith("/campaigns/winter-lights/give")
    )
    kept = {field.get("name"): field.get("value") for field in browse(again).all("input")}
    assert (kept["first_name"], kept["email"]) == ("Maya", "maya@example.org")


def test_a_cancelled_gift_says_that_nothing_is_held(campaign, made, browse):
    public_id = made(a_gift, campaign)
    made(giving.cancel_gift, public_id)
    words = browse(f"/gifts/{public_id}/").words
    assert "You stopped before paying You have not been charged, and nothing is held" in words


def test_a_returned_gift_says_how_much_and_how_long_banks_take(
    stripe_simulator, campaign, made, browse
):
    public_id = made(a_paid_gift, stripe_simulator, campaign)
    made(giving.refund_gift, public_id)
    words = browse(f"/gifts/{public_id}/").words
    assert "This gift was returned to you We sent $50.00 back to the card" in words


def test_a_gift_lost_in_a_dispute_says_so(stripe_simulator, campaign, made, browse):
    def build():
        public_id = a_paid_gift(stripe_simulator, campaign)
        session = payments.latest(f"gift:{public_id}").session_reference
        door = f"{stripe_simulator.url}/_sim"
        requests.post(f"{door}/checkout/{session}/dispute", json={}, timeout=5)
        dispute = payments.read_facts(f"gift:{public_id}").disputes[0].reference
        requests.post(f"{door}/disputes/{dispute}/close", json={"status": "lost"}, timeout=5)
        assert giving.settle_gift(payments.read_facts(f"gift:{public_id}")) == "disputed"
        return public_id

    assert "The bank has taken this gift back" in browse(f"/gifts/{made(build)}/").words


def test_gift_pages_are_kept_by_nobody_and_found_by_no_search_engine(campaign, made, client):
    public_id = made(a_gift, campaign)
    for address in (f"/gifts/{public_id}/", f"/gifts/{public_id}/review",
                    f"/gifts/{public_id}/state",
                    "/campaigns/winter-lights/give"):  # fmt: skip
        answer = client.get(address)
        assert answer.headers["Cache-Control"] == "no-store"
        if answer.mimetype == "text/html":
            assert {"name": "robots", "content": "noindex"} in answer.page.all("meta")


def test_the_state_of_a_gift_is_all_that_its_json_says(campaign, made, client):
    public_id = made(a_gift, campaign)
    assert client.get(f"/gifts/{public_id}/state").json == {"state": "pending"}


def test_a_withdrawn_story_is_gone_and_its_words_with_it(made, browse):
    made(a_story)
    made(stories.withdraw, "the-open-door")
    page = browse("/stories/the-open-door/", status=410)
    assert "This page has been taken down" in page.words
    assert "open door" not in page.html


def test_figures_of_the_api_are_those_of_the_page(stripe_simulator, campaign, made, client):
    made(a_paid_gift, stripe_simulator, campaign)
    found = client.get("/api/campaigns/winter-lights").json
    assert (found["raised_minor"], found["gifts"], found["matched_minor"]) == (5000, 1, 5000)
    assert found["match"]["remaining_minor"] == cad("950").minor


def test_a_campaign_outside_its_days_cannot_be_given_to(made, client):
    made(a_campaign, ends_in=timedelta(hours=1))
    assert client.get("/campaigns/winter-lights/give").status_code == 200
    with clock.stopped() as stopped:
        stopped.advance(hours=2)
        assert client.get("/campaigns/winter-lights/give").status_code == 303
