"""Gifts accepted over HTTP: with a match on one pool, against the same without a match."""

from __future__ import annotations

import json
import re
import secrets
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import psycopg

from donorhub import campaigns, matching
from donorhub.kit import Money, now
from donorhub.wiring.parts import invariants
from tests.bench import load
from tests.bench.site import Site, machine_busy_seconds

DONORS = 256
STRIPE_MS = 300
MATCHED, PLAIN, ONE_ROW = "bench-matched", "bench-plain", "bench-one-row"
ENDLESS = Money(100_000_000_000, "CAD")
_TOKEN = re.compile(rb'name="csrf_token"[^>]*?value="([^"]+)"')


@dataclass(slots=True)
class Phase:
    """All rounds on one campaign: what came back, and what it cost each part of the machine."""

    slug: str
    tally: load.Tally = field(default_factory=load.Tally)
    cpu: dict[str, float] = field(default_factory=dict)

    def cost(self) -> dict[str, float]:
        """Return the processor time of each part for a gift, in milliseconds."""
        return {part: spent * 1000 / self.tally.good for part, spent in self.cpu.items()}


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


def measure(site: Site, *, each: int, rounds: int) -> dict[str, Any]:
    """Let every donor give ``each`` times a round; return rates, ratios, costs, connections.

    The rounds change places (matched, plain, plain, matched, …), so that whatever makes the
    machine slower or quicker meanwhile falls on both alike.
    """
    with site.app.app_context():
        prepare()
    _simulate(site, latency_ms=STRIPE_MS)
    matched, plain, one_row = Phase(MATCHED), Phase(PLAIN), Phase(ONE_ROW)
    pairs = []
    busy, ours = machine_busy_seconds(), sum(site.cpu_seconds().values())
    try:
        _round(site, Phase(MATCHED), 1)  # warm
        with _watching(site) as watch:
            for number in range(rounds):
                rates = {
                    phase.slug: _round(site, phase, each)
                    for phase in ((matched, plain) if number % 2 == 0 else (plain, matched))
                }
                pairs.append(rates[MATCHED] / rates[PLAIN])
            _round(site, one_row, each)
    finally:
        _simulate(site, latency_ms=0)
    busy, ours = machine_busy_seconds() - busy, sum(site.cpu_seconds().values()) - ours
    phases = (matched, plain, one_row)
    seconds = sum(phase.tally.seconds for phase in phases)
    return {
        "donors_at_once": DONORS,
        "stripe_answers_after_ms": STRIPE_MS,
        "gifts": sum(phase.tally.good for phase in phases),
        "matched_a_second": matched.tally.a_second(),
        "plain_a_second": plain.tally.a_second(),
        "ratio": matched.tally.a_second() / plain.tally.a_second(),
        "ratio_of_each_pair": pairs,
        "one_row_a_second": one_row.tally.a_second(),
        "one_row_ratio": one_row.tally.a_second() / plain.tally.a_second(),
        "matched_ms": matched.tally.milliseconds(),
        "plain_ms": plain.tally.milliseconds(),
        "cpu_ms_a_matched_gift": matched.cost(),
        "cpu_ms_a_plain_gift": plain.cost(),
        "generator_share_of_a_core": sum(p.cpu["generator"] for p in phases) / seconds,
        "share_of_others_on_this_machine": max(busy - ours, 0.0) / busy,
        "refused": _wrong(phases),
        "connections_at_most": watch.most,
        "connections_allowed": _allowed(site),
        "idle_in_transaction_at_most": watch.most_idle_in_transaction,
    }


def drift(site: Site) -> list[str]:
    """Return every promise of the house that is broken now; none should be."""
    with site.app.app_context():
        return [f"{i.code} {i.promise}: {row}" for i in invariants() for row in i.find()]


def _round(site: Site, phase: Phase, each: int) -> float:
    """Let all donors open the form, then give so many times each; return gifts a second."""
    opened: list[tuple[str, str]] = []
    load.Crowd(site.port, [_opens_form(phase.slug, opened) for _ in range(DONORS)]).run()
    good, seconds = phase.tally.good, phase.tally.seconds
    donors = [_gives(phase, form, each, number) for number, form in enumerate(opened)]
    before = site.cpu_seconds()
    load.crowd_of(site.port, donors, phase.tally)
    for part, spent in site.cpu_seconds().items():
        phase.cpu[part] = phase.cpu.get(part, 0.0) + spent - before[part]
    return (phase.tally.good - good) / (phase.tally.seconds - seconds)


def _opens_form(slug: str, opened: list[tuple[str, str]]) -> load.Visit:
    answer = yield load.get(f"/campaigns/{slug}/give", compressed=False)
    found = _TOKEN.search(answer.body)
    cookie = answer.header(b"set-cookie").partition(b";")[0].decode()
    if found is None or not cookie:
        message = f"the form came without its token: {answer.status} {answer.body[:200]!r}"
        raise RuntimeError(message)
    opened.append((found[1].decode(), cookie))


def _gives(phase: Phase, form: tuple[str, str], each: int, number: int) -> load.Visit:
    token, cookie = form
    fields = {
        "csrf_token": token,
        "amount": "25",
        "frequency": "once",
        "first_name": "Maya",
        "last_name": "Tremblay",
        "email": f"maya{number}@example.org",
    }
    for _ in range(each):
        body = urlencode(fields | {"form_key": secrets.token_urlsafe(12)}).encode()
        answer = yield load.post(
            f"/campaigns/{phase.slug}/give", body, headers=f"Cookie: {cookie}\r\n"
        )
        is_good = answer.status == HTTPStatus.SEE_OTHER and b"cs_" in answer.header(b"location")
        phase.tally.note(answer, good=is_good)


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


def _wrong(phases: Iterable[Phase]) -> dict[str, int]:
    found: dict[str, int] = {}
    for phase in phases:
        for sign, count in phase.tally.wrong.items():
            found[sign] = found.get(sign, 0) + count
    return found
