"""A page taken apart: its elements in reading order, and its words."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset(
    "area base br col embed hr img input link meta source track wbr".split()  # noqa: SIM905
)
INLINE = frozenset(
    "a abbr b code em i mark q s small span strong sub sup time u wbr".split()  # noqa: SIM905
)


class Page(HTMLParser):
    """The elements of a page in reading order, each with the elements around it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.around: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.html = html
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found, tuple(self.around)))
        self._pause(tag)
        if tag not in VOID:
            self.around.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._pause(tag)
        if tag in self.around:
            while self.around.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        for tag in set(self.around):
            self.texts[tag][-1] += data

    def _pause(self, tag: str) -> None:
        if tag not in INLINE:
            self.handle_data(" ")

    def all(self, *tags: str) -> list[dict[str, str]]:
        """The attributes of every element of these kinds."""
        return [attributes for tag, attributes, _ in self.elements if tag in tags]

    @property
    def words(self) -> str:
        """What a reader sees, on one line."""
        return " ".join("".join(self.texts.get("body", [])).split())
