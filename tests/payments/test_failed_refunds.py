"""A refund that the donor's bank sends back: the money is ours again, and the books say so."""

from __future__ import annotations

import dataclasses

import pytest

from donorhub import giving, ledger, payments
from donorhub.kit import clock, db
from tests.builders import a_campaign, a_gift, a_match, a_paid_gift, a_wish
from tests.builders.giving import cad
from tests.invariants import broken


@pytest.fixture
def gift(stripe_side, matched):
    return a_paid_gift(stripe_side.running, matched)


def refund(stripe_side, public_id, **wishes):
    reference = stripe_side.refund(public_id, **wishes)
    settle(public_id)
    return reference


def fail(stripe_side, reference):
    stripe_side.control(f"/refunds/{reference}/fail")


def settle(public_id):
    return giving.settle_gift(payments.read_facts(f"gift:{public_id}"))


def test_the_gift_is_received_again_with_its_match_once(stripe_side, matched, gift):
    reference = refund(stripe_side, gift)
    assert giving.gift_view(gift).state == "refunded"
    fail(stripe_side, reference)
    assert [settle(gift) for _ in range(3)] == ["received"] * 3
    view = giving.gift_view(gift)
    assert (view.matched, view.refunded.minor, view.shortfall.minor) == (cad("50"), 0, 0)
    found = giving.figures(matched, cad("10000"))
    assert (found.raised, found.gifts, found.matched) == (cad("50"), 1, cad("50"))
    assert ledger.balance("stripe-balance", "CAD") == cad("48.25")
    assert broken() == []


@pytest.mark.parametrize("kind", ["refund.updated", "refund.failed"])
def test_the_event_alone_brings_it_back(stripe_side, gift, kind):
    fail(stripe_side, refund(stripe_side, gift))
    stripe_side.deliver(stripe_side.event(kind))
    assert stripe_side.work() == ["done"]
    assert (giving.gift_view(gift).state, broken()) == ("received", [])


def test_reconciliation_finds_it_too_and_every_movement_is_known(stripe_side, gift):
    fail(stripe_side, refund(stripe_side, gift))
    with clock.stopped() as stopped:
        stopped.advance(minutes=5)
        run = payments.reconcile()
    assert (run.differences, run.movements_seen) == ([], 3)
    assert (giving.gift_view(gift).state, broken()) == ("received", [])


def test_a_refund_that_came_and_went_before_we_looked_is_in_the_books(stripe_side, gift):
    fail(stripe_side, stripe_side.refund(gift))
    with clock.stopped() as stopped:
        stopped.advance(minutes=5)
        assert payments.reconcile().differences == []
    kinds = [row.kind for row in db.rows("SELECT kind FROM ledger_entries ORDER BY id")]
    assert (kinds.count("refund"), kinds.count("refund-failed")) == (1, 1)
    assert (giving.gift_view(gift).state, broken()) == ("received", [])


def test_older_facts_that_arrive_later_do_not_take_it_away_again(stripe_side, gift):
    reference = refund(stripe_side, gift)
    older = payments.read_facts(f"gift:{gift}")
    fail(stripe_side, reference)
    assert settle(gift) == "received"
    assert giving.settle_gift(older) == "received"
    assert broken() == []


def test_when_the_pool_is_used_up_meanwhile_the_shortfall_is_shown(stripe_side):
    campaign = a_campaign()
    a_match(campaign, cap="60", slots=1)
    first = a_paid_gift(stripe_side.running, campaign)
    reference = refund(stripe_side, first)
    a_paid_gift(stripe_side.running, campaign, amount="40")
    fail(stripe_side, reference)
    assert settle(first) == "received"
    view = giving.gift_view(first)
    assert (view.matched, view.shortfall) == (cad("20"), cad("30"))
    assert broken() == []


