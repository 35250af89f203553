"""Campaigns: written, read in the reader's language, open for their days, and ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from donorhub import campaigns, stories
from donorhub.kit import clock, db, now
from tests.builders import a_campaign, a_story
from tests.builders.giving import cad

BOTH = {
    "en": campaigns.CampaignText("Lights", "On.", "Why <b>so</b>."),
    "fr": campaigns.CampaignText("Lumières", "Allumées.", "Pourquoi."),
}


def save(slug="lights", *, texts=None, starts=timedelta(days=-1), ends=None, **more):
    values = {"goal": cad("1000"), "suggested": [cad("25"), cad("50")]} | more
    return campaigns.save_campaign(
        slug,
        texts=texts or BOTH,
        starts_at=now() + starts,
        ends_at=now() + ends if ends else None,
        **values,
    )


def test_a_campaign_is_read_in_the_readers_language(context):
    number = save()
    english, french = (campaigns.campaign_page("lights", locale) for locale in ("en", "fr"))
    assert (english.id, english.title, english.lang) == (number, "Lights", "en")
    assert (french.title, french.summary, french.lang) == ("Lumières", "Allumées.", "fr")
    assert english.body == "<p>Why &lt;b&gt;so&lt;/b&gt;.</p>\n"
    assert (english.goal, english.suggested) == (cad("1000"), (cad("25"), cad("50")))


def test_a_campaign_in_one_language_is_shown_in_that_one_and_says_so(context):
    save(texts={"fr": BOTH["fr"]})
    page = campaigns.campaign_page("lights", "en")
    assert (page.title, page.lang) == ("Lumières", "fr")


def test_saving_again_changes_it_in_place(context):
    number = save()
    assert save(goal=cad("2000"), texts={"en": campaigns.CampaignText("New", "", "")}) == number
    page = campaigns.campaign_page("lights", "en")
    assert (page.title, page.goal) == ("New", cad("2000"))
    assert campaigns.campaign_page("lights", "fr").title == "Lumières"


def test_it_is_open_from_its_first_moment_to_its_last(context):
    save(starts=timedelta(hours=1), ends=timedelta(hours=2))
    begun = now()

    def is_open(minutes):
        with clock.stopped(begun + timedelta(minutes=minutes)):
            return campaigns.campaign_page("lights", "en").is_open

    assert [is_open(minutes) for minutes in (0, 59, 61, 119, 121)] == [
        False, False, True, True, False,
    ]  # fmt: skip
    assert campaigns.campaign_page("lights", "en").opens_at is not None


def test_ending_it_closes_it_once_and_keeps_its_page(context):
    save()
    assert campaigns.end_campaign("lights")
    assert not campaigns.end_campaign("lights")
    assert not campaigns.end_campaign("nothing")
    assert not campaigns.campaign_page("lights", "en").is_open
    assert campaigns.campaign_cards("en") == []


def test_cards_are_the_open_ones_in_the_order_the_charity_chose(context):
    save("late", position=2)
    save("early", position=1)
    save("over", starts=timedelta(days=-2), ends=timedelta(days=-1))
    save("coming", starts=timedelta(days=1))
    assert [card.slug for card in campaigns.campaign_cards("en")] == ["early", "late"]


def test_a_campaign_that_is_not_there_is_none(context):
    assert campaigns.campaign_page("nothing", "en") is None
    assert not campaigns.exists("nothing")
    assert campaigns.campaign_of_story("nothing", "en") is None


def test_a_story_belongs_to_an_open_campaign_rather_than_to_an_ended_one(context):
    a_story()
    for slug in ("first", "second"):
        save(slug)
        assert campaigns.link_story(slug, "the-open-door")
    assert campaigns.campaign_of_story("the-open-door", "en").slug == "first"
    campaigns.end_campaign("first")
    assert campaigns.campaign_of_story("the-open-door", "en").slug == "second"


def test_only_published_stories_of_a_campaign_are_listed_in_its_order(context):
    number = save()
    for place, slug in enumerate(("a-story", "b-story", "c-story")):
        a_story(slug)
        campaigns.link_story("lights", slug, position=-place)
    stories.withdraw("b-story")
    assert campaigns.story_slugs(number) == ["c-story", "a-story"]
    assert not campaigns.link_story("lights", "nothing")
    assert not campaigns.link_story("nothing", "a-story")


def test_every_change_changes_the_mark_that_kept_pages_go_by(context):
    marks = [campaigns.text_version()]
    a_story()
    steps = [
        save,
        lambda: save(goal=cad("2000")),
        lambda: campaigns.link_story("lights", "the-open-door"),
        lambda: campaigns.end_campaign("lights"),
    ]
    for step in steps:
        step()
        marks.append(campaigns.text_version())
    assert len(set(marks)) == len(marks)


def test_the_end_of_its_days_changes_the_mark_by_itself(context):
    save(ends=timedelta(days=1))
    before = campaigns.text_version()
    with clock.stopped(now() + timedelta(days=2)):
        assert campaigns.text_version() != before


@pytest.mark.parametrize("slug", ["", "Lights", "a b", "../x", "a--b", "-a", "é"])
def test_a_name_that_is_no_address_is_refused(context, slug):
    with pytest.raises(IntegrityError, match="ck_campaigns_slug"):
        save(slug)


def test_a_campaign_ends_after_it_begins(context):
    with pytest.raises(IntegrityError, match="ck_campaigns_window"):
        save(ends=timedelta(days=-2))


def test_public_texts_are_all_there_for_the_search_for_protected_names(context):
    a_campaign("other")
    save()
    found = dict(campaigns.public_texts())
    assert "campaign lights (fr)" in found
    assert "Lumières Allumées. Pourquoi." in found["campaign lights (fr)"]
    assert db.one("SELECT count(*) AS n FROM campaign_texts").n == len(found)
