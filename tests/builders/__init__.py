"""Builders: everything a test needs to exist, with valid defaults."""

from tests.builders.giving import a_campaign, a_gift, a_match, a_paid_gift, a_wish
from tests.builders.stories import a_story

__all__ = ["a_campaign", "a_gift", "a_match", "a_paid_gift", "a_story", "a_wish"]
