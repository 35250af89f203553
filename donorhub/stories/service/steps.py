"""Steps that the verbs share; each runs inside the caller's unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from donorhub.kit import db, now, session
from donorhub.stories import queries
from donorhub.stories.model import Story, StoryPicture, StoryState, StoryText
from donorhub.stories.rules import escape_marks, marked_names
from donorhub.stories.service.refusals import (
    NoSuchStory,
    NotPublishable,
    ProtectedNameFound,
    SlugTaken,
)

REGISTER_LOCK = 7_301_010
PUBLIC_FIELDS = ("title", "summary", "place", "body", "pseudonym_note")


@dataclass(frozen=True, slots=True)
class StoryWords:
    """A story in one language; the body is Markdown, everything else plain text."""

    title: str
    summary: str
    body: str
    place: str | None = None
    pseudonym_note: str | None = None


@dataclass(frozen=True, slots=True)
class StoryImage:
    """A picture below ``static/``, its size in pixels; its description and credit by language."""

    path: str
    width: int
    height: int
    alts: Mapping[str, str]
    credits: Mapping[str, str] = field(default_factory=dict)


def found(slug: str) -> Story | None:
    """Return the story at an address, locked and freshly read."""
    wanted = (
        select(Story)
        .where(Story.slug == slug)
        .options(selectinload(Story.texts), selectinload(Story.pictures))
        .with_for_update(of=Story)
        .execution_options(populate_existing=True)
    )
    return session.scalar(wanted)


def the_story(slug: str) -> Story:
    """Return the story at an address, locked; raise NoSuchStory."""
    story = found(slug)
    if story is None:
        message = f"There is no story “{slug}”."
        raise NoSuchStory(message)
    return story


def taken(slug: str) -> SlugTaken:
    """Say that an address is another text's."""
    return SlugTaken(
        f"Another text stands at /stories/{slug}/ already: give this one its own with --slug."
    )


def rewrite(story: Story, texts: Mapping[str, StoryWords]) -> bool:
    """Make the story's texts these; tell whether anything changed."""
    changed = False
    for row in list(story.texts):
        if row.locale not in texts:
            story.texts.remove(row)
            changed = True
    by_locale = {row.locale: row for row in story.texts}
    for locale, words in texts.items():
        row = by_locale.get(locale) or _added(story, locale)
        changed |= _write(row, words)
    return changed


def translate(story: Story, locale: str, words: StoryWords) -> None:
    """Add a text in another language; on a published story it must be fit for the public."""
    _write(_added(story, locale), words)
    story.updated_at = now()
    if story.state == StoryState.PUBLISHED:
        refuse_unfit(story)


def _added(story: Story, locale: str) -> StoryText:
    row = StoryText(locale=locale)
    story.texts.append(row)
    return row


def _write(row: StoryText, words: StoryWords) -> bool:
    return _set(
        row,
        title=words.title,
        summary=words.summary,
        body=words.body,
        place=words.place,
        pseudonym_note=words.pseudonym_note,
    )


def repaint(story: Story, pictures: Sequence[StoryImage]) -> bool:
    """Make the story's pictures these, in this order; tell whether anything changed."""
    changed = len(story.pictures) > len(pictures)
    for row in list(story.pictures)[len(pictures) :]:
        story.pictures.remove(row)
    for position, picture in enumerate(pictures):
        if position < len(story.pictures):
            row = story.pictures[position]
        else:
            row = StoryPicture(position=position)
            story.pictures.append(row)
        changed |= _set(
            row,
            path=picture.path,
            width=picture.width,
            height=picture.height,
            credits=dict(picture.credits),
            alts=dict(picture.alts),
        )
    return changed


def _set(row: StoryText | StoryPicture, **values: object) -> bool:
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    return bool(changed)


def says(story: Story, locale: str, words: StoryWords) -> bool:
    """Tell whether a story says exactly this in a language."""
    found = next((row for row in story.texts if row.locale == locale), None)
    return found is not None and words == StoryWords(
        found.title, found.summary, found.body, found.place, found.pseudonym_note
    )


def refuse_unfit(story: Story) -> None:
    """Raise NotPublishable or ProtectedNameFound if the public may not read a story as it is."""
    if not any(row.locale == story.original_locale for row in story.texts):
        message = f"The story {story.slug} has no text in its own language."
        raise NotPublishable(message)
    for row in story.texts:
        written = "\n\n".join(map(escape_marks, (row.title, row.summary, row.body)))
        if marked_names(written) and not row.pseudonym_note:
            message = (
                f"A name in the text ({row.locale}) carries a pseudonym mark, "
                "but there is no note that explains it."
            )
            raise NotPublishable(message)
    if places := protected_places(story):
        raise ProtectedNameFound(places)


def protected_places(story: Story) -> tuple[str, ...]:
    """Return where a protected name stands in a story; no name can be added until we commit."""
    db.run("SELECT pg_advisory_xact_lock_shared(:key)", key=REGISTER_LOCK)
    register = queries.register()
    return tuple(place for place, text in _texts_of(story) if register.finds(text, story.id))


def _texts_of(story: Story) -> list[tuple[str, str]]:
    found = [("the address", story.slug), ("the topics", " · ".join(story.topics))]
    for row in story.texts:
        found += [(f"{name} ({row.locale})", getattr(row, name) or "") for name in PUBLIC_FIELDS]
    for picture in story.pictures:
        found += [(f"picture {picture.position + 1} ({k})", v) for k, v in picture.alts.items()]
        credit = " · ".join(picture.credits.values())
        found.append((f"picture {picture.position + 1}, credit", credit))
    return found
