"""Pseudonym marks (``Manisha*`` … ``*A pseudonym.``) and signs that Markdown would swallow."""

from __future__ import annotations

import re
from collections.abc import Sequence

from donorhub.stories.rules import words
from donorhub.stories.rules.blocks import LIST_ITEM, Block, Dropped, words_in
from donorhub.stories.rules.markup import plain

LONGEST_NOTE = 40
NOTE = "kept as the pseudonym note"

_PHRASE = re.compile("|".join(words.PSEUDONYM_PHRASES), re.IGNORECASE)
_SIGN = re.compile(r"(?:\\?\*){1,3}|[†‡]")
_MARKED = re.compile(r"([^\W\d_][\w’'-]{0,60}+)((?:\\\*){1,3}|[†‡])(?!\w)")
_INLINE = re.compile(r"[\\`*_\[\]<~]|&(?=#?\w)")
_AT_START = re.compile(r"#{1,6}(?:\s|$)|[>+=-]")
_NUMBER_AT_START = re.compile(r"\d{1,9}[.)](?:\s|$)")


def take_note(blocks: Sequence[Block]) -> tuple[list[Block], str, list[Dropped]]:
    """Part the pseudonym notes from the text; return the text, the note, and the lines used.

    A note is a line that begins with a mark and speaks of names that are not real ones, or a
    short paragraph in the last third that does nothing else.
    """
    kept: list[Block] = []
    notes: list[str] = []
    used: list[Dropped] = []
    for position, block in enumerate(blocks):
        is_late = position * 3 >= len(blocks) * 2
        rest = []
        for line in block.lines:
            if _is_note(line.text, alone=is_late and len(block.lines) == 1):
                notes.append(line.text)
                used.append(Dropped(line.number, NOTE, line.text))
            else:
                rest.append(line)
        if rest:
            kept.append(Block(tuple(rest)))
    return kept, _join(notes), used


def _is_note(line: str, *, alone: bool) -> bool:
    text = line.strip()
    if words_in(text) > LONGEST_NOTE or not _PHRASE.search(text):
        return False
    return bool(_SIGN.match(text)) or (alone and words_in(text) <= LONGEST_NOTE // 2)


def _join(notes: Sequence[str]) -> str:
    if len(notes) == 1:
        return plain(_SIGN.sub("", notes[0], count=1))
    return " ".join(dict.fromkeys(" ".join(note.replace("\\", "").split()) for note in notes))


def escape_plain(line: str) -> str:
    """Write a line of plain text so that Markdown shows it sign by sign."""
    text = _INLINE.sub(r"\\\g<0>", line.strip())
    if _NUMBER_AT_START.match(text):
        return re.sub(r"(?<=\d)(?=[.)])", r"\\", text, count=1)
    return "\\" + text if _AT_START.match(text) else text


def escape_list_item(line: str) -> str:
    """Write an item of a plain list as a Markdown item."""
    mark, _, rest = line.strip().partition(" ")
    return f"{mark if mark[0].isdigit() else '-'} {escape_plain(rest)}"


def is_list(block: Block) -> bool:
    """Tell whether each line of a plain block is an item, and numbers count from one."""
    if not all(LIST_ITEM.match(line.text.strip()) for line in block.lines):
        return False
    marks = [line.text.split()[0] for line in block.lines]
    if not marks[0][0].isdigit():
        return not any(mark[0].isdigit() for mark in marks) and not _has_note_mark(block)
    return [mark[:-1] for mark in marks] == [str(n) for n in range(1, len(marks) + 1)]


def _has_note_mark(block: Block) -> bool:
    return any(_PHRASE.search(line.text) and line.text.lstrip()[0] == "*" for line in block.lines)


def marked_names(body: str) -> list[str]:
    """Return the words that carry a pseudonym mark in a finished body, once each, in order."""
    return list(dict.fromkeys(found[1] for found in _MARKED.finditer(body)))


def unpaired(body: str, note: str) -> list[str]:
    """Say where marks and notes do not belong together."""
    names = marked_names(body)
    if names and not note:
        listed = ", ".join(f"“{name}”" for name in names[:5])
        return [f"{listed} carries a pseudonym mark, but no note explains it: add one to publish."]
    if note and not names:
        return ["There is a pseudonym note, but no name in the text carries its mark."]
    return []
