"""Public pages: how quick from memory, how quick when made, and how heavy."""

from __future__ import annotations

import gzip
import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from tests.bench import load
from tests.bench.site import ROOT, Site, another_web_server

READERS = 64
STORY = "/stories/the-bus-that-waited/"
CAMPAIGN = "/campaigns/two-more-kitchens/"
GIVE = "/campaigns/two-more-kitchens/give"
PLACES = {"home": "/", "story": STORY, "campaign": CAMPAIGN}
_LINK = re.compile(r'<(link|script|img|source|iframe)\b[^>]*?\b(?:href|src)="([^"]+)"[^>]*>')
_LOADED_LINKS = ("stylesheet", "preload", "icon", "manifest")
_BEHAVIOUR = re.compile(r'data-behaviour="([\w-]+)"')


@dataclass(slots=True)
class Served:
    """One address: its answers, and what each cost the web server and us."""

    port: int
    path: str
    tally: load.Tally = field(default_factory=load.Tally)


def quickness(site: Site, *, seconds: float, rounds: int) -> dict[str, Any]:
    """Return pages a second from memory ÷ those of a bare Flask app on the same server."""
    with another_web_server(site, app="tests.bench.hello:app", page="/") as hello_port:
        hello = Served(hello_port, "/")
        pages = {name: Served(site.port, path) for name, path in PLACES.items()}
        began, own = time.monotonic(), site.cpu_seconds()["generator"]
        for _ in range(rounds):
            for served in (hello, *pages.values()):
                _read_for(served, seconds)
        share = (site.cpu_seconds()["generator"] - own) / (time.monotonic() - began)
    bare = hello.tally.a_second()
    return {
        "readers_at_once": READERS,
        "hello_a_second": bare,
        **{f"{name}_a_second": served.tally.a_second() for name, served in pages.items()},
        **{f"{name}_ratio": served.tally.a_second() / bare for name, served in pages.items()},
        "story_ms": pages["story"].tally.milliseconds(),
        "generator_share_of_a_core": share,
        "refused": {path: served.tally.wrong for path, served in pages.items()},
    }


def _read_for(served: Served, seconds: float) -> None:
    ends = time.monotonic() + seconds
    request = load.get(served.path)

    def reads() -> load.Visit:
        while time.monotonic() < ends:
            answer = yield request
            served.tally.note(answer, good=answer.status == HTTPStatus.OK)

    load.fetch(served.port, request)
    load.crowd_of(served.port, [reads() for _ in range(READERS)], served.tally)


def first_render(site: Site, *, samples: int) -> dict[str, Any]:
    """Return how long pages take that nobody has asked for yet, one request at a time."""
    spent: dict[str, list[int]] = {name: [] for name in (*PLACES, "give")}
    with another_web_server(site, PAGE_CACHE_MS="0") as port:

        def reads() -> load.Visit:
            for number in range(samples + 20):
                for name, path in (*PLACES.items(), ("give", GIVE)):
                    answer = yield load.get(path)
                    if answer.status != HTTPStatus.OK:
                        message = f"{path} answered {answer.status}"
                        raise RuntimeError(message)
                    if number >= 20:  # each worker has made each page before
                        spent[name].append(answer.spent)

        load.Crowd(port, [reads()]).run()
    return {f"{name}_ms": load.times(found) for name, found in spent.items()} | {
        "worst_p95_ms": max(load.times(found)["p95"] for found in spent.values())
    }


def weight(site: Site) -> dict[str, Any]:
    """Return what a story page makes a browser fetch, pictures apart, in bytes on the wire."""
    page = load.fetch(site.port, load.get(STORY))
    packed = page.header(b"content-encoding") == b"gzip"
    html = (gzip.decompress(page.body) if packed else page.body).decode()
    foreign = set()
    parts = {STORY: len(page.head) + 4 + len(page.body)}
    for address in sorted(_fetched(html)):
        if urlsplit(address).netloc:
            foreign.add(address)
        elif not address.endswith((".svg", ".jpg", ".webp", ".png")):
            answer = load.fetch(site.port, load.get(address))
            parts[address] = len(answer.head) + 4 + len(answer.body)
    scripts = sum(path.stat().st_size for path in (ROOT / "static" / "js").rglob("*.js"))
    styles = sum(
        path.stat().st_size
        for path in (ROOT / "static" / "css").rglob("*.css")
        if path.name != "letters.css"
    )
    return {
        "story_bytes_on_the_wire": sum(parts.values()),
        "parts": parts,
        "own_javascript_bytes": scripts,
        "css_bytes": styles,
        "third_party_requests": sorted(foreign),
    }


def _fetched(html: str) -> set[str]:
    """Return the addresses that a browser fetches for a page, its behaviours included."""
    found = set()
    scripts = ""
    for match in _LINK.finditer(html):
        kind, address = match[1], match[2]
        if kind == "link" and not any(f'rel="{rel}"' in match[0] for rel in _LOADED_LINKS):
            continue
        found.add(address)
        if kind == "script":
            scripts = address
    for name in _BEHAVIOUR.findall(html):
        if (Path(ROOT) / "static" / "js" / f"{name}.js").exists():
            found.add(urljoin(scripts, f"{name}.js"))
    return found
