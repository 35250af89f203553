"""A story page, without its pictures, weighs at most 40 kB; its scripts and styles stay small."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from donorhub.wiring import demo

STATIC = Path(__file__).parents[2] / "static"
STORY = "/stories/the-bus-that-waited/"
KB = 1000


@pytest.fixture
def story(made, client):
    """The page of the demo's longest story, as it was read."""
    made(demo.seed)
    return client.get(STORY).page


def test_a_story_weighs_at_most_40_kb_over_the_wire(story, client):
    html = len(gzip.compress(story.html.encode(), 6))
    asked = {
        link["href"]
        for link in story.all("link")
        if link.get("rel") in ("stylesheet", "preload", "icon")
    }
    built = STATIC / "build"
    scripts = sorted((built / Path(story.all("script")[0]["src"]).parent.name).glob("*.js.gz"))
    parts = {address: weight(client, address) for address in asked}
    parts |= {path.name: path.stat().st_size for path in scripts}
    total = html + sum(parts.values())
    print(f"story page: {total} bytes; html {html}, {parts}")
    assert total <= 40 * KB


def weight(client, address):
    answer = client.get(address, headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert answer.status_code == 200
    return len(answer.data)


def test_our_own_scripts_are_at_most_15_kb_before_they_are_packed():
    assert sum(path.stat().st_size for path in (STATIC / "js").rglob("*.js")) <= 15 * KB


def test_our_own_styles_are_at_most_30_kb_before_they_are_packed(app):
    manifest = json.loads((STATIC / "build" / "manifest.json").read_text())["files"]
    assert (STATIC / "build" / manifest["css/site.css"]).stat().st_size <= 30 * KB


def test_no_picture_of_the_demo_weighs_more_than_40_kb_packed():
    for path in (STATIC / "pictures").glob("*.svg"):
        assert len(gzip.compress(path.read_bytes())) <= 40 * KB, path.name
