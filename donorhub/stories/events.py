"""What happened to stories."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoryPublished:
    """A story can be read by everyone."""

    story_id: int


@dataclass(frozen=True, slots=True)
class StoryWithdrawn:
    """A story was taken back: nothing may show or quote it any more."""

    story_id: int
