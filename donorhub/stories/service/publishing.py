"""Writing, publishing and withdrawing stories, and protecting the people in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select

from donorhub.kit import db, events, now, session, unit_of_work
from donorhub.stories import queries
from donorhub.stories.events import StoryPublished, StoryWithdrawn
from donorhub.stories.model import ProtectedNameRow, Story, StoryState
from donorhub.stories.rules import DatePrecision, digest, is_slug, name_words
from donorhub.stories.service.refusals import SlugNeeded
from donorhub.stories.service.steps import (
    REGISTER_LOCK,
    StoryImage,
    StoryWords,
    found,
    refuse_unfit,
    repaint,
    rewrite,
    the_story,
)


def save_story(  # noqa: PLR0913 - keyword-only, each a fact of the story
    slug: str,
    *,
    texts: Mapping[str, StoryWords],
    original_locale: str = "en",
    pictures: Sequence[StoryImage] = (),
    happened_on: date | None = None,
    date_precision: DatePrecision = DatePrecision.HIDDEN,
    topics: Sequence[str] = (),
) -> int:
    """Write a story whole, new or over the one at its address; return its id.

    Its state stays. Saying the same again changes nothing. On a published story the checks of
    ``publish`` apply: raises ProtectedNameFound and NotPublishable.
    """
    if not is_slug(slug):
        message = f"“{slug}” cannot stand in an address."
        raise SlugNeeded(message)
    with unit_of_work():
        moment = now()
        story = found(slug) or Story.drafted(slug, locale=original_locale, at=moment)
        changed = rewrite(story, texts) | repaint(story, pictures)
        facts = {
            "original_locale": original_locale,
            "happened_on": happened_on,
            "date_precision": date_precision.value,
            "topics": list(topics),
        }
        for name, value in facts.items():
            if getattr(story, name) != value:
                setattr(story, name, value)
                changed = True
        session.add(story)
        if changed:
            story.updated_at = moment
        session.flush()
        if story.state == StoryState.PUBLISHED:
            refuse_unfit(story)
        return story.id


def publish(slug: str, *, again: bool = False, rehearsal: bool = False) -> bool:
    """Let everyone read a story; tell whether that changed (in a rehearsal: would change) anything.

    Raises NoSuchStory, NotPublishable, ProtectedNameFound, and StoryIsWithdrawn unless
    ``again`` says that a withdrawn story may come back.
    """
    with unit_of_work():
        story = the_story(slug)
        refuse_unfit(story)
        changed = story.publish(at=now(), again=again)
        if rehearsal:
            session.rollback()
        elif changed:
            session.flush()
            events.publish(StoryPublished(story.id))
    return changed


def withdraw(slug: str, *, rehearsal: bool = False) -> bool:
    """Take a story back from everyone; tell whether that changed (would change) anything.

    Raises NoSuchStory.
    """
    with unit_of_work():
        story = the_story(slug)
        changed = story.withdraw(at=now())
        if rehearsal:
            session.rollback()
        elif changed:
            session.flush()
            events.publish(StoryWithdrawn(story.id))
    return changed


def protect_name(name: str, *, story: str | None = None) -> tuple[str, ...]:
    """Put a name into the safeguarding register; return the public places where it stands now.

    Only a keyed digest is kept. Raises NotAName and NoSuchStory.
    """
    words = name_words(name)
    with unit_of_work():
        db.run("SELECT pg_advisory_xact_lock(:key)", key=REGISTER_LOCK)
        story_id = the_story(story).id if story else None
        made = digest(words, queries.register_key())
        known = select(ProtectedNameRow.id).where(
            ProtectedNameRow.name_hash == made,
            ProtectedNameRow.story_id.is_not_distinct_from(story_id),
        )
        if session.scalar(known) is None:
            session.add(
                ProtectedNameRow(
                    story_id=story_id, name_hash=made, words=len(words), added_at=now()
                )
            )
            session.flush()
        return tuple(queries.protected_in_public())
