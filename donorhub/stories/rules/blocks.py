"""The paragraphs of a report, and the small judgements about one line that all rules share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from donorhub.stories.rules.markup import plain
from donorhub.stories.rules.reading import Line

LONG_LINE = 200
"""Nobody wraps text by hand as wide as this: such a line is a paragraph of its own."""

OPENING_QUOTES = '“"«„‟'
CLOSING_QUOTES = '”"»“'
SENTENCE_ENDS = ".!?…"

HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*?)(?:[ \t]+#+)?$")
LIST_ITEM = re.compile(r"[-*+•·▪‣][ \t]+\S|\d{1,3}[.)][ \t]+\S")
RULE = re.compile(r"(?:[-_*=~–—·•][ \t]*){3,}$")

_SENTENCE = re.compile(
    r"(?<![.!?…])[.!?…]++[”\"»’)\]]*+\s++(?=[“\"«‘(\[]*+(?:[^\W\d_a-zà-öø-ÿ]|\d))"
)
LONGEST_TITLE_OF_HONOUR = 8
_TITLES = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Sr|Jr|Rev|Fr|Prof|No|M|Mme|vs)|\b[A-Z])\.\s*$")


@dataclass(frozen=True, slots=True)
class Dropped:
    """A line that was left out of the draft, and why."""

    line: int
    reason: str
    text: str = ""


@dataclass(frozen=True)
class Block:
    """Lines that stand together: a paragraph, a heading, a list."""

    lines: tuple[Line, ...]

    @property
    def number(self) -> int:
        """The number of its first line in the file."""
        return self.lines[0].number

    @cached_property
    def text(self) -> str:
        """Its lines, as they stand."""
        return "\n".join(line.text for line in self.lines)

    @cached_property
    def plain(self) -> str:
        """What a reader sees of it, on one line."""
        return plain(self.text)

    def dropped(self, reason: str) -> list[Dropped]:
        """Say that the whole block was left out."""
        return [Dropped(line.number, reason, line.text) for line in self.lines]


def paragraphs(lines: Iterable[Line], *, markdown: bool) -> list[Block]:
    """Group lines into blocks: at empty lines, around headings, and at very long lines."""
    blocks: list[Block] = []
    group: list[Line] = []

    def close() -> None:
        if group:
            blocks.append(Block(tuple(group)))
            group.clear()

    for line in lines:
        if not line.text.strip():
            close()
        elif (markdown and HEADING.match(line.text)) or len(line.text) > LONG_LINE:
            close()
            blocks.append(Block((line,)))
        else:
            group.append(line)
    close()
    return blocks


def looks_like_markdown(lines: Sequence[Line]) -> bool:
    """Tell whether a report is written in Markdown: headings, quotes, links or bold text."""
    return any(
        HEADING.match(line.text)
        or line.text.startswith("> ")
        or re.search(r"\[[^\[\]]+\]\((?:https?:|mailto:|/)", line.text)
        or re.search(r"(?<!\w)\*\*[^\s*][^*\n]*\*\*(?!\w)", line.text)
        for line in lines
    )


def same(one: str, other: str) -> bool:
    """Tell whether two lines say the same, whatever their case, marks and spaces."""
    shorter, longer = sorted((len(one), len(other)))
    if longer > 2 * shorter + LONG_LINE:
        return False
    return _letters(one) == _letters(other) != ""


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", " ", plain(text)).strip().casefold()


def words_in(text: str) -> int:
    """Count words as an editor would."""
    return len(text.split())


def ends_sentence(text: str) -> bool:
    """Tell whether a line ends as a sentence does."""
    return text.rstrip('”"»’)]* ').endswith(tuple(SENTENCE_ENDS))


def sentences(text: str) -> list[str]:
    """Split a paragraph into its sentences; titles and initials do not end one."""
    found: list[str] = []
    start = 0
    for end in _SENTENCE.finditer(text):
        if _TITLES.search(text[max(start, end.end() - LONGEST_TITLE_OF_HONOUR) : end.end()]):
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def shortened(text: str, longest: int) -> str:
    """Cut at a word, with an ellipsis, so that at most ``longest`` characters remain."""
    if len(text) <= longest:
        return text
    head = text[: longest - 1]
    return (head.rsplit(" ", 1)[0] if " " in head else head).rstrip(" ,;:–—-") + "…"
