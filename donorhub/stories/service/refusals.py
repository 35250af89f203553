"""What is refused, and in which words."""

from __future__ import annotations

from collections.abc import Sequence


class NoSuchStory(LookupError):
    """There is no story at this address."""


class SlugTaken(ValueError):
    """Another story has this address already."""


class SlugNeeded(ValueError):
    """No address can be made of the title, or the one given cannot stand in an address."""


class NotPublishable(ValueError):
    """The story must be completed before anyone may read it."""


class ProtectedNameFound(ValueError):
    """A protected name stands in the story; the message says where, never which."""

    def __init__(self, places: Sequence[str]) -> None:
        self.places = tuple(places)
        super().__init__(f"A protected name stands in: {', '.join(self.places)}.")
