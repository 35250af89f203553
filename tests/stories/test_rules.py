"""Names, addresses and the place of the call to give: pure decisions."""

from __future__ import annotations

import pytest

from donorhub.stories.rules import (
    NotAName,
    ProtectedName,
    Register,
    digest,
    name_words,
    slug_from,
    split_for_giving,
)

KEY = b"a key"


def a_register(*names, story_id=None):
    kept = []
    for name in names:
        words = name_words(name)
        kept.append(ProtectedName(digest(words, KEY), len(words), story_id))
    return Register(kept, KEY)


@pytest.mark.parametrize(
    "text",
    [
        "Then Rina Das came in.",
        "RINA DAS!",
        "rína dàs’s sister",
        "Das, Rina",
        "the *Rina* **Das** of the page",
        "Ri\u200bna\u00a0Das",
        "rina-das",
        "R\u0131na Das".replace("\u0131", "i"),
        "\uff32ina Das",
    ],
)
def test_a_protected_name_is_found_however_it_is_written(text):
    assert a_register("Rina Das").finds(text)


@pytest.mark.parametrize("text", ["", "Rina", "Das", "Rina told Das", "Rinada s", "Marina Das"])
def test_other_words_are_no_protected_name(text):
    assert not a_register("Rina Das").finds(text)


def test_a_full_name_counts_in_every_text():
    assert a_register("Rina Das", story_id=1).finds("Rina Das", 2)


def test_a_first_name_that_belongs_to_a_story_counts_in_that_story_only():
    register = a_register("Rina", story_id=1)

    assert register.finds("Rina was here", 1)
    assert not register.finds("Rina Das, who works in our office", 2)


def test_a_first_name_without_a_story_counts_everywhere():
    assert a_register("Rina").finds("Rina was here", 2)


@pytest.mark.parametrize("name", ["", " ", "*", "one two three four five six seven eight nine"])
def test_a_name_has_words_and_not_too_many(name):
    with pytest.raises(NotAName):
        name_words(name)


def test_a_digest_needs_the_key():
    assert digest(("rina", "das"), KEY) != digest(("rina", "das"), b"another key")


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("A market stall of her own", "a-market-stall-of-her-own"),
        ("L’été à Kessa: où l’eau œuvre", "lete-a-kessa-ou-leau-oeuvre"),
        ("নদী", ""),
        ("!?", ""),
        ("word " * 30, "word-" * 11 + "word"),
        ("x" * 90, "x" * 60),
    ],
)
def test_an_address_is_made_of_a_title(title, slug):
    assert slug_from(title) == slug


@pytest.mark.parametrize(
    ("body", "before", "after"),
    [
        ("a\n\n[[give]]\n\nb", "a", "b"),
        ("a\n[[give]]\nb\n[[give]]", "a", "b"),
        ("a\n\n> q\n\nb\n\nc\n\nd", "a\n\n> q", "b\n\nc\n\nd"),
        ("a\n\n> q\n\n> r\n\nb", "a\n\n> q\n\n> r", "b"),
        ("a\n\nb\n\n> q", "a", "b\n\n> q"),
        ("a\n\nb\n\nc\n\nd", "a\n\nb", "c\n\nd"),
        ("a\n\n## h\n\nb\n\nc", "a", "## h\n\nb\n\nc"),
        ("a\n\n- x\n\n- y\n\nb", "a\n\n- x\n\n- y", "b"),
        ("a", "a", ""),
        ("[x]\n\nb\n\n[x]: https://example.org/", "[x]\n\n[x]: https://example.org/",
         "b\n\n[x]: https://example.org/\n\n[x]: https://example.org/"),
    ],
)  # fmt: skip
def test_the_call_to_give_stands_where_it_does_not_break_the_text(body, before, after):
    assert split_for_giving(body) == (before, after)
