"""Text that people wrote, made safe to show."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

ALLOWED_TAGS = {
    "p", "h2", "h3", "h4", "blockquote", "em", "strong", "ul", "ol", "li", "a", "br", "hr",
}  # fmt: skip
ALLOWED_SCHEMES = {"https", "mailto"}

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False})
_markdown.disable(["image", "html_block", "html_inline", "code", "fence"])


@lru_cache(maxsize=512)
def render_markdown(source: str) -> Markup:
    """Render Markdown to a short list of harmless elements; markup in it stays text.

    Raw HTML is never read, and the result still goes through an explicit allow list.
    """
    return Markup(  # noqa: S704 - this is the one sanitiser
        nh3.clean(
            _markdown.render(source),
            tags=ALLOWED_TAGS,
            attributes={"*": set(), "a": {"href"}},
            url_schemes=ALLOWED_SCHEMES,
            url_relative="deny",
            link_rel="nofollow noopener",
        )
    )


def one_line(text: str, longest: int) -> str:
    """Return text without control characters or line breaks, at most ``longest`` signs."""
    kept = "".join(
        " " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign
        for sign in unicodedata.normalize("NFC", text)
        if unicodedata.category(sign) not in {"Cf", "Cs", "Co", "Cn"} or sign in "\u200c\u200d"
    )
    return " ".join(kept.split())[:longest]
