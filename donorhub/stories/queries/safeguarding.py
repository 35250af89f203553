"""The safeguarding register, and the search for its names in everything public (I10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from donorhub.kit import Invariant, db, settings
from donorhub.stories.rules import ProtectedName, Register


@dataclass(frozen=True, slots=True)
class PublicText:
    """A text that anyone can read, and where; ``story_id`` when it belongs to one story."""

    where: str
    text: str
    story_id: int | None = None


PublicTexts = Callable[[], Iterable[PublicText]]
_sources: list[PublicTexts] = []


def register_public_texts(source: PublicTexts) -> None:
    """Let the search for protected names (I10) read another package's public texts too."""
    if source not in _sources:
        _sources.append(source)


def register() -> Register:
    """Return the safeguarding register, ready to look for its names."""
    found = db.rows("SELECT name_hash, words, story_id FROM protected_names")
    names = [ProtectedName(bytes(row.name_hash), row.words, row.story_id) for row in found]
    return Register(names, register_key())


def register_key() -> bytes:
    """Return the key under which names are kept; without one nothing may be registered."""
    key = settings.settings().safeguarding_key
    if not key:
        message = "SAFEGUARDING_KEY is missing"
        raise settings.SettingsError(message)
    return key.encode()


def protected_in_public() -> list[str]:
    """Return every public place in which a protected name stands, never the name."""
    found = register()
    if not found.names:
        return []
    texts = (text for source in (_story_texts, *_sources) for text in source())
    return [text.where for text in texts if found.finds(text.text, text.story_id)]


def invariants() -> list[Invariant]:
    """Return this package's promises (I10)."""
    promise = "no protected name stands in a public text"
    return [Invariant("I10", promise, protected_in_public)]


def _story_texts() -> Iterator[PublicText]:
    public = "FROM stories s JOIN {} t ON t.story_id = s.id WHERE s.state = 'published'"
    for row in db.rows("SELECT s.id, s.slug, s.topics FROM stories s WHERE s.state = 'published'"):
        yield PublicText(f"story {row.slug}: address", row.slug, row.id)
        yield PublicText(f"story {row.slug}: topics", " · ".join(row.topics), row.id)
    for row in db.rows("SELECT s.slug, t.* " + public.format("story_texts")):
        for field in ("title", "summary", "place", "body", "pseudonym_note"):
            where = f"story {row.slug}: {field} ({row.locale})"
            yield PublicText(where, getattr(row, field) or "", row.story_id)
    for row in db.rows("SELECT s.slug, t.* " + public.format("story_pictures")):
        where = f"story {row.slug}: picture {row.position + 1}"
        text = " · ".join((*row.alts.values(), *row.credits.values()))
        yield PublicText(where, text, row.story_id)
