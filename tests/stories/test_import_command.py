"""``flask stories``: what editors type."""

from __future__ import annotations

import pytest

from donorhub import campaigns, stories
from tests.builders import a_campaign, a_story

TITLE = "Police and Neighbours Close a Trafficking House by the Harbour"
SLUG = "police-and-neighbours-close-a-trafficking-house-by-the"


@pytest.fixture
def run(context):
    def invoke(*words, typed=None):
        return context.test_cli_runner().invoke(args=["stories", *map(str, words)], input=typed)

    return invoke


@pytest.fixture
def page(reports):
    return reports / "harbour-page.txt"


def test_a_report_becomes_a_draft_and_everything_left_out_is_listed(run, page):
    result = run("import", page)

    assert result.exit_code == 0
    assert f"Title: {TITLE}" in result.output
    assert "Kept: 6 paragraphs, 0 headings, 2 quotations." in result.output
    assert "line 5: Donate now — a navigation word" in result.output
    assert "Pseudonym note: Not her real name." in result.output
    assert "“June 3” without a year" in result.output
    assert f"Draft: http://127.0.0.1:8000/stories/{SLUG}/" in result.output
    assert stories.story_state(SLUG) == "draft"


def test_a_report_is_imported_linked_and_published_in_one_command(run, page):
    campaign = a_campaign("winter-lights")

    result = run("import", page, "--campaign", "winter-lights", "--publish")

    assert result.exit_code == 0, result.output
    assert "Published: " in result.output
    story = stories.story_page(SLUG, "en")
    assert story.pseudonym_note == "Not her real name."
    assert campaigns.story_slugs(campaign) == [SLUG]


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("000", "a symposium on Bridging Gaps"),
        ("003", "“This is the same place where I was trapped for many days,”"),
    ],
)
def test_a_partners_real_report_is_imported_published_and_read(
    run, seed, tmp_path, client, start, words
):
    file = tmp_path / "report.txt"
    file.write_bytes(seed(start))
    a_campaign("winter-lights")

    result = run("import", file, "--campaign", "winter-lights", "--publish", "--slug", "real")

    assert result.exit_code == 0, result.output
    page = client.get("/stories/real/")
    assert page.status_code == 200
    assert words in page.get_data(as_text=True)


def test_a_campaign_that_does_not_exist_stops_everything(run, page):
    result = run("import", page, "--campaign", "nowhere")

    assert result.exit_code == 1
    assert "no campaign “nowhere”. Nothing was imported" in result.output
    assert stories.any_story_id(SLUG) is None


def test_a_rehearsal_shows_the_text_and_changes_nothing(run, page):
    result = run("import", page, "--dry-run", "--title", "A door")

    assert "> “I still know which step creaks,”" in result.output
    assert "It would stand at http://127.0.0.1:8000/stories/a-door/" in result.output
    assert stories.any_story_id("a-door") is None


def test_the_same_report_twice_makes_one_story(run, page):
    run("import", page)
    result = run("import", page)

    assert result.exit_code == 0
    assert "It was there already." in result.output


def test_another_text_at_the_same_address_is_refused(run, page, reports):
    run("import", page, "--slug", "here")
    result = run("import", reports / "valley-letter.txt", "--slug", "here")

    assert result.exit_code == 1
    assert "Another text stands at /stories/here/" in result.output


def test_a_report_in_another_language_becomes_the_translation(run, page, reports):
    run("import", page, "--slug", "here", "--publish")
    result = run("import", reports / "french-page.txt", "--slug", "here", "--locale", "fr")

    assert result.exit_code == 0, result.output
    assert stories.story_page("here", "fr").title.startswith("Le puits de Kessa")
    assert stories.story_page("here", "en").title == TITLE


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.txt", b"", "empty"),
        ("big.txt", b"a\n" * 5_000_000, "10,000,000 bytes"),
        ("binary.txt", b"\0\1\2", "not a text file"),
        ("bengali.txt", "নদী\n\nনদীর জল সারা বছর থাকে।".encode(), "No address can be made"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(run, tmp_path, name, data, says):
    file = tmp_path / name
    file.write_bytes(data)

    result = run("import", file)

    assert result.exit_code == 1
    assert says in result.output


def test_a_file_that_is_not_there_says_so(run, tmp_path):
    result = run("import", tmp_path / "nothing.txt")

    assert result.exit_code == 1
    assert "cannot be opened" in result.output


def test_an_address_that_cannot_stand_is_refused(run, page):
    assert "cannot stand in an address" in run("import", page, "--slug", "Not This").output


def test_a_protected_name_in_a_report_is_pointed_out_and_stops_publishing(run, page):
    stories.protect_name("Liria")

    result = run("import", page, "--publish")

    assert result.exit_code == 1
    assert "A protected name stands in: body (en)." in result.output
    assert stories.story_state(SLUG) == "draft"


def test_names_to_protect_come_in_unseen(run):
    a_story(body="It was Rina Das.\n\nShe sat.")

    result = run("protect", typed="Rina Das\nOmar Bo\n")

    assert "2 names protected." in result.output
    assert "public now: story the-open-door: body (en)" in result.output
    assert "Rina" not in result.output


def test_protecting_nothing_is_refused(run):
    assert run("protect", typed="\n").exit_code == 1
    assert run("protect", typed="***\n").exit_code == 1
    assert run("protect", "--story", "nowhere", typed="Rina\n").exit_code == 1


def test_a_rehearsed_protection_keeps_nothing(run):
    assert "would be protected" in run("protect", "--dry-run", typed="Rina Das\n").output
    a_story(body="It was Rina Das.\n\nShe sat.")


def test_stories_are_published_withdrawn_and_listed(run, page):
    run("import", page, "--slug", "here")

    assert "It would be published." in run("publish", "here", "--dry-run").output
    assert "Published." in run("publish", "here").output
    assert "It was published already." in run("publish", "here").output
    assert "published  en     here" in run("list").output
    assert "It would be withdrawn." in run("withdraw", "here", "--dry-run").output
    assert "Withdrawn." in run("withdraw", "here").output
    refused = run("publish", "here")
    assert refused.exit_code == 1
    assert "was withdrawn" in refused.output
    assert "Published." in run("publish", "here", "--again").output
    assert run("withdraw", "nowhere").exit_code == 1


@pytest.mark.parametrize("command", ["import", "publish", "withdraw", "protect", "list"])
def test_every_command_explains_itself(run, command):
    assert "Usage:" in run(command, "--help").output


def test_an_import_without_wiring_to_campaigns_says_so(run, page, monkeypatch):
    from donorhub.stories import cli

    monkeypatch.setattr(cli, "_campaigns", [])
    assert "nothing is wired" in run("import", page, "--campaign", "any").output
