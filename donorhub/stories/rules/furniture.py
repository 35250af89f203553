"""Tells a web page's furniture (menus, icons, forms, slogans) from the report it surrounds.

What is left out is short, known by its words or by its neighbours, and always reported.
A long ordinary paragraph is never left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from donorhub.stories.rules import words
from donorhub.stories.rules.blocks import Block, Dropped, ends_sentence, words_in
from donorhub.stories.rules.markup import plain
from donorhub.stories.rules.reading import Line

LONGEST = 60
LONGEST_SIGNS = 600
"""A paragraph of more words, or more characters, is text, whatever it says."""
NEIGHBOURS = 2
"""So many blocks without a sign of their own may stand between two that have one."""
FRAGMENTS = 3
"""So many scraps (a name, a town) may trail behind the last sign."""
SCRAP = 6
LEAST_RUN = 6
LEAST_ICONS = 3

NAVIGATION = "a navigation word"
ICONS = "icon names"
MATCH = "a match is shown from the live pool, never from text"
FORM = "a form's or a contact's boilerplate"
CONTACT = "contact details: they belong to the press contact, not to the story"
RELATED = "page furniture below a known heading"
DRAWN = "a drawn line"
PICTURE = "a picture is uploaded with the story, not linked from another site"

_FORM = re.compile("|".join(words.FORM_PHRASES), re.IGNORECASE)
_WEAK = re.compile("|".join(words.WEAK_PHRASES), re.IGNORECASE)
_MATCH = re.compile("|".join(words.MATCH_PROMISES), re.IGNORECASE)
_EMAIL = r"(?:mailto:)?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"
_PHONE = r"\+?\(?\d[\d\s().\-–/]{5,24}\d(?:\s*(?:x|ext|poste|#)\.?\s*\d{1,6})?"
_LABEL = (
    r"(?:(?:phone|tel|telephone|mobile|fax|e-?mail|web|website|téléphone|courriel)\s*[.:]*\s*)?"
)
_CONTACT = re.compile(rf"{_LABEL}(?:{_EMAIL}|{_PHONE}|https?://\S+|www\.\S+)\W*", re.IGNORECASE)
_DATE_LIKE = re.compile(
    r"(?:\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4}|\d{4}(?:\s*[-–/]\s*\d{2,4})?)\W*"
)
_IMAGE = re.compile(r"(?:!\[[^\[\]\n]*\]\([^()\n]*\)\s*)+")
_ASK = re.compile(
    r"(?i)^(?:please )?(?:give|donate|faites un don)\b.{0,40}\b(?:now|today|here|maintenant)\W*$"
)


def without_icons(line: Line) -> tuple[Line, Line | None, list[Dropped]]:
    """Cut the first run of icon names out of a line; return what stands before and after."""
    tokens = line.text.split()
    start, end = _icon_run(tokens)
    if end == start:
        return line, None, []
    head, tail = " ".join(tokens[:start]), " ".join(tokens[end:])
    dropped = [Dropped(line.number, ICONS, " ".join(tokens[start:end]))]
    after = Line(line.number, tail) if tail else None
    return Line(line.number, head), after, dropped


def _icon_run(tokens: Sequence[str]) -> tuple[int, int]:
    start = end = icons = names = 0
    for index, token in enumerate(tokens):
        kind = _icon_kind(token)
        if kind:
            if index > end + 1 or not names:
                if names >= LEAST_RUN and icons >= LEAST_ICONS:
                    break
                start, icons, names = index, 0, 0
            end, names, icons = index + 1, names + 1, icons + (kind == "sure")
    return (start, end) if names >= LEAST_RUN and icons >= LEAST_ICONS else (0, 0)


def _icon_kind(token: str) -> str:
    """Say whether a token is surely, maybe or not (empty) the name of an icon."""
    if token in words.BRANDS:
        return "sure"
    if token in words.ICONS:
        return "maybe"
    head, hyphen, _ = token.partition("-")
    named = head in words.ICONS or head in words.BRANDS
    return "sure" if hyphen and named and token.isascii() and token.islower() else ""


def is_navigation(text: str) -> bool:
    """Tell whether a line is nothing but a link's or a button's words."""
    if len(text) > LONGEST_SIGNS:
        return False
    bare = plain(text).casefold().replace("’", "'").rstrip("…:!→›»>|<‹« ").removesuffix("...")
    bare = bare.lstrip("→›»>|<‹« ").strip()
    if bare in words.NAVIGATION or _ASK.match(bare):
        return True
    tokens = re.split(r"[\s,|/·•]+", bare)
    return all(token in words.BRANDS for token in tokens) and (
        len(tokens) > 1 or tokens[0] not in words.AMBIGUOUS_BRANDS
    )


def is_long(block: Block) -> bool:
    """Tell whether a paragraph is too long to be furniture."""
    return words_in(block.text) > LONGEST or len(block.text) > LONGEST_SIGNS


def is_match_promise(text: str) -> bool:
    """Tell whether a reader's text promises that gifts are matched."""
    return bool(_MATCH.search(text))


