"""Pages kept ready: quick, and never older than a second, never another reader's."""

from __future__ import annotations

import dataclasses
import gzip
import time
from datetime import timedelta

import pytest

from donorhub import campaigns, giving, matching, stories
from donorhub.kit import clock
from donorhub.wiring import create_app
from tests.builders import a_campaign, a_gift, a_match, a_story
from tests.builders.giving import cad
from tests.pages import CheckingClient

CAMPAIGN = "/campaigns/winter-lights/"
STORY = "/stories/the-open-door/"
PUBLIC = ("/", "/stories/", STORY, CAMPAIGN, "/fundraise/", "/press/")


@pytest.fixture(scope="module")
def keeping(built_app, settings):
    """A second site on the same database that keeps its pages, as in production."""
    app = create_app(dataclasses.replace(settings, page_cache_ms=500))
    app.config["TESTING"] = True
    app.test_client_class = CheckingClient
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def reader(app, keeping, campaign):
    """A visitor of the site that keeps its pages; nothing is kept from another test."""
    keeping.extensions["page_cache"].pages.clear()
    keeping.extensions["page_cache"].checked = 0
    return keeping.test_client()


def seen_within_a_second(reader, address, words, **options):
    until = time.monotonic() + 1
    while words not in (answer := reader.get(address, **options)).page.words:
        assert time.monotonic() < until, answer.page.words
        time.sleep(0.02)
    return answer


