"""Parts a story's body where the page puts its call to give."""

from __future__ import annotations

import re

from donorhub.stories.rules.blocks import LIST_ITEM
from donorhub.stories.rules.writing import GIVE

_GAP = re.compile(r"\n[ \t]*\n\s*")
_REFERENCE = re.compile(r"^ {0,3}\[[^\[\]\n]+\]:[ \t]*\S+.*$", re.MULTILINE)


def split_for_giving(body: str) -> tuple[str, str]:
    """Return the Markdown before and after the call to give.

    It stands where a line says ``[[give]]``, else after the first quotation, else in the
    middle: between paragraphs, never below a heading or inside a list. A body of one
    paragraph has nothing after it.
    """
    lines = body.split("\n")
    marked = [number for number, line in enumerate(lines) if line.strip() == GIVE]
    if marked:
        before = "\n".join(lines[: marked[0]])
        after = "\n".join(line for line in lines[marked[0] + 1 :] if line.strip() != GIVE)
        return _with_references(before.strip(), after.strip(), body)
    blocks = [block for block in _GAP.split(body.strip()) if block]
    at = _after_quotation(blocks) or _middle(blocks)
    return _with_references("\n\n".join(blocks[:at]), "\n\n".join(blocks[at:]), body)


def _after_quotation(blocks: list[str]) -> int:
    for at, block in enumerate(blocks[:-1], start=1):
        if block.startswith(">") and not blocks[at].startswith(">"):
            return at
    return 0


def _middle(blocks: list[str]) -> int:
    """Return the place nearest to the middle where the text may be parted (all, if nowhere)."""
    places = [at for at in range(1, len(blocks)) if _may_part(blocks[at - 1], blocks[at])]
    return min(places, key=lambda at: (abs(2 * at - len(blocks)), at), default=len(blocks))


def _may_part(before: str, after: str) -> bool:
    inside_list = bool(LIST_ITEM.match(after)) or after.startswith((" ", "\t"))
    return not before.startswith("#") and not inside_list


def _with_references(before: str, after: str, body: str) -> tuple[str, str]:
    """Give both halves the link targets that stand anywhere in the body."""
    references = "\n".join(_REFERENCE.findall(body))
    if not references or not after:
        return before, after
    return f"{before}\n\n{references}", f"{after}\n\n{references}"