def is_contact(text: str) -> bool:
    """Tell whether a line is nothing but a telephone number, an address or a link."""
    if len(text) > LONGEST_SIGNS:
        return False
    bare = plain(text)
    return bool(_CONTACT.fullmatch(bare)) and not _DATE_LIKE.fullmatch(bare)


def is_known_heading(block: Block) -> bool:
    """Tell whether a block is a heading that page furniture usually stands under."""
    if len(block.lines) > 1 or len(block.text) > LONGEST_SIGNS:
        return False
    bare = block.plain.casefold().replace("’", "'")
    return bare.rstrip("…:?!.→›»> ") in words.HEADINGS


def sign(block: Block) -> str:
    """Return why a block by itself is furniture, or an empty string."""
    if is_long(block):
        return ""
    text = block.plain
    if all(is_navigation(line.text) for line in block.lines):
        return NAVIGATION
    if _IMAGE.fullmatch(block.text):
        return PICTURE
    if is_match_promise(text):
        return MATCH
    if all(is_contact(line.text) for line in block.lines):
        return CONTACT
    return FORM if _FORM.search(text) else ""


def remove(blocks: Sequence[Block]) -> tuple[list[Block], list[Dropped], list[str]]:
    """Part the report from its furniture; return the report, what went, and warnings."""
    kept: list[Block] = []
    dropped: list[Dropped] = []
    warnings: list[str] = []
    index = 0
    while index < len(blocks):
        block = blocks[index]
        end = _group_end(blocks, index) if is_known_heading(block) else index
        if end > index:
            for member in blocks[index:end]:
                dropped += member.dropped(sign(member) or RELATED)
            index = end
            continue
        index += 1
        if reason := sign(block):
            dropped += block.dropped(reason)
            continue
        if is_match_promise(block.plain):
            warnings.append(
                f"Line {block.number} promises a match inside a long paragraph: take the promise "
                "out before you publish, the page shows the live pool."
            )
        kept.append(block)
    return kept, dropped, warnings


def _group_end(blocks: Sequence[Block], start: int) -> int:
    """Return the index after the furniture that a known heading begins (start if it is none)."""
    end = first = start + 1
    if first == len(blocks) or is_known_heading(blocks[first]):
        return first
    evidence = False
    for index, block in enumerate(blocks[first:], start=first):
        if is_known_heading(block):
            return index if evidence else start
        if is_long(block) or index - end > NEIGHBOURS:
            break
        if _is_evidence(block):
            end, evidence = index + 1, True
    return _with_fragments(blocks, end) if evidence else start


def _with_fragments(blocks: Sequence[Block], end: int) -> int:
    for block in blocks[end : end + FRAGMENTS]:
        if not _is_fragment(block):
            break
        end += 1
    return end


def _is_evidence(block: Block) -> bool:
    return bool(sign(block) or _WEAK.search(block.plain)) or any(
        is_contact(line.text) for line in block.lines
    )


def _is_fragment(block: Block) -> bool:
    """A name, a town, a post: few words that make no sentence."""
    text = block.plain
    return words_in(text) <= SCRAP and not ends_sentence(text)
