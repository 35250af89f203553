"""French is whole: every string of the sources, every page, the letter that thanks."""

from __future__ import annotations

import os
import re
import string
import tomllib
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask_babel import force_locale, get_domain
from jinja2 import Environment, nodes

from donorhub import campaigns, giving
from donorhub.giving import letters
from donorhub.kit import clock
from tests.builders import a_campaign, a_gift, a_match, a_paid_gift, a_story
from tests.builders.giving import cad

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
FRENCH = ROOT / "donorhub" / "translations" / "fr" / "LC_MESSAGES" / "messages.po"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
SPOKEN = ("alt", "aria-label", "placeholder", "title", "label")
PROPER_NAMES = {"English", "Français"}
PAGES = ("/", "/stories/", "/stories/the-open-door/", "/campaigns/winter-lights/",
         "/campaigns/winter-lights/give", "/fundraise/", "/press/")  # fmt: skip


@cache
def catalogue() -> Catalog:
    with FRENCH.open("rb") as file:
        return read_po(file, locale="fr")


def messages():
    return [message for message in catalogue() if message.id]


@cache
def extracted() -> dict[str | tuple[str, ...], str]:
    """Every msgid of the sources and where it stands, found as `make messages` finds them."""
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["babel"]
    mappings = configured["mappings"]
    tops = {entry["pattern"].split("/")[0] for entry in mappings}
    found = extract_from_dir(
        ROOT,
        [(entry["pattern"], entry["method"]) for entry in mappings],
        {entry["pattern"]: entry for entry in mappings},
        DEFAULT_KEYWORDS | {"_l": None},
        directory_filter=lambda path: Path(path).relative_to(ROOT).parts[0] in tops,
    )
    return {message: f"{path}:{line}" for path, line, message, _, _ in found}


@pytest.fixture(autouse=True)
def compiled(app):
    """The catalogue as the site reads it; `make test` compiles it, a lone pytest does so here."""
    target = FRENCH.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime >= FRENCH.stat().st_mtime:
        return
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    with fresh.open("wb") as file:
        write_mo(file, catalogue())
    fresh.replace(target)
    with app.app_context():
        get_domain().cache.clear()


@pytest.fixture
def bilingual(made):
    """A matched campaign and its story, both written in both languages; the campaign's id."""

    def build():
        found = a_campaign()
        texts = {
            "en": campaigns.CampaignText("Winter lights", "Keep the lights on.", "Why."),
            "fr": campaigns.CampaignText("Lumières d’hiver", "Gardons-les allumées.", "Pourquoi."),
        }
        campaigns.save_campaign(
            "winter-lights",
            texts=texts,
            goal=cad("10000"),
            suggested=[cad("25"), cad("50"), cad("100")],
            starts_at=clock.now(),
        )
        a_match(found, cap="1000")
        a_story()
        campaigns.link_story("winter-lights", "the-open-door")
        return found

    return made(build)