def test_a_part_that_comes_back_is_matched_again(stripe_side, gift):
    reference = refund(stripe_side, gift, amount=2000)
    assert giving.gift_view(gift).matched == cad("30")
    fail(stripe_side, reference)
    assert settle(gift) == "received"
    assert giving.gift_view(gift).matched == cad("50")
    assert broken() == []


def test_a_part_that_comes_back_never_costs_match_the_gift_still_has(stripe_side):
    campaign = a_campaign()
    offer = a_match(campaign, cap="50", slots=1)
    first = a_paid_gift(stripe_side.running, campaign)
    reference = refund(stripe_side, first, amount=2000)
    db.run("UPDATE match_offers SET state = 'ended' WHERE id = :id", id=offer)
    db.session.commit()
    fail(stripe_side, reference)
    assert settle(first) == "received"
    assert giving.gift_view(first).matched == cad("30")
    assert broken() == []


def test_the_money_can_be_given_back_once_more(stripe_side, gift):
    assert giving.refund_gift(gift) == "refunded"
    fail(stripe_side, stripe_side.event("refund.created")["data"]["object"]["id"])
    assert settle(gift) == "received"
    assert giving.refund_gift(gift) == "refunded"
    assert len(stripe_side.running.client.v1.refunds.list({"limit": 10}).data) == 2
    assert (giving.figures(1, cad("1")).raised.minor, broken()) == (0, [])


def test_a_gift_made_meanwhile_by_the_same_form_keeps_its_place(stripe_side, matched):
    wish = a_wish(matched)
    first = giving.start_gift(wish).public_id
    stripe_side.pay(first)
    settle(first)
    reference = refund(stripe_side, first)
    second = giving.start_gift(wish).public_id
    assert second != first
    fail(stripe_side, reference)
    assert settle(first) == "received"
    assert giving.start_gift(wish).public_id == second
    assert broken() == []


def test_a_gift_paid_after_its_end_does_not_collide_with_its_successor(stripe_side, matched):
    wish = a_wish(matched)
    late = giving.start_gift(wish).public_id
    stripe_side.pay(late)
    facts = payments.read_facts(f"gift:{late}")
    db.run("UPDATE gifts SET state = 'expired', ended_at = now()")
    db.run("UPDATE match_allocations SET state = 'released'")
    db.run("UPDATE match_pools SET reserved_minor = 0")
    db.run(
        "INSERT INTO match_journal (key, pool_id, allocation_id, kind, reserved_change, "
        "confirmed_change, at) SELECT 'released:' || id, pool_id, id, 'released', -amount_minor, "
        "0, now() FROM match_allocations"
    )
    db.session.commit()
    successor = giving.start_gift(wish).public_id
    assert giving.settle_gift(facts) == "received"
    assert giving.gift_view(successor).state == "pending"
    assert broken() == []


def test_a_dispute_with_two_fees_is_booked_to_the_cent(stripe_side, gift):
    case = stripe_side.control(f"/checkout/{stripe_side.session_of(gift)}/dispute")
    facts = payments.read_facts(f"gift:{gift}")
    giving.settle_gift(facts)
    [dispute] = facts.disputes
    more = dataclasses.replace(dispute, fees=(*dispute.fees, ("txn_counter", cad("15"))))
    giving.settle_gift(dataclasses.replace(facts, disputes=(more,)))
    giving.settle_gift(facts)
    assert ledger.balance("dispute-fees", "CAD").minor == sum(fee.minor for _, fee in more.fees)
    assert case["id"] == dispute.reference
    assert broken() == []


def test_old_facts_about_a_dispute_do_not_undo_newer_ones(stripe_side, gift):
    before = payments.read_facts(f"gift:{gift}")
    stripe_side.control(f"/checkout/{stripe_side.session_of(gift)}/dispute")
    settle(gift)
    giving.settle_gift(before)
    assert db.one("SELECT disputed_minor FROM stripe_payments").disputed_minor == 5000
    assert broken() == []


def test_an_open_gift_is_left_alone(stripe_side, matched):
    assert settle(a_gift(matched)) == "pending"
