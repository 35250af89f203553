"""Reads about campaigns, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from donorhub.kit import Money, db, locales, now, render_markdown

COLUMNS = (
    "c.id, c.slug, c.state, c.original_locale, c.currency, c.goal_minor, c.suggested_minor, "
    "c.picture, c.starts_at, c.ends_at, (SELECT jsonb_object_agg(t.locale, to_jsonb(t)) "
    "FROM campaign_texts t WHERE t.campaign_id = c.id) AS texts"
)
PUBLIC = "c.state IN ('published', 'ended')"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a page shows it."""

    src: str
    width: int
    height: int
    alt: str
    credit: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignCard:
    """A campaign in a list."""

    id: int
    slug: str
    title: str
    summary: str
    picture: Picture | None
    currency: str
    goal: Money
    ends_at: datetime | None
    lang: str


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """A campaign on its own page."""

    id: int
    slug: str
    title: str
    summary: str
    picture: Picture | None
    currency: str
    goal: Money
    ends_at: datetime | None
    lang: str
    body: Markup
    suggested: tuple[Money, ...]
    is_open: bool
    opens_at: datetime | None


def campaign_page(slug: str, locale: str) -> CampaignPage | None:
    """Return a public campaign, or None."""
    row = db.one(f"SELECT {COLUMNS} FROM campaigns c WHERE {PUBLIC} AND c.slug = :slug", slug=slug)
    if row is None:
        return None
    card = _card(row, locale)
    text = locales.text_for(row.texts, locale, row.original_locale)[1]
    moment = now()
    started = row.starts_at <= moment
    return CampaignPage(
        id=card.id,
        slug=card.slug,
        title=card.title,
        summary=card.summary,
        picture=card.picture,
        currency=card.currency,
        goal=card.goal,
        ends_at=card.ends_at,
        lang=card.lang,
        body=render_markdown(text["body"]),
        suggested=tuple(Money(minor, row.currency) for minor in row.suggested_minor),
        is_open=row.state == "published"
        and started
        and (row.ends_at is None or moment < row.ends_at),
        opens_at=None if started else row.starts_at,
    )


def campaign_cards(locale: str) -> list[CampaignCard]:
    """Return the campaigns that are open, in the order the charity chose."""
    found = db.rows(
        f"SELECT {COLUMNS} FROM campaigns c WHERE c.state = 'published' "
        "AND c.starts_at <= :now AND (c.ends_at IS NULL OR c.ends_at > :now) "
        "ORDER BY c.position, c.id",
        now=now(),
    )
    return [_card(row, locale) for row in found]


def campaign_by_id(campaign_id: int, locale: str) -> CampaignCard:
    """Return any campaign, also one that has ended."""
    row = db.one(f"SELECT {COLUMNS} FROM campaigns c WHERE c.id = :id", id=campaign_id)
    return _card(row, locale)


def campaign_of_story(story_slug: str, locale: str) -> CampaignCard | None:
    """Return the first campaign that a story belongs to, open ones before ended ones."""
    row = db.one(
        f"SELECT {COLUMNS} FROM campaigns c JOIN campaign_stories l ON l.campaign_id = c.id "
        f"JOIN stories s ON s.id = l.story_id WHERE s.slug = :slug AND {PUBLIC} "
        "ORDER BY c.state DESC, c.position, c.id LIMIT 1",
        slug=story_slug,
    )
    return _card(row, locale) if row else None


def story_slugs(campaign_id: int) -> list[str]:
    """Return the published stories of a campaign, in its order."""
    found = db.rows(
        "SELECT s.slug FROM campaign_stories l JOIN stories s ON s.id = l.story_id "
        "WHERE l.campaign_id = :id AND s.state = 'published' ORDER BY l.position, s.id",
        id=campaign_id,
    )
    return [row.slug for row in found]


def exists(slug: str) -> bool:
    """Tell whether there is a campaign of this name."""
    return db.one("SELECT 1 AS found FROM campaigns WHERE slug = :slug", slug=slug) is not None


def text_version() -> str:
    """Return a mark that changes whenever anything a campaign page says changes."""
    row = db.one(
        "SELECT coalesce(string_agg(format('%s:%s:%s:%s', c.id, c.state, "
        "extract(epoch FROM c.updated_at), (c.starts_at <= :now AND "
        "(c.ends_at IS NULL OR c.ends_at > :now))), ',' ORDER BY c.id), '') AS mark "
        "FROM campaigns c",
        now=now(),
    )
    return str(row.mark)


def public_texts() -> list[tuple[str, str]]:
    """Return every published text with the name of its place, for safeguarding checks."""
    found = db.rows(
        "SELECT format('campaign %s (%s)', c.slug, t.locale) AS place, "
        "concat_ws(' ', t.title, t.summary, t.body, t.picture_alt) AS content "
        f"FROM campaign_texts t JOIN campaigns c ON c.id = t.campaign_id WHERE {PUBLIC}"
    )
    return [(row.place, row.content) for row in found]


def _card(row: Any, locale: str) -> CampaignCard:
    lang, text = locales.text_for(row.texts, locale, row.original_locale)
    return CampaignCard(
        id=row.id,
        slug=row.slug,
        title=text["title"],
        summary=text["summary"],
        picture=Picture(alt=text["picture_alt"], **row.picture) if row.picture else None,
        currency=row.currency,
        goal=Money(row.goal_minor, row.currency),
        ends_at=row.ends_at,
        lang=lang,
    )
