"""Stories, their texts by language, their pictures, and the safeguarding register."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ARRAY, ForeignKey, Identity, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from donorhub.kit import Base
from donorhub.stories.rules import DatePrecision


class StoryState(StrEnum):
    """How far a story is."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class StoryIsWithdrawn(ValueError):
    """The story was taken back; publishing it again has to be said expressly."""


class StoryText(Base):
    """A story in one language."""

    __tablename__ = "story_texts"

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), primary_key=True)
    locale: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    summary: Mapped[str]
    place: Mapped[str | None]
    body: Mapped[str]
    pseudonym_note: Mapped[str | None]


class StoryPicture(Base):
    """A picture of a story; the first is its lead. Sizes in pixels."""

    __tablename__ = "story_pictures"

    story_id: Mapped[int] = mapped_column(ForeignKey("stories.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    credits: Mapped[dict[str, str]] = mapped_column(JSONB)
    alts: Mapped[dict[str, str]] = mapped_column(JSONB)


class Story(Base):
    """An impact story: public only while it is published."""

    __tablename__ = "stories"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    slug: Mapped[str]
    state: Mapped[str]
    original_locale: Mapped[str]
    happened_on: Mapped[date | None]
    date_precision: Mapped[str]
    topics: Mapped[list[str]] = mapped_column(ARRAY(Text))
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    created_at: Mapped[datetime]
    texts: Mapped[list[StoryText]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by=StoryText.locale
    )
    pictures: Mapped[list[StoryPicture]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by=StoryPicture.position
    )

    @classmethod
    def drafted(cls, slug: str, *, locale: str, at: datetime) -> Story:
        """Begin a story that nobody can read yet."""
        return cls(
            slug=slug,
            state=StoryState.DRAFT,
            original_locale=locale,
            date_precision=DatePrecision.HIDDEN,
            topics=[],
            created_at=at,
            updated_at=at,
            texts=[],
            pictures=[],
        )

    def publish(self, *, at: datetime, again: bool = False) -> bool:
        """Let everyone read it; tell whether that changed anything. Raises StoryIsWithdrawn."""
        if self.state == StoryState.PUBLISHED:
            return False
        if self.state == StoryState.WITHDRAWN and not again:
            message = f"The story {self.slug} was withdrawn."
            raise StoryIsWithdrawn(message)
        self.state = StoryState.PUBLISHED
        self.published_at = self.published_at or at
        self.withdrawn_at = None
        self.updated_at = at
        return True

    def withdraw(self, *, at: datetime) -> bool:
        """Take it back; tell whether that changed anything. A draft can be withdrawn too."""
        if self.state == StoryState.WITHDRAWN:
            return False
        self.state = StoryState.WITHDRAWN
        self.withdrawn_at = at
        self.updated_at = at
        return True


class ProtectedNameRow(Base):
    """One name of the safeguarding register: its keyed digest, never the name."""

    __tablename__ = "protected_names"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    story_id: Mapped[int | None] = mapped_column(ForeignKey("stories.id"))
    name_hash: Mapped[bytes] = mapped_column(LargeBinary)
    words: Mapped[int]
    added_at: Mapped[datetime]
