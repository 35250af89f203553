"""Reports of the shapes that partners send, one behaviour each."""

from __future__ import annotations

import re
from datetime import date

import pytest

from donorhub.kit import render_markdown
from donorhub.stories.rules import CannotRead, DatePrecision, read_report


def draft_of(text, **options):
    return read_report(text.encode(), **options)


def reasons(draft):
    return {gone.line: gone.reason for gone in draft.dropped}


@pytest.mark.parametrize(
    "name", ["harbour-page.txt", "valley-letter.txt", "french-page.txt", "field-notes.md"]
)
def test_a_report_comes_in_as_written_down(name, report, reports):
    body = (reports / name).with_suffix(".body.md").read_text()

    assert read_report(report(name)).body_markdown == body


def test_a_page_gives_its_title_cut_at_the_bar_and_only_once(report):
    draft = read_report(report("harbour-page.txt"))

    assert draft.title == "Police and Neighbours Close a Trafficking House by the Harbour"
    assert draft.title not in draft.body_markdown
    assert reasons(draft)[7] == "the title again"


def test_every_line_of_a_page_is_either_kept_or_named_with_a_reason(report):
    draft = read_report(report("harbour-page.txt"))

    body_lines = {9, 11, 13, 15, 17, 19}
    lines = report("harbour-page.txt").decode().split("\n")
    written = {number for number, line in enumerate(lines, start=1) if line.strip()}
    assert written - body_lines == {gone.line for gone in draft.dropped}


def test_a_promise_of_a_match_is_never_taken_from_a_text(report):
    draft = read_report(report("harbour-page.txt"))

    assert reasons(draft)[3] == "a match is shown from the live pool, never from text"
    assert "matched" not in draft.body_markdown


def test_a_match_promised_inside_a_long_paragraph_stays_and_is_pointed_out():
    long = "The team came back on Monday and counted the beds that were left. " * 6
    draft = draft_of(f"A title\n\n{long}Until Friday your gift is doubled.")

    assert "your gift is doubled" in draft.body_markdown
    assert any("promises a match" in warning for warning in draft.warnings)


def test_the_press_contact_never_reaches_the_story(report):
    draft = read_report(report("harbour-page.txt"))

    for private in ("Jonas", "555", "Head of Press", "events@"):
        assert private not in draft.body_markdown


def test_a_known_heading_over_ordinary_paragraphs_stays():
    draft = draft_of(
        "How it began\n\nThey met at the well.\n\nGet involved\n\n"
        "That was the sentence on the wall.\n\nNobody knew who had painted it there.\n\n"
        "In the evening there were eleven of them."
    )

    assert "Get involved" in draft.body_markdown
    assert [gone.line for gone in draft.dropped] == [1]


def test_a_long_paragraph_ends_the_furniture():
    long = "word " * 70 + "end."
    draft = draft_of(
        f"A title here\n\nThe story.\n\nMedia contact\n\nPhone: 555 0100 200\n\n{long}"
    )

    assert long in draft.body_markdown
    assert "555" not in draft.body_markdown


def test_a_report_without_a_title_gets_its_own_first_words_and_says_so(report):
    draft = read_report(report("valley-letter.txt"))

    assert draft.title == "The Valley Clinic trains midwives in the hills"
    assert draft.body_markdown.startswith("The Valley Clinic trains midwives in the hills. It")
    assert any("has no title" in warning for warning in draft.warnings)


def test_an_editors_title_wins_and_the_reports_own_is_named(report):
    draft = read_report(report("harbour-page.txt"), title="A door that opened")

    assert draft.title == "A door that opened"
    assert "replaced by the one given" in reasons(draft)[1]


def test_a_short_first_line_is_the_title():
    assert draft_of("Two wells\n\nThe first well was dug by hand.").title == "Two wells"


def test_a_short_first_sentence_is_no_title():
    draft = draft_of("It rained.\n\nThe first well was dug by hand.")

    assert draft.body_markdown == "It rained.\n\nThe first well was dug by hand.\n"


