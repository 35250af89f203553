"""Gifts accepted over HTTP: with a match on one pool, against the same without a match."""

from __future__ import annotations

import json
import re
import secrets
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import psycopg

from donorhub import campaigns, matching
from donorhub.kit import Money, now
from donorhub.wiring.parts import invariants
from tests.bench import load
from tests.bench.site import Site

DONORS = 256
STRIPE_MS = 300
WARM_UP = 1.5
MATCHED, PLAIN, ONE_ROW = "bench-matched", "bench-plain", "bench-one-row"
ENDLESS = Money(100_000_000_000, "CAD")
_TOKEN = re.compile(rb'name="csrf_token"[^>]*?value="([^"]+)"')


@dataclass(slots=True)
class Phase:
    """One round on one campaign: when it counts, what came back, what it cost."""

    slug: str
    tally: load.Tally
    cpu: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Watch:
    """The most connections that the database had at once, and how many sat in a transaction."""

    most: int = 0
    most_idle_in_transaction: int = 0


def prepare() -> None:
    """Open the campaigns: matched by a pool as the site spreads it, matched by one row, plain."""
    for slug in (MATCHED, PLAIN, ONE_ROW):
        campaign_id = campaigns.save_campaign(
            slug,
            texts={"en": campaigns.CampaignText(f"Gifts at once: {slug}", "A measure.", "Why.")},
            goal=ENDLESS,
            suggested=[Money(2500, "CAD"), Money(5000, "CAD")],
            starts_at=now() - timedelta(days=1),
            ends_at=None,
        )
        if slug != PLAIN:
            _match(campaign_id, slots=1 if slug == ONE_ROW else None)


def _match(campaign_id: int, *, slots: int | None) -> None:
    matching.open_offer(
        matching.OfferWish(
            campaign_id=campaign_id,
            sponsor_names={"en": "The Alder Fund"},
            agreement_reference="bench",
            terms={"en": "Only with your gift."},
            cap=ENDLESS,
            starts_at=now() - timedelta(hours=1),
            ends_at=now() + timedelta(days=9),
            slots=slots,
        )
    )


def measure(site: Site, *, seconds: float, rounds: int) -> dict[str, Any]:
    """Run the rounds in turn and return rates, ratios, costs and connections."""
    with site.app.app_context():
        prepare()
    _simulate(site, latency_ms=STRIPE_MS)
    phases: list[Phase] = []
    try:
        with _watching(site) as watch:
            _crowd(site, PLAIN, WARM_UP)
            for slug in (MATCHED, PLAIN) * rounds:
                phases.append(_crowd(site, slug, seconds))
            one_row = _crowd(site, ONE_ROW, seconds)
    finally:
        _simulate(site, latency_ms=0)
    matched = [phase for phase in phases if phase.slug == MATCHED]
    plain = [phase for phase in phases if phase.slug == PLAIN]
    pairs = [m.tally.a_second() / p.tally.a_second() for m, p in zip(matched, plain, strict=True)]
    return {
        "donors_at_once": DONORS,
        "stripe_answers_after_ms": STRIPE_MS,
        "matched_a_second": _rate(matched),
        "plain_a_second": _rate(plain),
        "one_row_a_second": one_row.tally.a_second(),
        "ratio": _rate(matched) / _rate(plain),
        "ratio_of_each_pair": pairs,
        "one_row_ratio": one_row.tally.a_second() / _rate(plain),
        "matched_ms": _times(matched),
        "plain_ms": _times(plain),
        "cpu_ms_a_gift": _cost(matched),
        "generator_share_of_a_core": _share(phases, "generator"),
        "refused": _wrong([*phases, one_row]),
        "connections_at_most": watch.most,
        "connections_allowed": _allowed(site),
        "idle_in_transaction_at_most": watch.most_idle_in_transaction,
    }


def drift(site: Site) -> list[str]:
    """Return every promise of the house that is broken now; none should be."""
    with site.app.app_context():
        return [f"{i.code} {i.promise}: {row}" for i in invariants() for row in i.find()]


