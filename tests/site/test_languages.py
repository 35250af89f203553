"""French is whole: every string of the sources, every page, the letter that thanks."""

from __future__ import annotations

import os
import re
from datetime import date

import pytest
from babel.messages.mofile import write_mo
from flask import render_template
from flask_babel import force_locale, get_domain

from donorhub import campaigns
from donorhub.giving import letters
from donorhub.kit import clock, present
from tests.builders import a_campaign, a_gift, a_match, a_paid_gift, a_story
from tests.builders.giving import cad
from tests.site.french import (
    FRENCH,
    ROOT,
    bare_words,
    catalogue,
    english,
    english_left,
    extracted,
    french,
    messages,
)

TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
FIXED = "\u00a0"  # a space that no line breaks at
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
# Languages are called by their own names; "article" is filled into an attribute of the layout.
ALLOWED = {"English", "Français", "article"}
PAGES = ("/", "/stories/", "/stories/the-open-door/", "/campaigns/winter-lights/",
         "/campaigns/winter-lights/give", "/fundraise/", "/press/")  # fmt: skip


@pytest.fixture(scope="session")
def compiled(built_app):
    """The catalogue as the site reads it; `make test` compiles it, a lone pytest does so here."""
    target = FRENCH.with_suffix(".mo")
    if target.exists() and target.stat().st_mtime >= FRENCH.stat().st_mtime:
        return
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    with fresh.open("wb") as file:
        write_mo(file, catalogue())
    fresh.replace(target)
    with built_app.app_context():
        get_domain().cache.clear()


@pytest.fixture
def bilingual(made, compiled):
    """A matched campaign in both languages, and its story in English alone; the campaign's id."""

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


def test_every_string_of_the_sources_is_written_in_french():
    missing = []
    for message, place in extracted().items():
        found = catalogue().get(message)
        if found is None or found.fuzzy or not all(french(found)):
            missing.append(f"{place}: {message}")
    assert len(extracted()) > 200
    assert not missing, "\n".join(missing)


def test_french_keeps_every_place_for_a_value():
    wrong = []
    for message in messages():
        names = [set(PLACEHOLDER.findall(words)) for words in english(message)]
        least, wanted = names[0], names[-1]
        found = [set(PLACEHOLDER.findall(form)) for form in french(message)]
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
    texts = [PLACEHOLDER.sub("x", form) for message in messages() for form in french(message)]
    shown = [text.replace("25 ou 25,50", "") for text in texts]
    assert [text for text in shown if re.search(MARKS[fault], text)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_says_anything_past_the_catalogue(path):
    found = bare_words(path.read_text("utf-8"), markup=path.suffix != ".txt")
    assert [each for each in found if each not in ALLOWED] == []


@pytest.mark.parametrize(
    "source",
    ["<p>Thank you</p>", '<img alt="A boat">', "{{ button('Give now') }}",
     "{% if x %}<b>{{ x }} gifts</b>{% endif %}", '<input placeholder="{{ x }} dollars">'],
)  # fmt: skip
def test_bare_words_are_seen_wherever_they_hide(source):
    assert bare_words(source, markup=True)
    assert bare_words("{{ _('Thanks') }}: <p title=\"{{ _('A') }}\">·</p>", markup=True) == []


@pytest.mark.parametrize("address", PAGES)
def test_a_page_asked_for_in_french_is_french_to_the_last_sentence(bilingual, browse, address):
    page = browse(f"{address}?lang=fr")
    assert page.all("html")[0]["lang"] == "fr"
    assert english_left(page) == set()
    if address not in ("/stories/", "/fundraise/", "/press/"):
        assert "Votre don de 50 $ devient 100 $." in page.words
        assert f"50{FIXED}$" in page.html
        assert "$50" not in page.html


def test_english_that_is_left_would_be_noticed(bilingual, browse):
    found = english_left(browse("/campaigns/winter-lights/give?lang=en"))
    assert {"How much?", "Gifts are doubled."} & found
    assert "Your card number never comes near us." in " ".join(found)


def test_the_language_comes_from_the_address_then_the_cookie_then_the_browser(
    bilingual, browse, client
):
    asked = {"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"}
    assert browse("/", headers=asked).all("html")[0]["lang"] == "fr"
    assert browse("/?lang=en", headers=asked).all("html")[0]["lang"] == "en"
    client.set_cookie("lang", "fr")
    page = browse("/", headers={"Accept-Language": "en-CA"})
    assert page.all("html")[0]["lang"] == "fr"
    assert english_left(page) == set()


def test_the_charitys_texts_come_in_the_readers_language(bilingual, browse):
    assert "Gardons-les allumées." in browse("/campaigns/winter-lights/?lang=fr").words
    page = browse("/stories/the-open-door/?lang=fr")
    assert "Somebody opened a door." in page.words
    assert {"class": "prose", "lang": "en"} in page.all("div")


def test_a_gift_is_followed_in_french_while_it_waits_and_when_it_has_come(
    bilingual, browse, made, stripe_simulator
):
    waiting = made(a_gift, bilingual, locale="fr")
    received = made(a_paid_gift, stripe_simulator, bilingual, locale="fr")
    for public_id, heading in ((waiting, "Nous attendons la banque"), (received, "Merci, Maya")):
        page = browse(f"/gifts/{public_id}/?lang=fr")
        assert "".join(page.texts["h1"]).strip() == heading
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


def test_the_thank_you_letter_is_written_in_french(bilingual, made, stripe_simulator):
    public_id = made(a_paid_gift, stripe_simulator, bilingual, locale="fr", amount="50")

    def read():
        with force_locale("fr"):
            shown = {"locale": "fr", **letters.gift_thanks_content({"gift": public_id}, "fr")}
            return [
                render_template(f"letters/giving/gift-thanks/{name}", **shown)
                for name in ("subject.txt", "body.txt", "body.html")
            ]

    subject, text, html = made(read)
    assert subject == f"Merci{FIXED}: votre don de 50{FIXED}$ est arrivé"
    assert text.startswith("Bonjour Maya,\n\nMerci. Votre don de ")
    assert f"pour «{FIXED}Lumières d’hiver{FIXED}» est arrivé." in text
    assert f"Avec la contrepartie de 50{FIXED}$ offerte par Le Fonds Alder, cela fait" in text
    assert f"Débité de votre carte{FIXED}: 50,00{FIXED}$" in text
    assert "Merci, Maya" in html


def test_french_says_premier_for_the_first_of_a_month(app):
    with app.test_request_context("/?lang=fr"):
        assert present.date_text(date(2027, 1, 1)) == "1er janvier 2027"
        assert present.date_text(date(2027, 1, 11)) == "11 janvier 2027"
    with app.test_request_context("/?lang=en"):
        assert present.date_text(date(2027, 1, 1)) == "January 1, 2027"