@pytest.mark.parametrize(
    ("paragraph", "heading"),
    [
        ("Rescue Operation: In March, the team went.", "Rescue Operation"),
        ("Prayer for Recovery from COVID-19 in South Asia: Please pray.",
         "Prayer for Recovery from COVID-19 in South Asia"),
        ("Food, Water and Shelter: All three came.", "Food, Water and Shelter"),
        ("2023 in Figures: Eleven wells.", "2023 in Figures"),
        ("Next Steps:", "Next Steps"),
    ],
)  # fmt: skip
def test_a_paragraph_that_begins_with_a_heading_becomes_a_section(paragraph, heading):
    draft = draft_of(f"A title\n\nThe beginning of it all.\n\n{paragraph}")

    assert f"\n## {heading}\n" in draft.body_markdown
    assert paragraph.removeprefix(f"{heading}:").strip() in draft.body_markdown


@pytest.mark.parametrize(
    "paragraph",
    [
        "One midwife said: We were never alone.",
        "The carpenters asked for no pay: They are fathers here.",
        "Sister Agnes: “We were never alone.”",
        "He left. Nobody Knew: It was late.",
        "One Two Three Four Five Six Seven Eight Nine: Too long for a heading.",
        "At 10:30 the door opened.",
        "Two Girls: one from the north, one from the coast.",
        "https://example.org/page is where it stands.",
    ],
)
def test_an_ordinary_sentence_with_a_colon_stays_a_paragraph(paragraph, seen):
    draft = draft_of(f"A title\n\nThe beginning of it all.\n\n{paragraph}")

    assert "##" not in draft.body_markdown
    assert paragraph in seen(draft.body_markdown)


def test_a_quotation_keeps_its_speaker_inside(report):
    draft = read_report(report("harbour-page.txt"))

    assert "\n> “I still know which step creaks,” Liria told us. “Now nobody" in draft.body_markdown
    assert draft.quotes == 2


def test_a_quotation_over_several_paragraphs_is_quoted_in_each():
    draft = draft_of(
        "A title\n\n“It was dark and nobody came.\n\n“Then a lamp was lit.”\n\nShe sat."
    )

    assert "> “It was dark and nobody came.\n\n> “Then a lamp was lit.”" in draft.body_markdown


def test_a_word_in_quotation_marks_makes_no_quotation():
    draft = draft_of("A title\n\n“Freedom” was the word on the wall, painted over many times.")

    assert ">" not in draft.body_markdown
    assert draft.quotes == 0


def test_a_pseudonyms_mark_stays_and_its_note_moves_below(report, seen):
    draft = read_report(report("harbour-page.txt"))

    assert draft.pseudonym_note == "Not her real name."
    assert "Liria\\*, who" in draft.body_markdown
    assert "Liria*, who" in seen(draft.body_markdown)
    assert "Not her real name" not in draft.body_markdown


def test_two_marked_names_do_not_become_emphasis(seen):
    draft = draft_of("# A title\n\nAmira* met Sana* at *dawn*.\n\n*Both are pseudonyms.")

    assert seen(draft.body_markdown) == "Amira* met Sana* at dawn ."
    assert draft.pseudonym_note == "Both are pseudonyms."


def test_a_mark_without_a_note_is_pointed_out():
    draft = draft_of("A title\n\nAmira* came early that day.")

    assert any("“Amira” carries a pseudonym mark" in warning for warning in draft.warnings)


def test_a_note_without_a_mark_is_pointed_out():
    draft = draft_of("A title\n\nAmira came early that day.\n\n*A pseudonym.")

    assert draft.pseudonym_note == "A pseudonym."
    assert any("no name in the text carries its mark" in warning for warning in draft.warnings)


def test_a_starred_sentence_about_something_else_stays_in_the_text(seen):
    draft = draft_of("A title\n\nIt cost 40 dollars*.\n\n*At the rate of that day.")

    assert draft.pseudonym_note is None
    assert "*At the rate of that day." in seen(draft.body_markdown)


def test_facts_above_the_text_are_read(report):
    draft = read_report(report("field-notes.md"))

    assert (draft.happened_on, draft.date_precision) == (date(2024, 5, 17), DatePrecision.DAY)
    assert draft.place == "Tamale, Ghana"
    assert "tags" not in draft.body_markdown


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Date: 17 May 2024", (date(2024, 5, 17), "day")),
        ("Date: May 17th, 2024", (date(2024, 5, 17), "day")),
        ("Date: mai 2024", (date(2024, 5, 1), "month")),
        ("Date: 2024", (date(2024, 1, 1), "year")),
        ("Date: 31 February 2024", (None, "hidden")),
        ("Date: last spring", (None, "hidden")),
    ],
)
def test_a_date_is_as_exact_as_the_report_says(line, found):
    draft = draft_of(f"{line}\n\nA title\n\nThe story is told here.")

    assert (draft.happened_on, draft.date_precision) == found


