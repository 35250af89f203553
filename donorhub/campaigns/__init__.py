"""Appeals: goals, windows, suggested amounts, and the stories that carry them."""

from donorhub.campaigns.queries import (
    CampaignCard,
    CampaignPage,
    Picture,
    campaign_by_id,
    campaign_cards,
    campaign_of_story,
    campaign_page,
    exists,
    public_texts,
    story_slugs,
    text_version,
)
from donorhub.campaigns.service import CampaignText, end_campaign, link_story, save_campaign

__all__ = [
    "CampaignCard",
    "CampaignPage",
    "CampaignText",
    "Picture",
    "campaign_by_id",
    "campaign_cards",
    "campaign_of_story",
    "campaign_page",
    "end_campaign",
    "exists",
    "link_story",
    "public_texts",
    "save_campaign",
    "story_slugs",
    "text_version",
]
