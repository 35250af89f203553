"""Stories in the database: written, published, withdrawn, and the people in them kept safe."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from datetime import datetime as dt
from datetime import timezone as tz
from threading import Barrier

import psycopg
import pytest

from donorhub import stories
from donorhub.kit import SettingsError, clock, db, events
from donorhub.stories import queries
from tests.builders import a_story

NOON = dt(2026, 3, 2, 12, tzinfo=tz.utc)  # noqa: UP017
TEXT = stories.StoryWords(
    title="The well",
    summary="It gives water.",
    body="One.\n\nTwo.",
    place="Kessa",
)


def a_draft(slug="the-well", *, body="One.\n\nTwo.", note=None, **options):
    words = dataclasses.replace(TEXT, body=body, pseudonym_note=note)
    return stories.save_story(slug, texts={"en": words}, **options)


def test_a_draft_is_nowhere_public(context):
    a_draft()

    assert stories.story_page("the-well", "en") is None
    assert stories.story_cards("en") == ()
    assert stories.story_id("the-well") is None
    assert stories.published_slugs() == ()
    assert stories.story_state("the-well") == "draft"


def test_a_published_story_can_be_read(context):
    with clock.stopped(NOON):
        number = a_draft(
            happened_on=date(2026, 2, 22),
            date_precision=stories.DatePrecision.MONTH,
            pictures=[stories.StoryImage("pictures/well.svg", 800, 600, {"en": "A well"})],
        )
        assert stories.publish("the-well")

    page = stories.story_page("the-well", "fr")
    assert (page.title, page.lang, page.place) == ("The well", "en", "Kessa")
    assert page.date_text == "février 2026"
    assert str(page.opening) == "<p>One.</p>\n"
    assert str(page.rest) == "<p>Two.</p>\n"
    assert page.picture == stories.Picture("pictures/well.svg", 800, 600, "A well", None)
    assert page.published_on == date(2026, 3, 2)
    assert stories.story_id("the-well") == number
    assert stories.card_by_id(number, "en").slug == "the-well"


@pytest.mark.parametrize(
    ("precision", "english", "french"),
    [
        ("day", "February 22, 2026", "22 février 2026"),
        ("month", "February 2026", "février 2026"),
        ("year", "2026", "2026"),
        ("hidden", None, None),
    ],
)
def test_a_date_is_told_no_more_exactly_than_allowed(context, precision, english, french):
    happened = date(2026, 2, 22)

    assert queries.date_text(happened, precision, "en") == english
    assert queries.date_text(happened, precision, "fr") == french


def test_a_reader_gets_their_language_where_there_is_one(context):
    french = dataclasses.replace(TEXT, title="Le puits", body="Un.")
    stories.save_story("the-well", texts={"en": TEXT, "fr": french})
    stories.publish("the-well")

    assert stories.story_page("the-well", "fr").title == "Le puits"
    assert stories.story_page("the-well", "en").title == "The well"


def test_saying_the_same_again_changes_nothing(context):
    with clock.stopped(NOON) as now:
        a_draft(topics=["water"])
        before = db.one("SELECT updated_at FROM stories").updated_at
        now.advance(hours=1)
        a_draft(topics=["water"])
        assert db.one("SELECT updated_at FROM stories").updated_at == before
        a_draft(topics=["water"], body="One.\n\nThree.")
        assert db.one("SELECT updated_at FROM stories").updated_at == before + timedelta(hours=1)


def test_a_text_or_picture_taken_away_is_gone(context):
    picture = stories.StoryImage("pictures/a.svg", 4, 3, {"en": "A"})
    second = stories.StoryImage("pictures/b.svg", 4, 3, {"en": "B"})
    texts = {"en": TEXT, "fr": TEXT}
    stories.save_story("the-well", texts=texts, pictures=[picture, second])
    stories.save_story("the-well", texts={"en": TEXT}, pictures=[second])
    stories.publish("the-well")

    page = stories.story_page("the-well", "fr")
    assert page.lang == "en"
    assert (page.picture.src, page.pictures) == ("pictures/b.svg", ())


@pytest.mark.parametrize(
    "change",
    [
        lambda: a_draft("another"),
        lambda: a_draft(body="New words."),
        lambda: a_draft(pictures=[stories.StoryImage("p.svg", 1, 1, {"en": "P"})]),
        lambda: stories.publish("the-well"),
        lambda: stories.withdraw("the-well"),
    ],
    ids=["new", "text", "picture", "published", "withdrawn"],
)
def test_every_change_moves_the_version_of_the_texts(context, change):
    a_draft()
    before = stories.text_version()

    change()

    assert stories.text_version() != before


def test_changes_that_commit_in_the_other_order_both_move_the_version(context, database_url):
    a_story("first")
    a_story("second")
    seen = {stories.text_version()}
    db.session.rollback()
    with psycopg.connect(database_url) as early:
        early.execute("UPDATE stories SET updated_at = now() WHERE slug = 'first'")
    seen.add(stories.text_version())
    db.session.rollback()
    with psycopg.connect(database_url) as late:
        late.execute("UPDATE story_texts SET title = 'x' WHERE locale = 'en'")
        late.rollback()
    assert stories.text_version() in seen
    assert len(seen) == 2


def test_publishing_is_told_once_and_so_is_withdrawing(context, monkeypatch):
    told = []
    monkeypatch.setattr(events, "publish", told.append)
    number = a_draft()

    assert [stories.publish("the-well"), stories.publish("the-well")] == [True, False]
    assert [stories.withdraw("the-well"), stories.withdraw("the-well")] == [True, False]
    assert told == [stories.StoryPublished(number), stories.StoryWithdrawn(number)]


def test_a_withdrawn_story_is_gone_and_comes_back_only_when_told_so(context):
    a_story("the-well")
    stories.withdraw("the-well")

    assert stories.story_page("the-well", "en") is None
    assert stories.story_state("the-well") == "withdrawn"
    with pytest.raises(stories.StoryIsWithdrawn):
        stories.publish("the-well")
    assert stories.publish("the-well", again=True)
    assert stories.story_page("the-well", "en") is not None


def test_writing_over_a_withdrawn_story_does_not_publish_it(context):
    a_draft()
    stories.publish("the-well")
    stories.withdraw("the-well")

    a_draft(body="Other words.")

    assert stories.story_state("the-well") == "withdrawn"


@pytest.mark.parametrize("verb", [stories.publish, stories.withdraw])
def test_an_unknown_story_is_named(context, verb):
    with pytest.raises(stories.NoSuchStory, match="nowhere"):
        verb("nowhere")


def test_a_rehearsal_changes_nothing(context):
    a_draft()

    assert stories.publish("the-well", rehearsal=True)
    assert stories.story_state("the-well") == "draft"


def test_a_marked_name_needs_a_note_before_anyone_reads_it(context):
    a_draft(body="It was Liria\\* who came.")
    with pytest.raises(stories.NotPublishable, match="pseudonym"):
        stories.publish("the-well")

    a_draft(body="It was Liria\\* who came.", note="A pseudonym.")
    assert stories.publish("the-well")


def test_a_story_without_a_text_in_its_own_language_is_not_published(context):
    stories.save_story("the-well", texts={"fr": TEXT}, original_locale="en")

    with pytest.raises(stories.NotPublishable):
        stories.publish("the-well")


@pytest.mark.parametrize(
    ("words", "pictures", "place"),
    [
        ({"title": "Rina Das comes home"}, {}, "title (en)"),
        ({"summary": "Of Rina Das."}, {}, "summary (en)"),
        ({"place": "Rina Das Street"}, {}, "place (en)"),
        ({"body": "It was RINA\u00a0DAS."}, {}, "body (en)"),
        ({"pseudonym_note": "Not Rina Das."}, {}, "pseudonym_note (en)"),
        ({}, {"alts": {"en": "Rina Das by the well"}}, "picture 1 (en)"),
        ({}, {"credits": {"en": "Rina Das"}}, "picture 1, credit"),
    ],
)
def test_a_protected_name_is_refused_by_its_place_and_never_said(context, words, pictures, place):
    stories.protect_name("Rina Das")
    image = stories.StoryImage("pictures/well.svg", 4, 3, {"en": "A well"})
    stories.save_story(
        "the-well",
        texts={"en": dataclasses.replace(TEXT, **words)},
        pictures=[dataclasses.replace(image, **pictures)],
    )

    with pytest.raises(stories.ProtectedNameFound) as refusal:
        stories.publish("the-well")

    assert refusal.value.places == (place,)
    assert "rina" not in str(refusal.value).lower()


def test_a_published_story_cannot_be_rewritten_to_hold_a_protected_name(context):
    stories.protect_name("Rina Das")
    a_draft()
    stories.publish("the-well")

    with pytest.raises(stories.ProtectedNameFound):
        a_draft(body="It was Rina Das.")
    assert "Das" not in stories.story_page("the-well", "en").opening


def test_the_register_keeps_no_name(context, database_url):
    stories.protect_name("Rina Das")
    stories.protect_name("rina  DAS")

    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT protected_names::text, words FROM protected_names")
        rows = found.fetchall()
    assert len(rows) == 1
    assert rows[0][1] == 2
    assert "rina" not in rows[0][0].lower()
    assert bytes("rina", "ascii").hex() not in rows[0][0]


def test_protecting_a_name_that_is_public_says_where(context):
    a_story("the-open-door", body="It was Rina Das.\n\nShe sat.")

    assert stories.protect_name("Rina Das") == ("story the-open-door: body (en)",)


def test_the_invariant_finds_a_protected_name_wherever_it_is_public(context, database_url):
    a_story("the-open-door")
    stories.protect_name("Rina Das")
    (promise,) = stories.invariants()
    assert promise.find() == []
    db.session.rollback()

    with psycopg.connect(database_url) as corruption:
        corruption.execute("UPDATE story_texts SET summary = 'Rina Das opened it.'")

    assert promise.find() == ["story the-open-door: summary (en)"]


def test_the_invariant_reads_pictures_topics_and_addresses(context, database_url):
    picture = stories.StoryImage("pictures/well.svg", 4, 3, {"en": "A well"}, credits={"en": "Bo"})
    a_draft(pictures=[picture], topics=["water"])
    stories.publish("the-well")
    for name in ("Rina Das", "Omar"):
        stories.protect_name(name)
    with psycopg.connect(database_url) as corruption:
        corruption.execute(
            "UPDATE story_pictures SET credits = jsonb_build_object('en', 'Rina Das')"
        )
        corruption.execute(
            "UPDATE stories SET topics = '{water, omar}', slug = 'omar-and-the-well'"
        )

    assert stories.invariants()[0].find() == [
        "story omar-and-the-well: address",
        "story omar-and-the-well: topics",
        "story omar-and-the-well: picture 1",
    ]


def test_no_name_is_registered_without_a_key(context):
    kept = context.extensions["settings"]
    context.extensions["settings"] = dataclasses.replace(kept, safeguarding_key="")
    try:
        with pytest.raises(SettingsError, match="SAFEGUARDING_KEY"):
            stories.protect_name("Rina Das")
    finally:
        context.extensions["settings"] = kept


def test_the_invariant_reads_other_packages_texts_too(context, monkeypatch):
    stories.protect_name("Rina Das")
    monkeypatch.setattr(queries.safeguarding, "_sources", [])
    stories.register_public_texts(lambda: [stories.PublicText("a campaign", "For Rina Das")])

    assert stories.invariants()[0].find() == ["a campaign"]


def test_related_stories_share_topics_first_then_the_newest(context):
    with clock.stopped(NOON) as now:
        for slug, topics in (("a", ["water"]), ("b", []), ("c", []), ("d", ["water", "x"])):
            a_draft(slug, topics=topics)
            stories.publish(slug)
            now.advance(hours=1)
        a_draft("hidden", topics=["water"])

    assert [card.slug for card in stories.related("d", "en")] == ["a", "c", "b"]
    assert [card.slug for card in stories.related("d", "en", limit=1)] == ["a"]


def test_cards_come_newest_first_or_in_the_order_asked_for(context):
    with clock.stopped(NOON) as now:
        for slug in ("a", "b", "c"):
            a_story(slug)
            now.advance(hours=1)

    def slugs(**options):
        return [card.slug for card in stories.story_cards("en", **options)]

    assert slugs() == ["c", "b", "a"]
    assert slugs(limit=1, offset=1) == ["b"]
    assert slugs(exclude=["c"]) == ["b", "a"]
    assert slugs(slugs=["a", "c", "nowhere"]) == ["a", "c"]
    assert slugs(slugs=[]) == []


def test_one_report_imported_by_many_at_once_makes_one_story(context):
    together = Barrier(6)

    def bring_in(_number):
        with context.app_context():
            together.wait()
            return stories.import_report(b"The well\n\nIt gives water all year.").is_new

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(bring_in, range(6)))

    assert sorted(found) == [False] * 5 + [True]


def test_a_name_protected_while_its_story_is_published_is_never_missed(context):
    for number in range(8):
        slug, name = f"story-{number}", f"Rina Das{number}"
        a_draft(slug, body=f"It was {name}.")
        together = Barrier(2)

        def publish(slug=slug, together=together):
            with context.app_context():
                together.wait()
                try:
                    return stories.publish(slug)
                except stories.ProtectedNameFound:
                    return False

        def protect(name=name, together=together):
            with context.app_context():
                together.wait()
                return stories.protect_name(name)

        with ThreadPoolExecutor(2) as pool:
            published, places = pool.submit(publish), pool.submit(protect)
            is_public, said = published.result(), places.result()
        assert is_public == (f"story {slug}: body (en)" in said)


def test_the_database_refuses_a_published_story_without_its_moment(context, database_url):
    a_draft()
    with (
        psycopg.connect(database_url) as connection,
        pytest.raises(psycopg.errors.CheckViolation, match="ck_stories_published"),
    ):
        connection.execute("UPDATE stories SET state = 'published'")
