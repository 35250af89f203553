"""Every line of `flask ledger check`: silent on a sound house, and not on a corrupted one.

The house is filled once; each corruption is made inside a transaction, with the guards that
forbid it dropped, looked at on the same connection, and rolled back, guards and all.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import requests

from donorhub import giving, payments, stories
from donorhub.kit import db, session
from donorhub.wiring.parts import invariants
from tests.builders import a_campaign, a_gift, a_match, a_paid_gift, a_story, a_wish
from tests.builders.giving import pay
from tests.conftest import empty
from tests.invariants import broken

NO_TRIGGERS = "SET LOCAL session_replication_role = replica"
AN_ENTRY = (
    "INSERT INTO ledger_entries (key, kind, subject, occurred_at) "
    "VALUES ('x', 'x', 'gift:ghost', now())"
)
A_SIDE = (
    "INSERT INTO ledger_postings (entry_id, account_code, amount_minor, currency) "
    "SELECT max(id), '{account}', {minor}, 'CAD' FROM ledger_entries"
)
AN_EVENT = (
    "INSERT INTO stripe_events (id, type, created_at, received_at, livemode, body, state) "
    "VALUES ('evt_1', 'x', now(), now(), false, '{}', 'ignored')"
)


@dataclass(frozen=True)
class Corruption:
    """What is done, and the promise whose line must name it."""

    promise: str
    steps: tuple[str, ...]


def drop(table: str, *constraints: str) -> str:
    dropped = ", ".join(f"DROP CONSTRAINT {name}" for name in constraints)
    return f"ALTER TABLE {table} {dropped}"


CORRUPTIONS = [
    Corruption(promise, tuple(steps))
    for promise, *steps in [
        ("every journal entry sums to zero", NO_TRIGGERS,
         A_SIDE.format(account="stripe-balance", minor=1)),
        ("every journal entry sums to zero", NO_TRIGGERS,
         "UPDATE ledger_postings SET currency = 'USD' WHERE account_code = 'stripe-balance'"),
        ("every journal entry has postings", NO_TRIGGERS, AN_ENTRY),
        ("cannot be updated or deleted",
         "ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_append_only"),
        ("cannot be updated or deleted",
         "DROP TRIGGER ledger_postings_append_only ON ledger_postings"),
        ("ledger's Stripe balance is what Stripe took",
         "UPDATE stripe_payments SET fee_minor = fee_minor + 1"),
        ("ledger's Stripe balance is what Stripe took", NO_TRIGGERS,
         "DELETE FROM ledger_postings WHERE account_code = 'stripe-balance'"),
        ("no money is in the ledger's Stripe balance", AN_ENTRY,
         A_SIDE.format(account="stripe-balance", minor=5),
         A_SIDE.format(account="gifts-received", minor=-5)),
        ("every paid checkout has exactly one payment",
         "UPDATE checkouts SET state = 'paid' WHERE state = 'open'"),
        ("every paid checkout has exactly one payment",
         "UPDATE stripe_payments SET amount_minor = amount_minor + 1"),
        ("each event from Stripe is kept once",
         drop("stripe_events", "pk_stripe_events"), AN_EVENT, AN_EVENT),
        ("each letter's key is used once",
         drop("letters", "uq_letters_key"), "UPDATE letters SET key = 'same'"),
        ("a Message-ID of its own",
         drop("letters", "uq_letters_message_id"), "UPDATE letters SET message_id = '<a@b>'"),
        ("a sent letter says when",
         drop("letters", "ck_letters_sent", "ck_letters_tried"),
         "UPDATE letters SET state = 'sent'"),
        ("a suppressed letter says why",
         drop("letters", "ck_letters_suppressed"), "UPDATE letters SET state = 'suppressed'"),
        ("carries no time of sending",
         drop("letters", "ck_letters_sent"), "UPDATE letters SET sent_at = now()"),
        ("no letter waits for more than four hours",
         "UPDATE letters SET due_at = now() - interval '5 hours'"),
        ("no protected name stands in a public text",
         "UPDATE story_texts SET body = 'Here Wilhelmina Ostrander lives.'"),
        ("no protected name stands in a public text",
         "UPDATE campaign_texts SET summary = 'For wilhelmina OSTRANDER'"),
        ("no pool is overdrawn", drop("match_pools", "ck_match_pools_cap"),
         "UPDATE match_pools SET confirmed_minor = cap_minor + 1"),
        ("no pool is overdrawn", drop("match_pools", "ck_match_pools_reserved"),
         "UPDATE match_pools SET reserved_minor = -1"),
        ("no pool is overdrawn", drop("match_pools", "ck_match_pools_confirmed"),
         "UPDATE match_pools SET confirmed_minor = -1"),
        ("slots of an offer add up", "UPDATE match_pools SET cap_minor = cap_minor + 1"),
        ("counters are the sums of their allocations",
         "UPDATE match_pools SET confirmed_minor = confirmed_minor + 1"),
        ("counters are the fold of the match journal", NO_TRIGGERS,
         "UPDATE match_journal SET confirmed_change = confirmed_change + 1"),
        ("counters are the fold of the match journal", NO_TRIGGERS, "DELETE FROM match_journal"),
        ("no donor is matched beyond", "UPDATE match_offers SET per_donor_cap_minor = 1"),
        ("every allocation stands where its journal says", NO_TRIGGERS,
         "UPDATE match_allocations SET state = 'reserved' WHERE state = 'confirmed'"),
        ("every allocation stands where its journal says", NO_TRIGGERS,
         "UPDATE match_journal SET kind = 'confirmed' WHERE kind = 'reserved'"),
        ("every allocation stands where its journal says", NO_TRIGGERS,
         "DELETE FROM match_journal WHERE kind = 'released'"),
        ("ledger's match is the confirmed allocations", NO_TRIGGERS,
         "UPDATE ledger_postings SET amount_minor = 1 WHERE account_code = 'sponsors-owe'"),
        ("no gift is matched beyond", "UPDATE match_offers SET per_gift_cap_minor = 1"),
        ("no gift is matched beyond", "UPDATE match_offers SET ratio_den = 2"),
        ("only pending gifts hold match",
         "UPDATE gifts SET state = 'expired' WHERE state = 'pending'"),
        ("only pending gifts hold match", NO_TRIGGERS, "DELETE FROM gifts"),
        ("every received gift has its money", NO_TRIGGERS, "DELETE FROM stripe_payments"),
        ("every received gift has its money",
         "UPDATE stripe_payments SET amount_minor = amount_minor - 1 WHERE refunded_minor = 0"),
        ("every received gift has its money",
         "UPDATE gifts SET state = 'pending', received_at = NULL WHERE state = 'received'"),
        ("what went back at Stripe", "UPDATE gifts SET refunded_minor = 1"),
        ("what went back at Stripe", "UPDATE stripe_payments SET refunded_minor = 1"),
        ("figures are the sum of its gifts",
         "UPDATE gift_tallies SET raised_minor = raised_minor + 1"),
        ("figures are the sum of its gifts", "UPDATE gift_tallies SET gifts = gifts + 1"),
        ("figures are the sum of its gifts", "DELETE FROM gift_tallies"),
        ("nobody who was told what is matched has less", NO_TRIGGERS,
         "UPDATE match_allocations SET state = 'released' WHERE state = 'confirmed'"),
    ]
]  # fmt: skip


@pytest.fixture(scope="module")
def house(built_app, database_url, stripe_simulator):
    """Gifts in every state, a story, a protected name: filled once, corrupted many times."""
    empty(database_url)
    with built_app.app_context():
        campaign = a_campaign()
        a_match(campaign, cap="1000", slots=2)
        a_story()
        stories.protect_name("Wilhelmina Ostrander")
        a_paid_gift(stripe_simulator, campaign)
        a_paid_gift(stripe_simulator, campaign, email="noor@example.org")
        a_gift(campaign)
        giving.cancel_gift(a_gift(campaign))
        refunded = a_gift(campaign)
        giving.settle_gift(pay(stripe_simulator, refunded))
        session_reference = payments.latest(f"gift:{refunded}").session_reference
        address = f"{stripe_simulator.url}/_sim/checkout/{session_reference}/refund"
        requests.post(address, json={}, timeout=5).raise_for_status()
        giving.settle_gift(payments.read_facts(f"gift:{refunded}"))
        giving.write_gift(a_wish(campaign))
        session.rollback()
        yield built_app
        session.rollback()
    empty(database_url)


def test_a_sound_house_breaks_nothing(house):
    assert broken() == []


@pytest.mark.parametrize(
    "corruption", CORRUPTIONS, ids=[f"{n}-{c.promise[:40]}" for n, c in enumerate(CORRUPTIONS)]
)
def test_a_corruption_is_found_by_the_promise_it_breaks(house, corruption):
    try:
        for step in corruption.steps:
            db.run(step)
        found = [row for i in invariants() if corruption.promise in i.promise for row in i.find()]
    finally:
        session.rollback()
    assert found
    assert all(found), "each row that breaks a promise is named"


def test_every_promise_has_a_corruption_that_proves_it(house):
    known = [corruption.promise for corruption in CORRUPTIONS]
    unproven = [i.promise for i in invariants() if not any(part in i.promise for part in known)]
    assert unproven == []


def test_what_names_a_protected_name_never_repeats_it(house):
    try:
        db.run("UPDATE story_texts SET title = 'Wilhelmina Ostrander'")
        rows = [row for i in invariants() if i.code == "I10" for row in i.find()]
    finally:
        session.rollback()
    assert rows
    assert not any("ostrander" in row.lower() for row in rows)


def test_the_house_is_sound_again_after_all_that(house):
    assert broken() == []
