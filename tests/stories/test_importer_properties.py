"""Whatever comes in: nothing breaks, nothing is lost, nothing runs."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from donorhub.kit import render_markdown
from donorhub.stories.rules import CannotRead, read_report, split_for_giving
from donorhub.stories.rules.reading import read_lines

SCRAPS = st.sampled_from(
    [
        "# ",
        "## ",
        "> ",
        "- ",
        "1. ",
        "* ",
        "Give now",
        "Media Contact",
        "*A pseudonym.",
        "Amira* said",
        "“I came,” she said.",
        "Title| Site",
        "|",
        "Heading Here: Text of it.",
        "<script>alert(1)</script>",
        "[x](javascript:y)",
        "![p](https://e.org/i.png)",
        "---",
        "===",
        "**bold**",
        "\\",
        "&amp;",
        "```",
        "Your gift is doubled!",
        "date: 2024-05-01",
        "March 3, 2021",
        "facebook rss",
        "arrow-top arrow-left facebook twitter search-alt menu close",
        "\u202e",
        "\u200b",
        "\xa0",
        "’s",
        "«",
        "»",
    ]
)
SENTENCES = st.lists(
    st.sampled_from(
        ["river", "Kessa", "the", "stone", "of", "and", "walked", "COVID-19", "a", "été"]
    ),
    min_size=5,
    max_size=14,
).map(lambda found: " ".join(found).capitalize() + ".")
LINES = st.lists(st.one_of(SCRAPS, SENTENCES, st.text(max_size=40), st.just("")), max_size=20)
MIXED = LINES.map("\n".join)
HARMLESS = re.compile(r"</?(?:p|h2|h3|h4|blockquote|em|strong|ul|ol|li|br ?/?|hr ?/?)>")
LINK = re.compile(r'<a href="(?:https:|mailto:)[^"<>]*" rel="nofollow noopener">|</a>')


def words(text):
    return sorted(word for word in re.findall(r"[^\W_]+", text) if not word.isdigit())


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    try:
        draft = read_report(data)
    except CannotRead:
        return
    assert draft.title
    assert draft.body_markdown.strip()


@settings(max_examples=300, deadline=None)
@given(MIXED, st.booleans())
def test_any_text_renders_to_harmless_elements(text, markdown):
    try:
        draft = read_report(text.encode(errors="replace"), markdown=markdown)
    except CannotRead:
        return
    for part in (draft.body_markdown, *split_for_giving(draft.body_markdown)):
        rendered = str(render_markdown.__wrapped__(part))
        assert "<" not in LINK.sub("", HARMLESS.sub("", rendered))


@settings(max_examples=300, deadline=None)
@given(MIXED)
def test_every_word_of_a_plain_report_is_in_the_draft_or_named_as_left_out(seen, text):
    data = text.encode(errors="replace")
    try:
        draft = read_report(data, markdown=False)
    except CannotRead:
        return
    came_in = " ".join(line.text for line in read_lines(data)[0])
    left_out = " ".join(gone.text for gone in draft.dropped)
    assert words(came_in) == words(f"{seen(draft.body_markdown)} {left_out}")


@settings(deadline=None)
@given(st.lists(SENTENCES, min_size=1, max_size=12))
def test_ordinary_sentences_all_come_in_unchanged_and_in_order(seen, sentences):
    draft = read_report("\n\n".join(sentences).encode())

    assert seen(draft.body_markdown) == " ".join(sentences)
    assert not draft.dropped


@settings(deadline=None)
@given(MIXED)
def test_a_body_is_parted_without_losing_a_word(seen, text):
    try:
        body = read_report(text.encode(errors="replace"), markdown=False).body_markdown
    except CannotRead:
        return
    before, after = split_for_giving(body)
    assert words(seen(before) + " " + seen(after)) == words(seen(body))
    assert before


@pytest.mark.parametrize(
    "unit",
    ["a ", "arrow-top ", "x y ", "“", '"', "(", "[", "[](", "*", "a* ", "*a ", "_", ".", "A. ",
     "!? ", "# ", "> ", "`", "\\", "&", "<", "a@", "1-", ": ", "Aa: ", "-", "“a” ",
     "March ", "a|b "],
)  # fmt: skip
def test_long_lines_of_one_repeated_sign_take_time_in_proportion_only(unit):
    data = "\n\n".join([(unit * 19_000)[:19_000]] * 5).encode()
    began = time.process_time()
    for markdown in (True, False):
        try:
            read_report(data, markdown=markdown)
        except CannotRead:
            continue
    assert time.process_time() - began < 3