def forms(message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_every_string_of_the_sources_is_written_in_french():
    missing = []
    for message, place in extracted().items():
        french = catalogue().get(message)
        if french is None or french.fuzzy or not all(forms(french)):
            missing.append(f"{place}: {message}")
    assert len(extracted()) > 200
    assert not missing, "\n".join(missing)


def test_french_keeps_every_place_for_a_value():
    wrong = []
    for message in messages():
        *singular, last = [message.id] if isinstance(message.id, str) else message.id
        wanted = set(PLACEHOLDER.findall(last))
        least = set(PLACEHOLDER.findall(singular[0])) if singular else wanted
        found = [set(PLACEHOLDER.findall(form)) for form in forms(message)]
        kept = found[-1] == wanted and all(least <= each <= wanted for each in found)
        if not kept or list(message.check(catalogue())):
            wrong.append(message.id)
    assert not wrong


MARKS = {
    "a straight apostrophe or quotation mark": r"['\"“”]",
    "« or » without its no-break space": r"«(?![\u00a0\u202f])|(?<![\u00a0\u202f])»",
    "a colon without its no-break space": r"(?<![\u00a0\u202f]):",
    "a space before ; ! ?": r"\s[;!?]",
    "a sign or number that may stand alone on the next line": r" %%|\d (?=\w|%)",
    "tutoiement": r"(?i)\b(tu|ton|toi|tes)\b",
}


@pytest.mark.parametrize("fault", MARKS)
def test_french_is_set_as_it_is_in_canada(fault):
    shown = [PLACEHOLDER.sub("x", form) for message in messages() for form in forms(message)]
    allowed = ("25 ou 25,50",)
    wrong = [each for each in shown if re.search(MARKS[fault], _without(each, allowed))]
    assert not wrong


def _without(text: str, parts: tuple[str, ...]) -> str:
    for part in parts:
        text = text.replace(part, "")
    return text


class Bare(HTMLParser):
    """Words of a template's own source, its expressions already taken out."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in SPOKEN and value:
                self.handle_data(value)

    def handle_data(self, data: str) -> None:
        if any(letter.isalpha() for letter in data):
            self.found.append(data.strip())


def bare_words(source: str, *, markup: bool) -> list[str]:
    """What a template would show in one language only: its text, and sentences in expressions."""
    tree = Environment(extensions=["jinja2.ext.do"], autoescape=True).parse(source)  # noqa: S701
    own = "0".join(part.data for part in tree.find_all(nodes.TemplateData))
    if markup:
        found = Bare(own).found
    else:
        found = [line.strip() for line in own.splitlines() if set(line) & set(string.ascii_letters)]
    said = {
        id(part)
        for call in tree.find_all(nodes.Call)
        if getattr(call.node, "name", "") in ("_", "gettext", "ngettext")
        for part in call.args
    }
    constants = [each for each in tree.find_all(nodes.Const) if id(each) not in said]
    texts = [str(each.value) for each in constants if isinstance(each.value, str)]
    return found + [each for each in texts if re.match(r"[A-ZÀ-Ý][a-zà-ÿ’]", each)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_says_anything_past_the_catalogue(path):
    found = bare_words(path.read_text("utf-8"), markup=path.suffix != ".txt")
    assert [each for each in found if each not in PROPER_NAMES] == []


@pytest.mark.parametrize(
    "source",
    ["<p>Thank you</p>", '<img alt="A boat">', "{{ button('Give now') }}",
     "{% if x %}<b>{{ x }} gifts</b>{% endif %}", '<input placeholder="{{ x }} dollars">'],
)  # fmt: skip
def test_bare_words_are_seen_wherever_they_hide(source):
    assert bare_words(source, markup=True)
    assert bare_words("{{ _('Thanks') }}: <p title=\"{{ _('A') }}\">·</p>", markup=True) == []


def english_left(page) -> set[str]:
    """Pieces of English msgids that a reader of this page still meets."""
    spoken = [v for _, found, _ in page.elements for k, v in found.items()
              if k in (*SPOKEN, "content") or k.startswith("data-say")]  # fmt: skip
    heard = "\n".join([page.words, *spoken])
    pieces, short = set(), set()
    for message in messages():
        for each in [message.id] if isinstance(message.id, str) else message.id:
            if len(each.split()) < 3 and each not in forms(message):
                short.add(each)
            pieces |= {part.strip() for part in re.split(r"%\(\w+\)[sd]|%%", each)}
    whole = {text.strip() for texts in page.texts.values() for text in texts} | set(spoken)
    return {each for each in pieces if len(each.split()) > 2 and each in heard} | (short & whole)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_asked_for_in_french_is_french_to_the_last_sentence(bilingual, browse, address):
    page = browse(f"{address}?lang=fr")
    assert page.all("html")[0]["lang"] == "fr"
    assert english_left(page) == set()
    if address not in ("/stories/", "/fundraise/", "/press/"):
        assert "Votre don de 50 $ devient 100 $." in page.words
        assert "$50" not in page.html


def test_english_that_is_left_would_be_noticed(bilingual, browse):
    found = english_left(browse("/campaigns/winter-lights/give?lang=en"))
    assert {"How much?", "Gifts are doubled."} & found
    assert "Your card number never comes near us." in " ".join(found)


def test_the_language_comes_from_the_address_then_the_cookie_then_the_browser(
    bilingual, browse, client
):
    french = {"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"}
    assert "Récits" in browse("/", headers=french).texts["h2"]
    assert "Stories" in browse("/?lang=en", headers=french).texts["h2"]
    client.set_cookie("lang", "fr")
    assert "Récits" in browse("/", headers={"Accept-Language": "en-CA"}).texts["h2"]


def test_the_charitys_texts_come_in_the_readers_language(bilingual, browse):
    assert browse("/campaigns/winter-lights/?lang=fr").texts["h1"] == ["Lumières d’hiver"]
    page = browse("/stories/the-open-door/?lang=fr")
    assert page.texts["h1"] == ["The open door"]
    assert "en" in [found.get("lang") for found in page.all("div")]


def test_a_gift_is_followed_in_french_while_it_waits_and_when_it_has_come(
    bilingual, browse, made, stripe_simulator
):
    waiting = made(a_gift, bilingual, locale="fr")
    received = made(a_paid_gift, stripe_simulator, bilingual, locale="fr")
    for public_id, heading in ((waiting, "Nous attendons la banque"), (received, "Merci, Maya")):
        page = browse(f"/gifts/{public_id}/?lang=fr")
        assert page.texts["h1"] == [heading]
        assert english_left(page) == set()
        assert "50 $" in page.words


def test_a_mistake_is_explained_in_french_with_amounts_written_the_french_way(
    bilingual, form, client
):
    client.set_cookie("lang", "fr")
    page = form(amount="25.5.5", first_name="").page
    assert "2 choses à revoir" in page.words
    assert "Écrivez un montant comme 25 ou 25,50." in page.words
    assert english_left(page) == set()
    assert "2,9 % + 0,30 $" in page.words


def test_the_thank_you_letter_is_written_in_french(bilingual, app, made, stripe_simulator):
    public_id = made(a_paid_gift, stripe_simulator, bilingual, locale="fr", amount="50")

    def written(name):
        shown = letters.gift_thanks_content({"gift": public_id}, "fr")
        template = app.jinja_env.get_template(f"letters/giving/gift-thanks/{name}")
        return template.render(locale="fr", **shown)

    def read():
        with force_locale("fr"):
            return [written(name) for name in ("subject.txt", "body.txt", "body.html")]

    subject, text, html = made(read)
    assert subject == "Merci : votre don de 50 $ est arrivé"
    assert text.startswith("Bonjour Maya,\n\nMerci. Votre don de 50 $ pour « Lumières d’hiver »")
    assert "Avec la contrepartie de 50 $ offerte par Le Fonds Alder" in text
    assert "Débité de votre carte : 50,00 $" in text
    assert "Merci, Maya" in html


def test_french_says_premier_for_the_first_of_a_month(app):
    from donorhub.kit import present

    with app.test_request_context("/?lang=fr"):
        assert present.date_text(datetime(2027, 1, 1, tzinfo=UTC)) == "1er janvier 2027"
        assert present.date_text(datetime(2027, 1, 11, tzinfo=UTC)) == "11 janvier 2027"
    with app.test_request_context("/?lang=en"):
        assert present.date_text(datetime(2027, 1, 1, tzinfo=UTC)) == "January 1, 2027"
