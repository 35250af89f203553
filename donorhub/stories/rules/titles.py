"""Finds what a report is called, and the facts that may stand above it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from donorhub.stories.rules import words
from donorhub.stories.rules.blocks import (
    HEADING,
    Block,
    Dropped,
    ends_sentence,
    same,
    sentences,
    shortened,
    words_in,
)
from donorhub.stories.rules.markup import plain
from donorhub.stories.rules.reading import Line

LONGEST = 120
BUILT = 90
AS_TITLE = "taken as the title"
AGAIN = "the title again"
REPLACED = "the report's own title, replaced by the one given"
PAGE_TITLE = "the page title's site name"
META = "taken as the {}"
OTHER_FACT = "a fact about the file, not of the story"
FACTS_WITHIN = 40
TITLE_WITHIN = 4

_BAR = re.compile(r"\s*[|｜¦]\s*")
_DASH = re.compile(r"\s+[–—-]\s+|\s+::?\s+")
_UNDERLINE = re.compile(r"(=+|-{3,}|-)\s*$")
_ANY_FACT = re.compile(r"[\w -]{1,40}:|\s+-?|-\s|$")
_META = re.compile(r"([^\W\d_]{4,8})\s?:\s*(\S.*)$")


@dataclass(slots=True)
class Head:
    """What was found above the text."""

    title: str = ""
    facts: dict[str, Line] = field(default_factory=dict)
    dropped: list[Dropped] = field(default_factory=list)


def take_facts(lines: Sequence[Line]) -> tuple[list[Line], Head]:
    """Read "Date: …", "Place: …" and the like above the text, with or without ``---`` fences."""
    head = Head()
    first = next(index for index, line in enumerate(lines) if line.text.strip())
    top, rest = list(lines[first : first + FACTS_WITHIN]), lines[first + FACTS_WITHIN :]
    closing = _closing_fence(top)
    used: set[int] = set()
    for index, line in enumerate(top):
        text = line.text.strip()
        if index > closing >= 0 or (closing < 0 and len(text) > LONGEST):
            break
        found = _META.match(text)
        key = words.META_KEYS.get(found[1].casefold()) if found else None
        if found and key and key not in head.facts:
            head.facts[key] = Line(line.number, plain(found[2]).strip("\"'"))
            head.dropped.append(Dropped(line.number, META.format(key), text))
        elif closing >= 0 and text:
            head.dropped.append(Dropped(line.number, OTHER_FACT, text))
        else:
            continue
        used.add(index)
    return [*(line for at, line in enumerate(top) if at not in used), *rest], head


def _closing_fence(top: Sequence[Line]) -> int:
    """Return where the facts between two ``---`` lines end, or -1 when there are none."""
    if top[0].text.strip() != "---":
        return -1
    for index, line in enumerate(top[1:], start=1):
        if line.text.strip() in {"---", "..."}:
            return index
        if not _ANY_FACT.match(line.text):
            return -1
    return -1


def take_page_title(blocks: Sequence[Block], *, had_icons: bool) -> tuple[list[Block], Head]:
    """Find the title that a page repeats: "Title | Site" above, or the same line twice.

    The line above goes, and so does each line that says the title again.
    """
    head = Head()
    if not blocks or len(blocks[0].lines) > 1:
        return list(blocks), head
    top, rest = blocks[0], list(blocks[1:])
    title = _page_title(top.text, rest, had_icons=had_icons)
    if not title:
        return list(blocks), head
    head.title = title
    reason = AS_TITLE if same(title, top.text) else f"{AS_TITLE}, without {PAGE_TITLE}"
    head.dropped += top.dropped(reason)
    return rest, head


def _page_title(line: str, rest: Sequence[Block], *, had_icons: bool) -> str:
    for cut in (_BAR, _DASH):
        parts = cut.split(line, maxsplit=1)
        if len(parts) < 2:  # noqa: PLR2004 - two halves
            continue
        name = plain(parts[0])
        again = any(same(name, block.text) for block in rest if len(block.lines) == 1)
        sure = again or (cut is _BAR and (had_icons or not ends_sentence(line)))
        if name and sure and len(name) <= 2 * LONGEST:
            return name
    if line.endswith(".") or len(line) > 2 * LONGEST:
        return ""
    again = any(same(line, block.text) for block in rest if len(block.lines) == 1)
    return plain(line) if again or had_icons else ""


def take_markdown_title(blocks: Sequence[Block]) -> tuple[list[Block], Head]:
    """Find a ``# `` heading (or one underlined with ``=``) among the first blocks."""
    head = Head()
    for index, block in enumerate(blocks[:TITLE_WITHIN]):
        level, text = heading_of(block)
        if level == 1 and plain(text):
            head.title = plain(text)
            head.dropped += block.dropped(AS_TITLE)
            return [*blocks[:index], *blocks[index + 1 :]], head
    return list(blocks), head


def heading_of(block: Block) -> tuple[int, str]:
    """Return a Markdown heading's level and words; level 0 when it is none."""
    found = HEADING.match(block.text) if len(block.lines) == 1 else None
    if found:
        return len(found[1]), found[2]
    underline = _UNDERLINE.match(block.lines[-1].text) if len(block.lines) > 1 else None
    if underline:
        level = 1 if underline[1].startswith("=") else 2
        return level, " ".join(line.text.strip() for line in block.lines[:-1])
    return 0, ""


def take_first_line(blocks: Sequence[Block]) -> tuple[list[Block], Head]:
    """Take a short first line that is no sentence, with text below it, as the title."""
    head = Head()
    if len(blocks) > 1 and len(blocks[0].lines) == 1:
        text = blocks[0].plain
        is_short = words_in(text) > 1 and len(text) <= LONGEST
        if is_short and not text.endswith((".", ":", ";", ",")) and _has_longer(blocks, text):
            head.title = text
            head.dropped += blocks[0].dropped(AS_TITLE)
            return list(blocks[1:]), head
    return list(blocks), head


def _has_longer(blocks: Sequence[Block], text: str) -> bool:
    return any(len(block.text) > len(text) for block in blocks[1:])


def without(title: str, blocks: Sequence[Block]) -> tuple[list[Block], list[Dropped]]:
    """Leave out every line that only says the title again."""
    kept = [block for block in blocks if len(block.lines) > 1 or not same(title, block.text)]
    gone = [block for block in blocks if len(block.lines) == 1 and same(title, block.text)]
    return kept, [line for block in gone for line in block.dropped(AGAIN)]


def built_from(paragraph: str) -> str:
    """Make a title in the report's own words: its first sentence, cut where it must be."""
    text = plain(paragraph)
    first = (sentences(text) or [text])[0]
    whole = shortened(first, BUILT)
    return whole if whole.endswith("…") else whole.rstrip(".")
