"""The list of stories and the feed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from donorhub import stories
from tests.builders import a_story

ATOM = "{http://www.w3.org/2005/Atom}"
TOMB = "{http://purl.org/atompub/tombstones/1.0}"


def parsed(answer):
    return ET.fromstring(answer.data)


def test_the_list_shows_published_stories_only(context, client):
    a_story("the-open-door", title="The open door")
    a_story("the-shut-door", title="The shut door")
    stories.withdraw("the-shut-door")

    page = client.get("/stories/").get_data(as_text=True)

    assert "The open door" in page
    assert "The shut door" not in page


def test_a_long_list_has_pages(context, client):
    for number in range(25):
        a_story(f"story-{number}", title=f"Story number {number}")

    first = client.get("/stories/").get_data(as_text=True)
    second = client.get("/stories/?page=2").get_data(as_text=True)

    assert "Story number 24" in first
    assert "?page=2" in first
    assert "Story number 0<" in second
    for wrong in ("3", "0", "-1", "x", "٢", "9" * 30):
        assert client.get(f"/stories/?page={wrong}").status_code == 404


def test_the_feed_is_valid_atom_with_absolute_addresses(context, client):
    a_story("the-open-door", title="Doors & <windows>")

    answer = client.get("/stories/feed.atom")

    assert answer.content_type == "application/atom+xml; charset=utf-8"
    feed = parsed(answer)
    for name in ("id", "title", "updated"):
        assert len(feed.findall(ATOM + name)) == 1
    assert feed.find(f"{ATOM}author/{ATOM}name").text == "Keeplight"
    (entry,) = feed.findall(ATOM + "entry")
    for name in ("id", "title", "updated", "summary"):
        assert len(entry.findall(ATOM + name)) == 1
    assert entry.find(ATOM + "title").text == "Doors & <windows>"
    assert entry.find(ATOM + "id").text.startswith("tag:127.0.0.1,")
    link = entry.find(ATOM + "link")
    assert link.get("href") == "http://127.0.0.1:8000/stories/the-open-door/"


def test_the_feed_tells_readers_to_forget_a_withdrawn_story(context, client):
    a_story("the-open-door")
    before = parsed(client.get("/stories/feed.atom"))
    kept = before.find(f"{ATOM}entry/{ATOM}id").text

    stories.withdraw("the-open-door")

    answer = client.get("/stories/feed.atom")
    feed = parsed(answer)
    assert feed.find(ATOM + "entry") is None
    assert feed.find(TOMB + "deleted-entry").get("ref") == kept
    assert b"door" not in answer.data


def test_an_empty_feed_is_a_feed(context, client):
    feed = parsed(client.get("/stories/feed.atom"))

    assert feed.find(ATOM + "updated").text
