"""What the tests of languages read: the sources' strings, the catalogue, words left in English."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from tests.reading import Page

ROOT = Path(__file__).parent.parent.parent
FRENCH = ROOT / "donorhub" / "translations" / "fr" / "LC_MESSAGES" / "messages.po"
SPOKEN = ("alt", "aria-label", "placeholder", "title", "label")
ATTRIBUTE = re.compile(r"([\w-]+)=\"([^\"]*)\"")
SENTENCE = re.compile(r"[A-ZÀ-Ý][a-zà-ÿ’]+(?!\w)")
# Stands where a template has an expression: also within a tag, as in <h{{ level }}>.
EXPRESSION = "0"
VALUE = re.compile(r"%\(\w+\)[sd]|%%")


@cache
def catalogue() -> Catalog:
    with FRENCH.open("rb") as file:
        return read_po(file, locale="fr")


def messages() -> list[Message]:
    return [message for message in catalogue() if message.id]


def english(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def french(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


@cache
def extracted() -> dict[str | tuple[str, ...], str]:
    """Every msgid of the sources and where it stands, found as `make messages` finds them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    mappings = project["tool"]["babel"]["mappings"]
    tops = {entry["pattern"].split("/")[0] for entry in mappings}
    found = extract_from_dir(
        ROOT,
        [(entry["pattern"], entry["method"]) for entry in mappings],
        {entry["pattern"]: entry for entry in mappings},
        DEFAULT_KEYWORDS | {"_l": None},
        directory_filter=lambda path: Path(path).relative_to(ROOT).parts[0] in tops,
    )
    return {message: f"{path}:{line}" for path, line, message, _, _ in found}


class Bare(HTMLParser):
    """Words of a template's own source, its expressions already taken out."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        for name, value in attrs:
            self._attribute(name, value or "")

    def handle_data(self, data: str) -> None:
        """Some templates are pieces of a tag: their attributes arrive here as text."""
        for name, value in ATTRIBUTE.findall(data):
            self._attribute(name, value)
        self._note(ATTRIBUTE.sub("", data))

    def _attribute(self, name: str, value: str) -> None:
        if name in SPOKEN:
            self._note(value)

    def _note(self, words: str) -> None:
        pieces = words.split(EXPRESSION)
        self.found += [each.strip() for each in pieces if any(map(str.isalpha, each))]


def bare_words(source: str, *, markup: bool) -> list[str]:
    """What a template would show in one language only: its text, and words in expressions."""
    tree = Environment(extensions=["jinja2.ext.do"], autoescape=True).parse(source)
    own = EXPRESSION.join(part.data for part in tree.find_all(nodes.TemplateData))
    lines = Bare(own).found if markup else own.splitlines()
    said = {
        id(part)
        for call in tree.find_all(nodes.Call)
        if getattr(call.node, "name", "") in ("_", "gettext", "ngettext")
        for part in call.args
    }
    unsaid = [each.value for each in tree.find_all(nodes.Const) if id(each) not in said]
    found = [line.strip() for line in lines if any(letter.isalpha() for letter in line)]
    return found + [each for each in unsaid if isinstance(each, str) and SENTENCE.match(each)]


def english_left(page: Page) -> set[str]:
    """Pieces of English msgids, of three words or whole, that a reader of this page meets."""
    spoken = [
        value
        for _, found, _ in page.elements
        for name, value in found.items()
        if name in (*SPOKEN, "content") or name.startswith("data-say")
    ]
    heard = "\n".join([page.words, *spoken])
    whole = {text.strip() for texts in page.texts.values() for text in texts} | set(spoken)
    left = set()
    for message in messages():
        for words in english(message):
            pieces = [piece.strip() for piece in VALUE.split(words)]
            left |= {each for each in pieces if len(each.split()) > 2 and each in heard}
            left |= {words} & whole - set(french(message))
    return left
