"""The few signs of Markdown that matter here: emphasis, links, escapes, stars behind names."""

from __future__ import annotations

import re

_STARS = re.compile(r"(?<!\\)(?<!\*)\*++")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*(?:[ \t]+\"[^\"\n]*\")?\)")
_LINE_SIGNS = re.compile(r"^[#>\s]+|\s#+$")
_SIGNS = re.compile(r"\\([\W_])|[*`]+|(?<!\w)_+(?=\w)|(?<=[^\W_])_+(?!\w)")


def escape_marks(text: str) -> str:
    """In Markdown, make the stars behind a name plain signs and leave emphasis alone."""
    opened: list[int] = []

    def judge(stars: re.Match[str]) -> str:
        run = stars[0]
        before = text[stars.start() - 1 : stars.start()]
        after = text[stars.end() : stars.end() + 1]
        opens = bool(after.strip()) and not (before and (before.isalnum() or before in ".,!?"))
        if opens:
            opened.append(len(run))
            return run
        if not before.strip():
            return run
        closing = 0
        while opened and closing + opened[-1] <= len(run):
            closing += opened.pop()
        return "\\*" * (len(run) - closing) + run[:closing]

    return _STARS.sub(judge, text)


def plain(text: str) -> str:
    """Return Markdown as a reader sees it, on one line (good enough to compare and to shorten)."""
    lines = (_LINE_SIGNS.sub("", _LINK.sub(r"\1", line)) for line in text.split("\n"))
    marked = escape_marks(" ".join(lines))
    return " ".join(_SIGNS.sub(lambda sign: sign[1] or "", marked).split())
