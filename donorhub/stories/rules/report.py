"""Reads a partner's report, plain text or Markdown, into the draft of a story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from donorhub.stories.rules import dates, furniture, marks, titles
from donorhub.stories.rules.blocks import (
    Block,
    Dropped,
    looks_like_markdown,
    paragraphs,
    same,
    sentences,
    shortened,
)
from donorhub.stories.rules.dates import DatePrecision
from donorhub.stories.rules.reading import CannotRead, Line, read_lines
from donorhub.stories.rules.writing import write

LONGEST_SUMMARY = 240
LONGEST_TITLE = 200
FIRST_PARAGRAPHS = 2
NO_TEXT = "The file holds no text of a report, only a page's furniture."


@dataclass(frozen=True, slots=True)
class Draft:
    """A story as an editor first sees it, and everything that was decided on the way."""

    title: str
    summary: str
    body_markdown: str
    pseudonym_note: str | None = None
    quotes: int = 0
    dropped: tuple[Dropped, ...] = ()
    warnings: tuple[str, ...] = ()
    happened_on: date | None = None
    date_precision: DatePrecision = DatePrecision.HIDDEN
    place: str | None = None


@dataclass(slots=True)
class _Work:
    """What is known so far."""

    blocks: list[Block]
    markdown: bool
    had_icons: bool
    facts: dict[str, Line]
    dropped: list[Dropped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    happened: dates.Found | None = None
    title: str = ""
    built: bool = False


def read_report(data: bytes, *, title: str | None = None, markdown: bool | None = None) -> Draft:
    """Read a report; no sentence of its text is lost or changed. Raise CannotRead.

    ``markdown`` says how it is written (None: judge by the text). ``title`` is the editor's own.
    """
    work = _begin(data, markdown=markdown)
    work.blocks, gone, warnings = furniture.remove(work.blocks)
    work.dropped += gone
    work.warnings += warnings
    _name(work, " ".join((title or "").split())[:LONGEST_TITLE])
    _date(work)
    return _finish(work)


def _begin(data: bytes, *, markdown: bool | None) -> _Work:
    lines, warnings = read_lines(data)
    lines, head = titles.take_facts(lines)
    if markdown is None:
        markdown = looks_like_markdown(lines)
    clear: list[Line] = []
    dropped = head.dropped
    had_icons = False
    for line in lines:
        rest: Line | None = line
        while rest:
            before, rest, gone = furniture.without_icons(rest)
            dropped += gone
            had_icons = had_icons or (bool(gone) and not any(kept.text for kept in clear))
            clear += [before] if before.text or not gone else []
    blocks = [part for block in paragraphs(clear, markdown=markdown) for part in _parted(block)]
    return _Work(blocks, markdown, had_icons, head.facts, dropped, warnings)


def _parted(block: Block) -> list[Block]:
    """Give a menu's words, glued above or below a paragraph, blocks of their own."""
    lines = list(block.lines)
    above: list[Block] = []
    below: list[Block] = []
    while len(lines) > 1 and furniture.is_navigation(lines[0].text):
        above.append(Block((lines.pop(0),)))
    while len(lines) > 1 and furniture.is_navigation(lines[-1].text) and _ended(lines[-2].text):
        below.insert(0, Block((lines.pop(),)))
    return [*above, Block(tuple(lines)), *below]


def _ended(line: str) -> bool:
    return line.rstrip().endswith((".", "!", "?", "…", "”", '"', "»")) or furniture.is_navigation(
        line
    )


def _name(work: _Work, given: str) -> None:
    """Find the title: given, in the facts, marked, repeated, standing first, or built."""
    fact = work.facts.get("title")
    found, head = _own_title(work, has_fact=fact is not None)
    chosen = given or (fact.text if fact else head.title)
    if given and not same(given, head.title):
        head.dropped = [Dropped(d.line, titles.REPLACED, d.text) for d in head.dropped]
    for title in (head.title, chosen):
        found, again = titles.without(title, found)
        head.dropped += again
    if found:
        work.blocks = found
        work.dropped += head.dropped
    _require_text(work.blocks)
    if not chosen:
        work.built = True
        chosen = titles.built_from(_prose(work)[0])
        work.warnings.append(
            f"The report has no title. This one is its first words: “{chosen}”. "
            "Give a better one with --title."
        )
    work.title = shortened(chosen, LONGEST_TITLE)


