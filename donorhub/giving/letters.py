"""Letters about gifts; what they say is looked up when they are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from donorhub import campaigns, mail, matching, stories
from donorhub.giving.model import Gift
from donorhub.giving.queries import campaign_of_gift, gift_view
from donorhub.kit import current_settings, one_line

GIFT_THANKS = "giving/gift-thanks"


def gift_thanks(gift: Gift) -> mail.Letter:
    """Thank a donor, with the amounts, once per gift."""
    return mail.Letter(
        to=gift.email,
        to_name=one_line(f"{gift.first_name} {gift.last_name}", 120),
        template=GIFT_THANKS,
        key=f"gift-thanks:{gift.id}",
        locale=gift.locale,
        context={"gift": gift.public_id},
    )


def gift_thanks_content(context: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """Look up what the thank-you says at the moment it is written."""
    gift = gift_view(context["gift"])
    if gift is None:
        message = "the gift of this letter is gone"
        raise LookupError(message)
    campaign = campaigns.campaign_by_id(campaign_of_gift(gift.public_id), locale)
    story = stories.card_by_id(gift.story_id, locale) if gift.story_id else None
    site = current_settings().public_url
    return {
        "gift": gift,
        "campaign": campaign,
        "story": story,
        "match": matching.match_of(campaign.id, locale) if gift.matched else None,
        "gift_url": f"{site}/gifts/{gift.public_id}/",
        "campaign_url": f"{site}/campaigns/{campaign.slug}/",
        "story_url": f"{site}/stories/{story.slug}/" if story else None,
    }


def still_true(letter: mail.Letter) -> str | None:
    """Stop a thank-you for a gift that went back before the letter left."""
    if letter.template != GIFT_THANKS:
        return None
    gift = gift_view(letter.context["gift"])
    return None if gift and gift.state == "received" else "the gift is no longer received"
