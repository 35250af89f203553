"""Sixty-four donors on the last hundred dollars of a pool, again and again."""

from __future__ import annotations

import random
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from flask import Flask

from donorhub import campaigns, giving, matching
from donorhub.giving.service import write_gift
from donorhub.kit import Money, Settings, cli, db, now
from donorhub.kit.postgres import temporary_server
from donorhub.wiring import create_app
from donorhub.wiring.parts import invariants

DONORS = 64
LEFT = Money(10_000, "CAD")
LEAST, MOST = 100, 2_000
MOST_SLOTS = 8
"""From one row to eight: a small pool may be spread as thinly as a big one was."""
SECRET = "only for a database that is thrown away"


@dataclass(slots=True)
class Findings:
    """What went wrong in which round; empty is how it must stay."""

    rounds: int = 0
    gifts: int = 0
    overdrawn: list[str] = field(default_factory=list)
    stranded: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    told_less: int = 0
    seconds: float = 0.0


def measure(*, rounds: int) -> dict[str, Any]:
    """Run the rounds on a PostgreSQL of their own; return what was found.

    Every round has a fresh pool of $100. All donors start at the same moment, each on a
    connection of its own, and ask for $1 to $20 to the cent. Durability is off: it has no part
    in who gets what, and a round takes a fraction of the time.
    """
    found = Findings()
    with temporary_server() as server:
        app = create_app(_settings(server.url))
        cli.upgrade(app.extensions["engine"])
        begun = time.monotonic()
        with ThreadPoolExecutor(DONORS) as donors:
            for number in range(rounds):
                _round(app, donors, number, found)
        found.seconds = time.monotonic() - begun
        with app.app_context():
            broken = [f"{i.code} {i.promise}: {row}" for i in invariants() for row in i.find()]
        app.extensions["engine"].dispose()
    return {
        "donors_at_once": DONORS,
        "rounds": found.rounds,
        "gifts": found.gifts,
        "gifts_told_none_or_partly": found.told_less,
        "rounds_a_second": found.rounds / found.seconds,
        "overdrawn": found.overdrawn,
        "stranded": found.stranded,
        "failed": found.failed,
        "broken_promises": broken,
    }


def _settings(url: str) -> Settings:
    return Settings(
        database_url=url,
        secret_key=SECRET,
        stripe_secret_key="sk_test_never_used",
        stripe_webhook_secret=SECRET,
        stripe_api_base="http://127.0.0.1:9",
        mail_server="127.0.0.1",
        mail_default_sender="letters@example.org",
        safeguarding_key=SECRET,
        abuse_limits=False,
        database_pool=DONORS + 1,
        page_cache_ms=0,
    )


def _round(app: Flask, donors: ThreadPoolExecutor, number: int, found: Findings) -> None:
    with app.app_context():
        offer_id, wish = _open_pool(number)
    ready = threading.Barrier(DONORS)

    def give() -> str:
        amount = Money(random.randint(LEAST, MOST), LEFT.currency)
        own = replace(wish, form_key=secrets.token_hex(8), intended=amount)
        with app.app_context():
            db.one("SELECT 1")  # the connection is open before the race begins
            db.session.rollback()
            ready.wait()
            try:
                write_gift(own)
            except Exception as error:  # noqa: BLE001 - told in the report
                return f"round {number}: {type(error).__name__}"
        return ""

    said = [future.result() for future in [donors.submit(give) for _ in range(DONORS)]]
    found.failed += [words for words in said if words]
    with app.app_context():
        _look(offer_id, number, found)


def _open_pool(number: int) -> tuple[int, giving.GiftWish]:
    campaign_id = campaigns.save_campaign(
        f"last-dollars-{number}",
        texts={"en": campaigns.CampaignText("The last dollars", "A race.", "Why.")},
        goal=LEFT,
        suggested=[Money(500, LEFT.currency)],
        starts_at=now() - timedelta(days=1),
        ends_at=None,
    )
    offer_id = matching.open_offer(
        matching.OfferWish(
            campaign_id=campaign_id,
            sponsor_names={"en": "The Alder Fund"},
            agreement_reference="bench",
            terms={"en": "Only with your gift."},
            cap=LEFT,
            starts_at=now() - timedelta(hours=1),
            ends_at=now() + timedelta(days=1),
            slots=1 + number % MOST_SLOTS,
        )
    )
    wish = giving.GiftWish(
        form_key="",
        campaign_id=campaign_id,
        campaign_title="The last dollars",
        story_id=None,
        intended=LEFT,
        fee_cover=Money.zero(LEFT.currency),
        first_name="Maya",
        last_name="Tremblay",
        email="maya@example.org",
        message="",
        is_anonymous=False,
        locale="en",
        sender="bench",
        wants_review=False,
    )
    return offer_id, wish


def _look(offer_id: int, number: int, found: Findings) -> None:
    """Compare what every donor was told with what is left."""
    pool = db.one(
        "SELECT sum(cap_minor)::bigint AS cap, sum(reserved_minor + confirmed_minor)::bigint "
        "AS taken FROM match_pools WHERE offer_id = :offer",
        offer=offer_id,
    )
    gifts = db.rows(
        "SELECT g.match_wished_minor AS wished, coalesce(sum(a.amount_minor), 0)::bigint AS told "
        "FROM gifts g LEFT JOIN match_allocations a ON a.gift_id = g.id "
        "WHERE g.match_offer_id = :offer GROUP BY g.id",
        offer=offer_id,
    )
    db.session.rollback()
    told = sum(gift.told for gift in gifts)
    told_less = sum(gift.told < gift.wished for gift in gifts)
    found.rounds += 1
    found.gifts += len(gifts)
    found.told_less += told_less
    if told > LEFT.minor or pool.taken > pool.cap or told != pool.taken:
        found.overdrawn.append(f"round {number}: told {told}, taken {pool.taken}")
    if told_less and pool.taken < pool.cap:
        found.stranded.append(f"round {number}: {pool.cap - pool.taken} minor units left")
