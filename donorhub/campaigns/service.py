"""Verbs about campaigns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from donorhub.kit import Money, db, now, unit_of_work


@dataclass(frozen=True, slots=True)
class CampaignText:
    """What a campaign says in one language."""

    title: str
    summary: str
    body: str
    picture_alt: str = ""


def save_campaign(  # noqa: PLR0913 - keyword-only, each a fact of the campaign
    slug: str,
    *,
    texts: Mapping[str, CampaignText],
    goal: Money,
    suggested: Sequence[Money],
    starts_at: datetime,
    ends_at: datetime | None = None,
    picture: Mapping[str, Any] | None = None,
    position: int = 0,
) -> int:
    """Create or change a campaign by its name and return its id; it is published at once."""
    with unit_of_work():
        row = db.one(
            "INSERT INTO campaigns (slug, state, original_locale, currency, goal_minor, "
            "suggested_minor, picture, starts_at, ends_at, position, updated_at) VALUES (:slug, "
            "'published', :locale, :currency, :goal, :suggested, cast(:picture AS jsonb), "
            ":starts_at, :ends_at, :position, :now) ON CONFLICT (slug) DO UPDATE SET "
            "goal_minor = excluded.goal_minor, suggested_minor = excluded.suggested_minor, "
            "picture = excluded.picture, starts_at = excluded.starts_at, "
            "ends_at = excluded.ends_at, position = excluded.position, "
            "updated_at = excluded.updated_at RETURNING id",
            slug=slug,
            locale=next(iter(texts)),
            currency=goal.currency,
            goal=goal.minor,
            suggested=[amount.minor for amount in suggested],
            picture=json.dumps(picture) if picture else None,
            starts_at=starts_at,
            ends_at=ends_at,
            position=position,
            now=now(),
        )
        for locale, words in texts.items():
            db.run(
                "INSERT INTO campaign_texts (campaign_id, locale, title, summary, body, "
                "picture_alt) VALUES (:id, :locale, :title, :summary, :body, :picture_alt) "
                "ON CONFLICT (campaign_id, locale) DO UPDATE SET title = excluded.title, "
                "summary = excluded.summary, body = excluded.body, "
                "picture_alt = excluded.picture_alt",
                id=row.id,
                locale=locale,
                **asdict(words),
            )
    return int(row.id)


def link_story(campaign_slug: str, story_slug: str, *, position: int = 0) -> bool:
    """Let a story belong to a campaign; tell whether both were found."""
    with unit_of_work():
        linked = db.run(
            "INSERT INTO campaign_stories (campaign_id, story_id, position) "
            "SELECT c.id, s.id, :position FROM campaigns c, stories s "
            "WHERE c.slug = :campaign AND s.slug = :story "
            "ON CONFLICT (campaign_id, story_id) DO UPDATE SET position = excluded.position",
            campaign=campaign_slug,
            story=story_slug,
            position=position,
        )
        db.run("UPDATE campaigns SET updated_at = :now WHERE slug = :s", now=now(), s=campaign_slug)
    return linked == 1


def end_campaign(slug: str) -> bool:
    """Close a campaign to new gifts; gifts being paid are still received."""
    with unit_of_work():
        ended = db.run(
            "UPDATE campaigns SET state = 'ended', updated_at = :now "
            "WHERE slug = :slug AND state = 'published'",
            slug=slug,
            now=now(),
        )
    return ended == 1