def _own_title(work: _Work, *, has_fact: bool) -> tuple[list[Block], titles.Head]:
    """Find the title that stands in the text itself."""
    found, head = work.blocks, titles.Head()
    if work.markdown:
        found, head = titles.take_markdown_title(work.blocks)
    if not head.title:
        found, head = titles.take_page_title(work.blocks, had_icons=work.had_icons)
    if not head.title and not has_fact:
        found, head = titles.take_first_line(work.blocks)
    return found, head


def _require_text(blocks: Sequence[Block]) -> None:
    if not any(any(sign.isalnum() for sign in block.text) for block in blocks):
        raise CannotRead(NO_TEXT)


def _date(work: _Work) -> None:
    """Find the date in the facts, on a line of its own, or in the first paragraphs."""
    if fact := work.facts.get("date"):
        work.happened = dates.first_date(fact.text)
        if not work.happened:
            work.warnings.append(f"Line {fact.number}: “{fact.text}” is not a date with a year.")
        return
    if not _date_line(work):
        _date_in_text(work, work.blocks[:FIRST_PARAGRAPHS])


def _date_line(work: _Work) -> bool:
    for block in work.blocks[: FIRST_PARAGRAPHS + 1]:
        own = dates.only_date(block.plain) if len(block.lines) == 1 else None
        if own and len(work.blocks) > 1:
            work.blocks = [other for other in work.blocks if other is not block]
            work.dropped += block.dropped(titles.META.format("date"))
            work.happened = own
            work.warnings.append(
                f"Line {block.number} is taken as the date on which it happened: check it."
            )
            return True
    return False


def _date_in_text(work: _Work, blocks: Sequence[Block]) -> None:
    for block in blocks:
        if found := dates.first_date(block.plain):
            exact = found[1] is DatePrecision.DAY
            work.happened = (found[0], DatePrecision.MONTH if exact else found[1])
            work.warnings.append(
                f"Line {block.number} names a date; readers see its {work.happened[1]}. Check that "
                "the story happened then, and that the text itself may be as exact as it is."
            )
            return
        if day := dates.day_without_year(block.plain):
            work.warnings.append(
                f"Line {block.number} says “{day}” without a year: no date is shown."
            )
            return


def _finish(work: _Work) -> Draft:
    work.blocks, note, used = marks.take_note(work.blocks)
    work.dropped += used
    _require_text(work.blocks)
    if work.markdown and any(level == 1 for level, _text in map(titles.heading_of, work.blocks)):
        work.warnings.append("There is more than one main heading: the further ones are sections.")
    parts, quotes, drawn = write(work.blocks, markdown=work.markdown)
    for block in drawn:
        work.dropped += block.dropped(furniture.DRAWN)
    body = "\n\n".join(parts) + "\n"
    work.warnings += marks.unpaired(body, note)
    happened, precision = work.happened or (None, DatePrecision.HIDDEN)
    place = work.facts.get("place")
    summary = work.facts.get("summary")
    return Draft(
        title=work.title,
        summary=summary.text if summary else _summary(work),
        body_markdown=body,
        pseudonym_note=note or None,
        quotes=quotes,
        dropped=tuple(sorted(work.dropped, key=lambda gone: gone.line)),
        warnings=tuple(work.warnings),
        happened_on=happened,
        date_precision=precision,
        place=place.text if place else None,
    )


def _prose(work: _Work) -> tuple[str, str]:
    """Return the words of the first block and of the first paragraph that has any."""
    worded = [block for block in work.blocks if any(map(str.isalnum, block.plain))]
    prose = [block for block in worded if not titles.heading_of(block)[0]] or worded
    if not prose:
        raise CannotRead(NO_TEXT)
    return worded[0].plain, prose[0].plain


def _summary(work: _Work) -> str:
    """Return the first sentences of the text that fit, without the one the title is made of."""
    said = sentences(_prose(work)[-1])
    if work.built and len(said) > 1:
        said = said[1:]
    summary = said[0]
    for _last, sentence in pairwise(said):
        if len(summary) + len(sentence) + 1 > LONGEST_SUMMARY:
            break
        summary = f"{summary} {sentence}"
    return shortened(summary, LONGEST_SUMMARY)