def is_kept(keeping, reader, address, monkeypatch):
    """Whether the next answer comes from memory."""
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "full_dispatch_request", None)
        return reader.get(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_page_is_made_once_and_then_answered_from_memory(keeping, reader, monkeypatch, address):
    first = reader.get(address)
    second = is_kept(keeping, reader, address, monkeypatch)
    assert second.text == first.text
    changing = {"X-Request-Id", "ETag", "Content-Length"}
    assert {k: v for k, v in second.headers if k not in changing} == {
        k: v for k, v in first.headers if k not in changing
    }
    assert second.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert second.headers["Cache-Control"] == "no-cache"


def test_match_that_somebody_holds_is_seen_within_a_second(reader, campaign, made):
    assert "$1,000 of $1,000 is left." in reader.get(CAMPAIGN).page.words
    made(a_gift, campaign, amount="100")
    for address in (CAMPAIGN, "/", STORY):
        seen_within_a_second(reader, address, "$900 of $1,000 is left.")


def test_match_that_is_free_again_is_seen_within_a_second(reader, campaign, made):
    public_id = made(a_gift, campaign, amount="100")
    seen_within_a_second(reader, CAMPAIGN, "$900 of $1,000 is left.")
    made(giving.cancel_gift, public_id)
    seen_within_a_second(reader, CAMPAIGN, "$1,000 of $1,000 is left.")


def test_the_end_of_a_match_is_seen_within_a_second(reader):
    reader.get(CAMPAIGN)
    with clock.stopped() as stopped:
        stopped.advance(days=11)
        seen_within_a_second(reader, CAMPAIGN, "The match has ended")


def test_a_paused_match_is_seen_within_a_second(reader, campaign, made):
    reader.get(CAMPAIGN)
    made(lambda: matching.pause_offer(matching.live_offer(campaign).id))
    seen_within_a_second(reader, CAMPAIGN, "The match is paused.")


def test_a_change_of_a_campaigns_words_is_seen_within_a_second(reader, made):
    reader.get(CAMPAIGN)
    text = campaigns.CampaignText("Summer lights", "Keep the lights on.", "Why.")
    made(lambda: campaigns.save_campaign(
        "winter-lights", texts={"en": text}, goal=cad("10000"), suggested=[cad("25")],
        starts_at=clock.now(),
    ))  # fmt: skip
    seen_within_a_second(reader, CAMPAIGN, "Summer lights")
    seen_within_a_second(reader, "/", "Summer lights")


def test_a_new_story_is_seen_within_a_second(reader, made):
    reader.get("/stories/")
    made(a_story, "the-shut-door", title="The shut door")
    seen_within_a_second(reader, "/stories/", "The shut door")
    seen_within_a_second(reader, "/", "The shut door")


def test_a_withdrawn_story_is_gone_within_a_second(reader, made):
    assert reader.get(STORY).status_code == 200
    made(stories.withdraw, "the-open-door")
    assert seen_within_a_second(reader, STORY, "taken down").status_code == 410


def test_a_browser_that_has_the_page_is_sent_nothing_until_it_changes(reader, made, campaign):
    reader.get(CAMPAIGN)
    mark = reader.get(CAMPAIGN).headers["ETag"]
    for wish in (mark, mark.removeprefix("W/"), f'"other", {mark}'):
        same = reader.get(CAMPAIGN, headers={"If-None-Match": wish})
        assert (same.status_code, same.data) == (304, b"")
    made(a_gift, campaign, amount="100")
    changed = seen_within_a_second(reader, CAMPAIGN, "$900 of $1,000 is left.",
                                   headers={"If-None-Match": '"x"'})  # fmt: skip
    assert reader.get(CAMPAIGN, headers={"If-None-Match": mark}).status_code == 200
    assert changed.headers.get("ETag") != mark


def test_a_page_is_packed_only_for_those_who_can_unpack_it(reader):
    plain = reader.get(STORY)
    for wish in ("gzip", "br, gzip;q=0.5", "gzip, deflate"):
        packed = keep_open(reader, wish)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain.data
        assert len(packed.data) < len(plain.data) / 2
        assert "Accept-Encoding" in packed.headers["Vary"]
    for wish in ("", "br", "gzip;q=0", "gzip; q=0.0, br", "identity"):
        assert "Content-Encoding" not in keep_open(reader, wish).headers


def keep_open(reader, encoding):
    """An answer as it comes over the wire, unread."""
    with reader.application.test_client() as raw:
        raw.__class__ = CheckingClient.__base__
        return raw.get(STORY, headers={"Accept-Encoding": encoding})


def test_each_reader_gets_their_own_language(keeping, reader):
    for header, language in (("fr-CA,fr;q=0.9", "fr"), ("en", "en"), ("fr", "fr"), ("de", "en"),
                             ("en;q=0.1,fr", "fr"), ("", "en")):  # fmt: skip
        for address in PUBLIC:
            answer = keeping.test_client().get(address, headers={"Accept-Language": header})
            assert answer.page.all("html")[0]["lang"] == language
            assert answer.headers["Content-Language"] == language
            assert "Accept-Language" in answer.headers["Vary"]
            assert "Cookie" in answer.headers["Vary"]


def test_a_language_asked_for_in_the_address_stays_with_the_one_who_asked(keeping, reader):
    assert "Set-Cookie" in reader.get("/?lang=fr").headers
    after = reader.get("/")
    assert after.page.all("html")[0]["lang"] == "fr"
    assert "Set-Cookie" not in after.headers
    other = keeping.test_client().get("/")
    assert other.page.all("html")[0]["lang"] == "en"
    assert "Set-Cookie" not in other.headers


def test_a_visitor_with_a_session_is_sent_no_cookie_and_nobody_elses_page(keeping, reader):
    assert "Set-Cookie" in reader.get(f"{CAMPAIGN}give").headers
    for address in PUBLIC:
        for _ in range(2):
            assert "Set-Cookie" not in reader.get(address).headers


def test_forms_gifts_and_errors_are_never_kept(keeping, reader, campaign, made):
    public_id = made(a_gift, campaign)
    cache = keeping.extensions["page_cache"]
    for address in (f"{CAMPAIGN}give", f"/gifts/{public_id}/", f"/gifts/{public_id}/review",
                    "/nothing",
                    "/?lang=fr", "/stories/?page=1", "/healthz", "/readyz"):  # fmt: skip
        assert reader.get(address).headers["Cache-Control"] != "public"
    assert cache.pages == {}


def test_a_foreign_host_name_is_refused_whatever_is_kept(reader):
    reader.get("/")
    assert reader.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_question_for_the_headers_is_answered_without_a_body(reader):
    reader.get("/")
    answer = reader.head("/")
    assert (answer.status_code, answer.data) == (200, b"")


def test_a_campaign_that_begins_or_ends_is_seen_within_a_second(keeping, app, made):
    keeping.extensions["page_cache"].pages.clear()
    made(lambda: a_match(a_campaign(ends_in=timedelta(hours=1))))
    reader = keeping.test_client()
    reader.get(CAMPAIGN)
    with clock.stopped() as stopped:
        stopped.advance(hours=2)
        seen_within_a_second(reader, CAMPAIGN, "This campaign is over.")
