"""Writes a report's blocks as the Markdown of a story: headings, quotations, lists, paragraphs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from donorhub.stories.rules import words
from donorhub.stories.rules.blocks import (
    CLOSING_QUOTES,
    LIST_ITEM,
    OPENING_QUOTES,
    RULE,
    Block,
    words_in,
)
from donorhub.stories.rules.marks import escape_list_item, escape_plain, is_list
from donorhub.stories.rules.markup import escape_marks
from donorhub.stories.rules.titles import heading_of

GIVE = "[[give]]"
"""A line that says where in a story the page puts its call to give."""
HEADING_WORDS = 8
LONGEST_HEADING = 100
LOWEST_LEVEL = 4
QUOTED_WORDS = 4

_SECTION = re.compile(rf"([^:\n]{{2,{LONGEST_HEADING}}}?)\s?:(?:\s+|$)")
_NOT_IN_HEADING = re.compile(r"[.!?;“”\"«»…<>*_`|\[\]]")
_QUOTATION = re.compile(r"“[^“”]*[”]|«[^«»]*»|\"[^\"]*\"|„[^„“]*“")


def section(text: str) -> tuple[str, str]:
    """Part "Rescue Operation: In March, …" into its heading and text; ("", text) if it has none.

    A heading has one to eight words, each beginning with a capital except small ones, and
    what follows the colon begins like a sentence.
    """
    found = _SECTION.match(text)
    if not found or _NOT_IN_HEADING.search(found[1]):
        return "", text
    heading, rest = found[1].strip(), text[found.end() :]
    parts = heading.split()
    if not 1 <= len(parts) <= HEADING_WORDS or not _begins_large(parts[0]):
        return "", text
    if not all(_begins_large(part) or part.casefold() in words.SMALL_WORDS for part in parts):
        return "", text
    begins = rest[:1]
    if sum(map(str.isalpha, heading)) < 2 or begins.islower() or begins in set(OPENING_QUOTES):  # noqa: PLR2004
        return "", text
    return heading, rest


def _begins_large(word: str) -> bool:
    first = word.lstrip("('’")[:1]
    return first.isupper() or first.isdigit() or (first == "&" and len(word) == 1)


def is_quotation(text: str) -> bool:
    """Tell whether a paragraph opens with a quote mark and is mostly someone's own words."""
    if text[:1] not in set(OPENING_QUOTES):
        return False
    quoted = sum(len(found[0]) for found in _QUOTATION.finditer(text))
    tail = _QUOTATION.sub("", text)
    for mark in OPENING_QUOTES:
        if mark in tail and not (set(CLOSING_QUOTES) & set(tail[tail.index(mark) + 1 :])):
            quoted += len(tail) - tail.index(mark)
            break
    return quoted * 2 >= len(text)


def holds_quotation(text: str) -> bool:
    """Tell whether someone's words (at least four of them) stand in a text."""
    return is_quotation(text) or any(
        words_in(found[0]) >= QUOTED_WORDS for found in _QUOTATION.finditer(text)
    )


def write(blocks: Sequence[Block], *, markdown: bool) -> tuple[list[str], int, list[Block]]:
    """Return the Markdown blocks, how many quotations they hold, and the drawn lines left out."""
    scribe = _Scribe(markdown=markdown)
    drawn: list[Block] = []
    for block in blocks:
        if RULE.fullmatch(block.text.strip()):
            drawn.append(block)
        else:
            scribe.write(block)
    return scribe.parts, scribe.quotations, drawn


class _Scribe:
    """Writes block after block; remembers the level of the last heading."""

    def __init__(self, *, markdown: bool) -> None:
        self.markdown = markdown
        self.parts: list[str] = []
        self.quotations = 0
        self.level = 1
        self.open_quote = False

    def write(self, block: Block) -> None:
        level, words_of_heading = heading_of(block) if self.markdown else (0, "")
        if level:
            self.heading(level, escape_marks(words_of_heading))
        elif block.text.strip() == GIVE:
            self.parts.append(GIVE)
        elif self.markdown and _is_structure(block):
            self.quotations += block.text.lstrip().startswith(">")
            self.parts.append(escape_marks(block.text))
        elif not self.markdown and is_list(block):
            self.parts.append("\n".join(escape_list_item(line.text) for line in block.lines))
        else:
            self.prose(block)

    def prose(self, block: Block) -> None:
        text = "\n".join(line.text.strip() for line in block.lines)
        title, rest = section(text)
        if title:
            self.heading(2, self.inline(title))
        if rest:
            self.paragraph(rest)

    def heading(self, level: int, text: str) -> None:
        self.level = min(max(level, 2), self.level + 1, LOWEST_LEVEL)
        self.parts.append(f"{'#' * self.level} {text}")

    def paragraph(self, text: str) -> None:
        self.quotations += holds_quotation(text)
        written = self.inline(text)
        if not is_quotation(text):
            self.parts.append(written)
            return
        self.parts.append("\n".join(f"> {line}" for line in written.split("\n")))

    def inline(self, text: str) -> str:
        if self.markdown:
            return escape_marks(text)
        return "\n".join(escape_plain(line) for line in text.split("\n"))


def _is_structure(block: Block) -> bool:
    first = block.lines[0].text
    return first.startswith((" ", "\t", ">")) or bool(LIST_ITEM.match(first))
