"""Stories on pages: only published ones, in the reader's language where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel import dates
from markupsafe import Markup

from donorhub.kit import db, locales, render_markdown, settings
from donorhub.stories.model import StoryState
from donorhub.stories.rules import DatePrecision, split_for_giving

MOST_RELATED_TO = 200
"""Related stories are looked for among so many of the latest."""

_TEXT = """
    LATERAL (SELECT * FROM story_texts WHERE story_id = s.id
      ORDER BY (locale = :locale) DESC, (locale = s.original_locale) DESC, locale LIMIT 1) t
"""
CARD = f"""
    SELECT s.id, s.slug, s.happened_on, s.date_precision, s.published_at, s.updated_at,
      s.original_locale, t.locale, t.title, t.summary, t.place, p.path, p.width, p.height,
      p.credits, p.alts
    FROM stories s CROSS JOIN {_TEXT} LEFT JOIN LATERAL (
      SELECT * FROM story_pictures WHERE story_id = s.id ORDER BY position LIMIT 1) p ON true
    WHERE s.state = 'published'
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture below ``static/`` with its description in the text's language."""

    src: str
    width: int
    height: int
    alt: str
    credit: str | None


@dataclass(frozen=True, slots=True)
class StoryCard:
    """A published story in short. ``lang`` is the language of the text shown."""

    slug: str
    title: str
    summary: str
    place: str | None
    date_text: str | None
    picture: Picture | None
    lang: str


@dataclass(frozen=True, slots=True)
class StoryPage(StoryCard):
    """A published story whole, parted where the page puts its call to give."""

    opening: Markup
    rest: Markup
    pseudonym_note: str | None
    pictures: tuple[Picture, ...]
    published_on: date
    topics: tuple[str, ...]


def story_page(slug: str, locale: str) -> StoryPage | None:
    """Return a published story, or None for one that is a draft, withdrawn or unknown."""
    row = db.one(
        f"SELECT s.*, t.locale, t.title, t.summary, t.place, t.body, t.pseudonym_note "
        f"FROM stories s CROSS JOIN {_TEXT} WHERE s.state = 'published' AND s.slug = :slug",
        slug=slug,
        locale=locale,
    )
    if row is None:
        return None
    pictures = tuple(
        _picture(picture, row.locale, row.original_locale)
        for picture in db.rows(
            "SELECT * FROM story_pictures WHERE story_id = :id ORDER BY position", id=row.id
        )
    )
    opening, rest = split_for_giving(row.body)
    return StoryPage(
        slug=row.slug,
        title=row.title,
        summary=row.summary,
        place=row.place,
        date_text=date_text(row.happened_on, row.date_precision, locale),
        picture=pictures[0] if pictures else None,
        lang=row.locale,
        opening=render_markdown(opening),
        rest=render_markdown(rest),
        pseudonym_note=row.pseudonym_note,
        pictures=pictures[1:],
        published_on=row.published_at.astimezone(settings.settings().zone).date(),
        topics=tuple(row.topics),
    )


def story_state(slug: str) -> StoryState | None:
    """Return how far a story is, or None when there is none (410 and 404 are not the same)."""
    row = db.one("SELECT state FROM stories WHERE slug = :slug", slug=slug)
    return StoryState(row.state) if row else None


def story_cards(
    locale: str,
    *,
    limit: int = 12,
    offset: int = 0,
    exclude: Sequence[str] = (),
    slugs: Sequence[str] | None = None,
) -> tuple[StoryCard, ...]:
    """Return published stories, newest first; or of ``slugs`` only, in that order."""
    where, order, wanted = "", "s.published_at DESC, s.id DESC", {}
    if slugs is not None:
        wanted = {"slugs": list(slugs)}
        where = "AND s.slug = ANY(CAST(:slugs AS text[]))"
        order = "array_position(CAST(:slugs AS text[]), s.slug)"
    found = db.rows(
        f"{CARD} AND s.slug <> ALL(CAST(:exclude AS text[])) {where} "
        f"ORDER BY {order} LIMIT :limit OFFSET :offset",
        locale=locale,
        limit=limit,
        offset=offset,
        exclude=list(exclude),
        **wanted,
    )
    return tuple(card_of(row, locale) for row in found)


def cards_by_ids(ids: Sequence[int], locale: str) -> tuple[StoryCard, ...]:
    """Return these stories in short, in this order, without those that are not public."""
    found = db.rows(
        f"{CARD} AND s.id = ANY(CAST(:ids AS bigint[])) "
        "ORDER BY array_position(CAST(:ids AS bigint[]), s.id)",
        locale=locale,
        ids=list(ids),
    )
    return tuple(card_of(row, locale) for row in found)


def related(slug: str, locale: str, *, limit: int = 3) -> tuple[StoryCard, ...]:
    """Return other published stories: those that share most topics, then the newest."""
    near = db.rows(
        "SELECT s.slug FROM (SELECT * FROM stories WHERE state = 'published' AND slug <> :slug "
        "ORDER BY published_at DESC, id DESC LIMIT :among) s ORDER BY cardinality(ARRAY("
        "SELECT unnest(s.topics) INTERSECT SELECT unnest(o.topics) FROM stories o "
        "WHERE o.slug = :slug)) DESC, s.published_at DESC, s.id DESC LIMIT :limit",
        slug=slug,
        among=MOST_RELATED_TO,
        limit=limit,
    )
    return story_cards(locale, limit=limit, slugs=[row.slug for row in near])


def card_by_id(story_id: int, locale: str) -> StoryCard | None:
    """Return one published story in short, or None when it is not public."""
    return next(iter(cards_by_ids([story_id], locale)), None)


def story_id(slug: str) -> int | None:
    """Return the id of a published story, or None when it is not public."""
    if not slug:
        return None
    row = db.one("SELECT id FROM stories WHERE slug = :slug AND state = 'published'", slug=slug)
    return int(row.id) if row else None


def any_story_id(slug: str) -> int | None:
    """Return the id of a story in whatever state (to link a draft to its campaign)."""
    row = db.one("SELECT id FROM stories WHERE slug = :slug", slug=slug)
    return int(row.id) if row else None


def date_text(happened_on: date | None, precision: str, locale: str) -> str | None:
    """Write when it happened in the reader's language, no more exactly than allowed."""
    if happened_on is None or precision == DatePrecision.HIDDEN:
        return None
    if precision == DatePrecision.YEAR:
        return str(happened_on.year)
    form = locales.formatting(locale)
    if precision == DatePrecision.MONTH:
        return dates.format_skeleton("yMMMM", happened_on, locale=form)
    return dates.format_date(happened_on, format="long", locale=form)


def card_of(row: Any, locale: str) -> StoryCard:
    """Make a card of a row of CARD."""
    return StoryCard(
        slug=row.slug,
        title=row.title,
        summary=row.summary,
        place=row.place,
        date_text=date_text(row.happened_on, row.date_precision, locale),
        picture=_picture(row, row.locale, row.original_locale) if row.path else None,
        lang=row.locale,
    )


def _picture(row: Any, locale: str, original: str) -> Picture:
    alt = locales.text_for(row.alts, locale, original)[1] if row.alts else ""
    credit = locales.text_for(row.credits, locale, original)[1] if row.credits else None
    return Picture(row.path, row.width, row.height, alt, credit)
