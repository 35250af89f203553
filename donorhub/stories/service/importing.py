"""From a partner's report to the draft of a story."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from donorhub.kit import now, session, settings, unit_of_work
from donorhub.stories.model import Story
from donorhub.stories.rules import MAX_BYTES, CannotRead, Draft, is_slug, read_report, slug_from
from donorhub.stories.service.refusals import SlugNeeded
from donorhub.stories.service.steps import (
    StoryWords,
    found,
    protected_places,
    rewrite,
    says,
    taken,
    translate,
)

MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown"})


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a report: the draft story, and where a protected name stands in it."""

    story_id: int
    slug: str
    draft: Draft
    is_new: bool
    protected_places: tuple[str, ...] = ()


def read_source(source: Path | bytes, *, title: str | None = None) -> Draft:
    """Read a report from a file or from its bytes, changing nothing. Raises CannotRead."""
    if isinstance(source, bytes):
        return read_report(source, title=title)
    try:
        size = source.stat().st_size
        if size > MAX_BYTES:
            message = f"The file has {size:,} bytes; a report has at most {MAX_BYTES:,}."
            raise CannotRead(message)
        data = source.read_bytes()
    except OSError as error:
        message = f"{source} cannot be opened: {error.strerror}."
        raise CannotRead(message) from None
    is_markdown = True if source.suffix.lower() in MARKDOWN_SUFFIXES else None
    return read_report(data, title=title, markdown=is_markdown)


def chosen_slug(draft: Draft, slug: str | None = None) -> str:
    """Return the address a draft gets: the one given, or its title's. Raises SlugNeeded."""
    if slug is not None:
        if not is_slug(slug):
            message = f"“{slug}” cannot stand in an address: use a-z, 0-9 and single hyphens."
            raise SlugNeeded(message)
        return slug
    made = slug_from(draft.title)
    if not made:
        message = "No address can be made of this title: give one with --slug."
        raise SlugNeeded(message)
    return made


def import_report(
    source: Path | bytes,
    *,
    title: str | None = None,
    slug: str | None = None,
    locale: str | None = None,
) -> Imported:
    """Make a draft story of a partner's report; the same report twice makes one story.

    With the ``slug`` of a story that has no text in this language, the report becomes its
    translation. Raises CannotRead, SlugNeeded, SlugTaken when another text stands at the
    address, and what ``publish`` raises when a published story is translated.
    """
    draft = read_source(source, title=title)
    address = chosen_slug(draft, slug)
    language = locale or settings.settings().default_locale
    words = StoryWords(
        draft.title, draft.summary, draft.body_markdown, draft.place, draft.pseudonym_note
    )
    try:
        story_id, is_new, places = _stored(
            address, draft, words, language, may_translate=bool(slug)
        )
    except IntegrityError:
        # Someone else took the address between our look and our writing: look again.
        story_id, is_new, places = _stored(
            address, draft, words, language, may_translate=bool(slug)
        )
    return Imported(story_id, address, draft, is_new, places)


def _stored(
    address: str, draft: Draft, words: StoryWords, language: str, *, may_translate: bool
) -> tuple[int, bool, tuple[str, ...]]:
    with unit_of_work():
        story = found(address)
        is_new = story is None
        if story is None:
            story = _drafted(address, draft, language)
            rewrite(story, {language: words})
        elif not says(story, language, words):
            if not may_translate or language in {row.locale for row in story.texts}:
                raise taken(address)
            translate(story, language, words)
        session.flush()
        return story.id, is_new, protected_places(story)


def _drafted(slug: str, draft: Draft, locale: str) -> Story:
    story = Story.drafted(slug, locale=locale, at=now())
    story.happened_on = draft.happened_on
    story.date_precision = draft.date_precision
    session.add(story)
    return story
