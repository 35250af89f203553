"""Sixty-four donors on the last hundred dollars of a pool, again and again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask

from donorhub import campaigns, matching
from donorhub.kit import Money, Settings, cli, db, now, unit_of_work
from donorhub.kit.postgres import temporary_server
from donorhub.wiring import create_app
from donorhub.wiring.parts import invariants

DONORS = 64
CONNECTIONS = 20
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

    Every round has a fresh pool of $100. All donors start at the same moment, on as many
    connections as the site has, and ask for $1 to $20 to the cent. Durability is off: it has no
    part in who gets what, and a round takes a fraction of the time.
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
        database_pool=CONNECTIONS,
        page_cache_ms=0,
    )


def _round(app: Flask, donors: ThreadPoolExecutor, number: int, found: Findings) -> None:
    wishes = [Money(random.randint(LEAST, MOST), LEFT.currency) for _ in range(DONORS)]
    with app.app_context():
        campaign_id, offer_id = _open_pool(number)
        gift_ids = _write_gifts(number, campaign_id, offer_id, wishes)
    ready = threading.Barrier(DONORS)

    def ask(gift_id: int, wish: Money) -> int | str:
        ready.wait()
        try:
            with app.app_context(), unit_of_work():
                told = matching.reserve(
                    gift_id, campaign_id=campaign_id, gift=wish, sender="bench", donor=str(gift_id)
                )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            return f"round {number}: {type(error).__name__}"
        return told.granted.minor

    told = list(donors.map(ask, gift_ids, wishes))
    found.failed += [words for words in told if isinstance(words, str)]
    answers = [
        (wish.minor, minor)
        for wish, minor in zip(wishes, told, strict=True)
        if isinstance(minor, int)
    ]
    with app.app_context():
        _look(offer_id, number, answers, found)


def _open_pool(number: int) -> tuple[int, int]:
    """Open a campaign with a pool; return both ids."""
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
    return campaign_id, offer_id


def _write_gifts(
    number: int, campaign_id: int, offer_id: int, wishes: Sequence[Money]
) -> list[int]:
    """Write the donors' gifts, so that every invariant can be checked afterwards."""
    with unit_of_work():
        made = db.rows(
            "INSERT INTO gifts (public_id, form_key, form_content, campaign_id, frequency, state, "
            "intended_minor, fee_cover_minor, amount_minor, currency, match_offer_id, "
            "match_wished_minor, first_name, last_name, email, is_anonymous, locale, sender, "
            "hold_until, created_at) SELECT :round || '-' || n, :round || '-' || n, '', :campaign, "
            "'once', 'pending', minor, 0, minor, :currency, :offer, minor, 'Maya', 'Tremblay', "
            "'maya@example.org', false, 'en', 'bench', :hold, :now "
            "FROM unnest(cast(:minors AS bigint[])) WITH ORDINALITY AS wish (minor, n) "
            "RETURNING id",
            round=str(number),
            campaign=campaign_id,
            offer=offer_id,
            currency=LEFT.currency,
            minors=[wish.minor for wish in wishes],
            hold=now() + timedelta(minutes=30),
            now=now(),
        )
    return [row.id for row in made]


def _look(offer_id: int, number: int, answers: Sequence[tuple[int, int]], found: Findings) -> None:
    """Compare what every donor was told with what is left."""
    pool = db.one(
        "SELECT sum(cap_minor)::bigint AS cap, sum(reserved_minor + confirmed_minor)::bigint "
        "AS taken FROM match_pools WHERE offer_id = :offer",
        offer=offer_id,
    )
    told = sum(minor for _, minor in answers)
    told_less = sum(minor < wished for wished, minor in answers)
    found.rounds += 1
    found.gifts += len(answers)
    found.told_less += told_less
    if told > LEFT.minor or pool.taken > pool.cap or told != pool.taken:
        found.overdrawn.append(f"round {number}: told {told}, taken {pool.taken}")
    if told_less and pool.taken < pool.cap:
        found.stranded.append(f"round {number}: {pool.cap - pool.taken} minor units left")