def test_a_day_in_the_text_is_shown_as_its_month():
    draft = draft_of("A title\n\nOn May 17, 2024, the door opened.")

    assert (draft.happened_on, draft.date_precision) == (date(2024, 5, 17), DatePrecision.MONTH)


def test_a_day_without_a_year_is_no_date():
    draft = draft_of("A title\n\nOn February 22, the door opened.")

    assert draft.happened_on is None
    assert any("“February 22” without a year" in warning for warning in draft.warnings)


def test_headings_never_skip_a_level():
    draft = draft_of(
        "# A title\n\n### Deep\n\nText of it.\n\n##### Deeper\n\nMore.\n\n# Wide\n\nEnd."
    )

    levels = [line.split()[0] for line in draft.body_markdown.split("\n") if line.startswith("#")]
    assert levels == ["##", "###", "##"]


def test_french_spacing_stays_and_other_hard_spaces_go(report):
    draft = read_report(report("french-page.txt"))

    assert "l’eau\u00a0: assez" in draft.body_markdown
    assert "«\u00a0Je ne marche" in draft.body_markdown
    assert "\u00a0" not in read_report(report("harbour-page.txt")).body_markdown


def test_a_plain_list_stays_a_list():
    draft = draft_of(
        "A title\n\nThey brought:\n\n• rice\n• oil\n\n1. wash\n2. cook\n\n1987. A year."
    )

    assert "- rice\n- oil" in draft.body_markdown
    assert "1. wash\n2. cook" in draft.body_markdown
    assert "1987\\. A year." in draft.body_markdown


def test_a_windows_file_is_read_with_a_warning():
    draft = read_report("Le marché\n\n“Ça va,” dit-elle, là-bas.".encode("cp1252"))

    assert draft.title == "Le marché"
    assert any("Windows-1252" in warning for warning in draft.warnings)


def test_byte_order_marks_and_every_kind_of_line_end_are_read():
    plain = draft_of("A title\n\nOne line\nanother line.")

    for data in (
        b"\xef\xbb\xbfA title\r\n\r\nOne line\r\nanother line.",
        b"A title\r\rOne line\ranother line.",
        "A title\n\nOne line\nanother line.".encode("utf-16"),
    ):
        assert read_report(data).body_markdown == plain.body_markdown


def test_markup_in_plain_text_is_shown_sign_by_sign(report, seen):
    draft = read_report(report("hostile.txt"), markdown=False)

    shown = seen(draft.body_markdown)
    assert '<script>alert("1")</script>' in shown
    assert "[Click me](javascript:alert(3))" in shown
    assert "&lt;b&gt; and `code`" in shown
    assert "*meant* it_too_" in shown
    assert "zerowidth" in shown
    assert "\u202e" not in draft.body_markdown


def test_markup_in_markdown_does_nothing(report):
    draft = read_report(report("hostile.txt"), markdown=True)

    rendered = str(render_markdown(draft.body_markdown))
    assert "<script" not in rendered
    assert "<img" not in rendered
    assert re.findall(r'href="([^"]*)"', rendered) == ["https://example.org/pixel.gif"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \n\t\n\xc2\xa0", "empty"),
        (b"Give now\n\nsee more\n", "only a page's furniture"),
        (b"*** --- ***", "only a page's furniture"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"PK\x03\x04....", "a Word document"),
        (b"text\0text", "not a text file"),
        (bytes(range(1, 32)) * 9, "not a text file"),
        (b"\xff\xfeabc", "UTF-16"),
        (b"\x81\x8d\xfe", "neither UTF-8 nor Windows"),
        (b"a" * 1_000_001, "1,000,001 bytes"),
        (b"word " * 5_000, "24,999 characters"),
        (b"a\n" * 100_000, "100,001 lines"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else value,
)  # fmt: skip
def test_what_is_no_report_is_refused_with_advice(data, says):
    with pytest.raises(CannotRead, match=says):
        read_report(data)
