"""Lists of stories: for feeds, the sitemap, editors, and the pages' fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from donorhub.kit import db
from donorhub.stories.queries.pages import CARD, StoryCard, card_of

TEXT_VERSION_SQL = "SELECT number FROM story_edition"
"""One number that moves with every committed change of a story (for the pages' fingerprint)."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A story as feed readers hear of it; ``withdrawn_at`` tells them to forget it."""

    story_id: int
    card: StoryCard | None
    published_at: datetime
    updated_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedStory:
    """A story as editors list it, whatever its state."""

    slug: str
    state: str
    title: str
    languages: tuple[str, ...]
    updated_at: datetime


def published_slugs() -> tuple[tuple[str, datetime], ...]:
    """Return every published story's address and last change, newest first (for the sitemap)."""
    found = db.rows(
        "SELECT slug, updated_at FROM stories WHERE state = 'published' "
        "ORDER BY published_at DESC, id DESC"
    )
    return tuple((row.slug, row.updated_at) for row in found)


def feed_entries(locale: str, *, limit: int = 40) -> tuple[FeedEntry, ...]:
    """Return the latest stories, and those withdrawn of late that readers may have seen."""
    live = [
        FeedEntry(row.id, card_of(row, locale), row.published_at, row.updated_at)
        for row in db.rows(
            f"{CARD} ORDER BY s.published_at DESC, s.id DESC LIMIT :limit",
            locale=locale,
            limit=limit,
        )
    ]
    gone = [
        FeedEntry(row.id, None, row.published_at, row.updated_at, row.withdrawn_at)
        for row in db.rows(
            "SELECT * FROM stories WHERE state = 'withdrawn' AND published_at IS NOT NULL "
            "ORDER BY withdrawn_at DESC, id DESC LIMIT :limit",
            limit=limit,
        )
    ]
    return (*live, *gone)


def all_stories() -> tuple[ListedStory, ...]:
    """Return every story for editors, last changed first."""
    found = db.rows(
        "SELECT s.slug, s.state, s.updated_at, "
        "coalesce(min(t.title) FILTER (WHERE t.locale = s.original_locale), '') AS title, "
        "array_remove(array_agg(t.locale ORDER BY t.locale), NULL) AS languages "
        "FROM stories s LEFT JOIN story_texts t ON t.story_id = s.id GROUP BY s.id "
        "ORDER BY s.updated_at DESC, s.id DESC"
    )
    return tuple(
        ListedStory(row.slug, row.state, row.title, tuple(row.languages), row.updated_at)
        for row in found
    )


def text_version() -> str:
    """Return what changes with every committed change of a story, its texts or pictures."""
    row = db.one(TEXT_VERSION_SQL)
    return str(row.number) if row else "0"
