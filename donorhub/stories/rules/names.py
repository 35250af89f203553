"""Names that must never be public: known by keyed digests, found in texts word by word."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_WORDS = 8
_WORD = re.compile(r"[^\W_]+")


class NotAName(ValueError):
    """What was typed has no word in it, or too many to be a name."""


@dataclass(frozen=True, slots=True)
class ProtectedName:
    """A name as the register keeps it: a digest, how many words, and the story it belongs to."""

    digest: bytes
    words: int
    story_id: int | None = None


def name_words(name: str) -> tuple[str, ...]:
    """Return a name's words without case, accents or signs; raise NotAName."""
    found = tuple(words_of(name))
    if not 1 <= len(found) <= MOST_WORDS:
        message = f"A name has between one and {MOST_WORDS} words."
        raise NotAName(message)
    return found


def words_of(text: str) -> list[str]:
    """Return a text's words as names are compared: decomposed, without accents, without case."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(
        sign for sign in decomposed if unicodedata.category(sign) not in {"Mn", "Me", "Cf"}
    )
    return _WORD.findall(bare.casefold())


def digest(words: Iterable[str], key: bytes) -> bytes:
    """Return the keyed digest of a name; the order of its words makes no difference."""
    return hmac.digest(key, " ".join(sorted(words)).encode(), hashlib.sha256)


@dataclass(slots=True)
class Register:
    """The protected names, ready to be looked for; remembers the digests it has made."""

    names: Iterable[ProtectedName]
    key: bytes
    _owners: dict[bytes, set[int | None]] = field(init=False, default_factory=dict)
    _lengths: frozenset[int] = field(init=False, default=frozenset())
    _seen: dict[tuple[str, ...], bytes] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Sort the names by digest. A full name counts everywhere, whoever's story it is in."""
        lengths = set()
        for name in self.names:
            owner = name.story_id if name.words == 1 else None
            self._owners.setdefault(name.digest, set()).add(owner)
            lengths.add(name.words)
        self._lengths = frozenset(lengths)

    def finds(self, text: str, story_id: int | None = None) -> bool:
        """Tell whether a protected name stands in a text.

        A single word that belongs to one story (a first name many people bear) counts in the
        texts of that story only; every other name counts in every text.
        """
        if not self._owners:
            return False
        words = words_of(text)
        return any(
            bool(self._owners.get(self._digest(gram), set()) & {None, story_id})
            for length in self._lengths
            for gram in {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}
        )

    def _digest(self, words: tuple[str, ...]) -> bytes:
        found = self._seen.get(words)
        if found is None:
            found = self._seen[words] = digest(words, self.key)
        return found
