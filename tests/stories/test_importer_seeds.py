"""The first real input: two reports that partners published (../shared/seeds)."""

from __future__ import annotations

import re

from donorhub.stories.rules import read_report

FURNITURE = (
    "Slideshow", "LIMITED-TIME", "doubles", "Give now", "arrow", "facebook", "readio", "shield",
    "You might also", "see more", "Media Contact", "fill out the form", "More Information",
    "Petra", "Director of Marketing", "519", "Make an Impact", "polar dips",
    "Learn More", "signing up", "free guide", "Novice", "Need Help", "events@", "A pseudonym",
)  # fmt: skip


def sentences_of(data, first, last):
    lines = data.decode().replace("\u00a0", " ").split("\n")[first - 1 : last]
    text = " ".join(" ".join(lines).split())
    return re.split(r"(?<=[.”]) (?=[A-Z“])", text)


def test_the_report_without_a_title_comes_in_whole(seed, seen):
    data = seed("000")

    draft = read_report(data)

    shown = seen(draft.body_markdown)
    for sentence in sentences_of(data, 3, 11):
        _heading, colon, text = sentence.partition(": ")
        assert (text if colon else sentence) in shown
    headings = re.findall(r"^## (.+)$", draft.body_markdown, re.MULTILINE)
    assert headings == [
        "Stakeholder Symposium",
        "Rescue Operation",
        "Prayer for Recovery from COVID-19 in South Asia",
    ]
    assert [(gone.line, gone.text) for gone in draft.dropped] == [(1, "Slideshow image")]
    assert draft.title == "International Justice Missions, (IJM) Kolkata, combats sex trafficking"
    assert any("has no title" in warning for warning in draft.warnings)


def test_the_report_copied_from_a_web_page_comes_in_without_the_page(seed, seen):
    data = seed("003")

    draft = read_report(data)

    shown = seen(draft.body_markdown)
    for sentence in sentences_of(data, 9, 23):
        assert sentence in shown
    for words in FURNITURE:
        assert words not in shown
    assert draft.title == (
        "IJM Supports Authorities on an Inter-State Sex Trafficking Rescue Operation"
    )
    assert "Manisha*, a survivor" in shown
    assert draft.pseudonym_note == "A pseudonym."
    assert draft.quotes == 2
    assert draft.body_markdown.count("\n> “This is the same place") == 1


def test_no_word_of_either_report_disappears_unnamed(seed, seen):
    for start in ("000", "003"):
        data = seed(start)
        draft = read_report(data)
        left_out = " ".join(gone.text for gone in draft.dropped)
        everything = f"{seen(draft.body_markdown)} {left_out}"
        assert sorted(re.findall(r"\w+", data.decode())) == sorted(re.findall(r"\w+", everything))