def _crowd(site: Site, slug: str, seconds: float) -> Phase:
    """Let all donors open the form, then give again and again for so many seconds."""
    opened: list[tuple[bytes, str]] = []
    load.Crowd(site.port, [_opens_form(slug, opened) for _ in range(DONORS)]).run()
    begins = time.monotonic() + WARM_UP
    tally = load.Tally(begins, begins + seconds)
    phase = Phase(slug, tally)
    donors = [_gives(slug, token, cookie, tally, n) for n, (token, cookie) in enumerate(opened)]
    before = site.cpu_seconds()
    load.Crowd(site.port, donors).run()
    phase.cpu = {part: spent - before[part] for part, spent in site.cpu_seconds().items()}
    return phase


def _opens_form(slug: str, opened: list[tuple[bytes, str]]) -> load.Visit:
    answer = yield load.get(f"/campaigns/{slug}/give", headers="Accept-Encoding: identity\r\n")
    found = _TOKEN.search(answer.body)
    cookie = answer.header(b"set-cookie").partition(b";")[0].decode()
    if found is None or not cookie:
        message = f"the form came without its token: {answer.status} {answer.body[:200]!r}"
        raise RuntimeError(message)
    opened.append((found[1], cookie))


def _gives(slug: str, token: bytes, cookie: str, tally: load.Tally, number: int) -> load.Visit:
    fields = {
        "csrf_token": token.decode(),
        "amount": "25",
        "frequency": "once",
        "first_name": "Maya",
        "last_name": "Tremblay",
        "email": f"maya{number}@example.org",
    }
    while time.monotonic() < tally.ends:
        body = urlencode(fields | {"form_key": secrets.token_urlsafe(12)}).encode()
        answer = yield load.post(f"/campaigns/{slug}/give", body, headers=f"Cookie: {cookie}\r\n")
        is_good = answer.status == 303 and b"cs_" in answer.header(b"location")
        tally.note(answer, good=is_good)


def _simulate(site: Site, **behaviour: int) -> None:
    request = urllib.request.Request(
        f"{site.simulator}/_sim/behaviour",
        data=json.dumps(behaviour).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


@contextmanager
def _watching(site: Site) -> Iterator[Watch]:
    """Look at the database's connections every quarter of a second."""
    watch, over = Watch(), threading.Event()
    question = (
        "SELECT count(*), count(*) FILTER (WHERE state = 'idle in transaction' "
        "AND now() - state_change > interval '100 ms') FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )

    def look() -> None:
        url = site.app.extensions["settings"].database_url
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.wait(0.25):
                row = connection.execute(question).fetchone() or (0, 0)
                watch.most = max(watch.most, row[0])
                watch.most_idle_in_transaction = max(watch.most_idle_in_transaction, row[1])

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def _allowed(site: Site) -> int:
    """Return the sum of all pools: web workers, the worker (its jobs and its queue), ours."""
    environment = site.environment()
    command = site.web_command()
    pool = int(environment.get("DATABASE_POOL") or 10)
    web = int(command[command.index("--workers") + 1]) * pool
    queue = 4 + 1
    return web + pool + queue + site.app.extensions["settings"].database_pool


def _rate(phases: list[Phase]) -> float:
    return statistics.fmean(phase.tally.a_second() for phase in phases)


def _times(phases: list[Phase]) -> dict[str, float]:
    spent = sorted(ns for phase in phases for ns in phase.tally.spent)
    marks = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
    return {name: spent[int(len(spent) * at)] / 1e6 for name, at in marks.items() if spent}


def _cost(phases: list[Phase]) -> dict[str, float]:
    """Return the processor time of each part for a gift, in milliseconds."""
    gifts = sum(phase.tally.good_ever for phase in phases)
    return {part: sum(phase.cpu[part] for phase in phases) * 1000 / gifts for part in phases[0].cpu}


def _share(phases: list[Phase], part: str) -> float:
    time_spent = sum(phase.tally.ends - phase.tally.begins + WARM_UP for phase in phases)
    return sum(phase.cpu[part] for phase in phases) / time_spent


def _wrong(phases: list[Phase]) -> dict[str, int]:
    found: dict[str, int] = {}
    for phase in phases:
        for sign, count in phase.tally.wrong.items():
            found[sign] = found.get(sign, 0) + count
    return found
