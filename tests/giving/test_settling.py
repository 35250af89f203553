"""A gift from the form to the ledger, against real PostgreSQL and a simulated Stripe."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import requests

from donorhub import giving, payments
from donorhub.kit import clock, db
from tests.builders import a_campaign, a_gift, a_match, a_paid_gift, a_wish
from tests.builders.giving import cad, pay
from tests.invariants import broken


@pytest.fixture
def campaign(context):
    return a_campaign()


@pytest.fixture
def matched(campaign):
    a_match(campaign, cap="1000", slots=4)
    return campaign


def figures(campaign):
    return giving.figures(campaign, cad("10000"))


def test_a_started_gift_holds_its_match_and_has_a_page_to_pay_on(stripe_simulator, matched):
    started = giving.start_gift(a_wish(matched))
    gift = giving.gift_view(started.public_id)
    assert started.checkout_url.startswith(stripe_simulator.url)
    assert (gift.state, gift.matched, gift.shortfall.minor) == ("pending", cad("50"), 0)
    assert broken() == []


def test_a_paid_gift_is_received_matched_counted_and_thanked_for_once(stripe_simulator, matched):
    public_id = a_gift(matched)
    facts = pay(stripe_simulator, public_id)
    assert [giving.settle_gift(facts) for _ in range(5)] == ["received"] * 5
    assert giving.gift_view(public_id).matched == cad("50")
    found = figures(matched)
    assert (found.raised, found.gifts, found.matched) == (cad("50"), 1, cad("50"))
    assert db.one("SELECT count(*) AS n FROM letters").n == 1
    assert broken() == []


def test_webhook_and_redirect_at_the_same_moment_settle_once(app, stripe_simulator, matched):
    public_id = a_gift(matched)
    facts = pay(stripe_simulator, public_id)
    start = threading.Barrier(6)
    states = []

    def settle():
        with app.app_context():
            start.wait()
            states.append(giving.settle_gift(facts))

    threads = [threading.Thread(target=settle) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states == ["received"] * 6
    assert (figures(matched).raised, figures(matched).gifts) == (cad("50"), 1)
    assert broken() == []


def test_the_fee_that_arrives_late_reaches_the_ledger_once(stripe_simulator, matched):
    public_id = a_gift(matched)
    facts = pay(stripe_simulator, public_id)
    giving.settle_gift(facts)
    later = payments.read_facts(f"gift:{public_id}")
    for _ in range(2):
        giving.settle_gift(later)
    row = db.one("SELECT fee_minor FROM stripe_payments")
    assert row.fee_minor == 175
    assert broken() == []


def test_a_full_refund_started_at_stripe_reverses_gift_match_ledger_and_figures_once(
    stripe_simulator, matched
):
    public_id = a_paid_gift(stripe_simulator, matched)
    session = payments.latest(f"gift:{public_id}").session_reference
    requests.post(f"{stripe_simulator.url}/_sim/checkout/{session}/refund", json={}, timeout=5)
    facts = payments.read_facts(f"gift:{public_id}")
    assert [giving.settle_gift(facts) for _ in range(3)] == ["refunded"] * 3
    found = figures(matched)
    assert (found.raised.minor, found.gifts, found.matched.minor) == (0, 0, 0)
    assert broken() == []


def test_a_refund_started_here_is_made_once(stripe_simulator, matched):
    public_id = a_paid_gift(stripe_simulator, matched)
    assert giving.refund_gift(public_id) == "refunded"
    assert giving.refund_gift(public_id) == "refunded"
    assert broken() == []


def test_a_partial_refund_releases_only_the_match_of_what_went_back(stripe_simulator, matched):
    public_id = a_paid_gift(stripe_simulator, matched)
    session = payments.latest(f"gift:{public_id}").session_reference
    requests.post(
        f"{stripe_simulator.url}/_sim/checkout/{session}/refund", json={"amount": 2000}, timeout=5
    )
    assert giving.settle_gift(payments.read_facts(f"gift:{public_id}")) == "received"
    assert giving.gift_view(public_id).matched == cad("30")
    assert figures(matched).raised == cad("30")
    assert broken() == []


@pytest.mark.parametrize(
    ("outcome", "state", "raised"), [("lost", "disputed", "0"), ("won", "received", "50")]
)
def test_a_dispute_moves_the_gift_only_when_it_is_lost(
    stripe_simulator, matched, outcome, state, raised
):
    public_id = a_paid_gift(stripe_simulator, matched)
    session = payments.latest(f"gift:{public_id}").session_reference
    sim = stripe_simulator.url
    requests.post(f"{sim}/_sim/checkout/{session}/dispute", json={}, timeout=5).raise_for_status()
    assert giving.settle_gift(payments.read_facts(f"gift:{public_id}")) == "received"
    assert broken() == []
    dispute = payments.read_facts(f"gift:{public_id}").disputes[0].reference
    requests.post(f"{sim}/_sim/disputes/{dispute}/close", json={"status": outcome}, timeout=5)
    for _ in range(2):
        assert giving.settle_gift(payments.read_facts(f"gift:{public_id}")) == state
    assert figures(matched).raised == cad(raised)
    assert broken() == []


def test_cancelling_expires_the_session_first_and_then_frees_the_match(stripe_simulator, matched):
    public_id = a_gift(matched)
    assert giving.cancel_gift(public_id) == "cancelled"
    facts = payments.read_facts(f"gift:{public_id}")
    assert facts.session_state == "expired"
    assert giving.gift_view(public_id).matched.minor == 0
    assert broken() == []


def test_a_payment_that_was_quicker_than_the_cancel_link_is_received(stripe_simulator, matched):
    public_id = a_gift(matched)
    pay(stripe_simulator, public_id)
    assert giving.cancel_gift(public_id) == "received"
    assert giving.gift_view(public_id).matched == cad("50")
    assert broken() == []


def test_the_sweep_ends_holds_however_old_they_are(stripe_simulator, matched):
    old, new = a_gift(matched), a_gift(matched)
    with clock.stopped() as stopped:
        stopped.advance(days=400)
        assert giving.expire_holds() == 2
    assert {giving.gift_view(old).state, giving.gift_view(new).state} == {"expired"}
    assert broken() == []


def test_the_sweep_receives_a_gift_whose_webhook_never_came(stripe_simulator, matched):
    public_id = a_gift(matched)
    pay(stripe_simulator, public_id)
    with clock.stopped() as stopped:
        stopped.advance(minutes=40)
        giving.expire_holds()
    assert giving.gift_view(public_id).state == "received"
    assert broken() == []


def test_a_gift_whose_process_died_before_stripe_answered_is_found_and_ended(
    stripe_simulator, matched
):
    public_id, checkout = giving.write_gift(a_wish(matched))
    payments.gateway().open_session(checkout.params, key=checkout.idempotency_key)
    with clock.stopped() as stopped:
        stopped.advance(minutes=40)
        assert giving.expire_holds() == 1
    assert payments.read_facts(f"gift:{public_id}").session_state == "expired"
    assert giving.gift_view(public_id).state == "expired"
    assert broken() == []


def test_a_late_success_takes_match_again_and_tells_the_truth_about_it(stripe_simulator, campaign):
    a_match(campaign, cap="60", slots=1)
    late = a_gift(campaign)
    facts = pay(stripe_simulator, late)
    with_nothing_left = db.run  # the hold is released as if Stripe had said that it expired
    from donorhub import matching
    from donorhub.kit import unit_of_work

    with unit_of_work():
        with_nothing_left(
            "UPDATE gifts SET state = 'expired', ended_at = now() WHERE public_id = :id", id=late
        )
        matching.release(1, reason="expired")
    a_gift(campaign, amount="40")
    assert giving.settle_gift(facts) == "received"
    gift = giving.gift_view(late)
    assert (gift.matched, gift.shortfall) == (cad("20"), cad("30"))
    assert broken() == []


def test_the_same_form_sent_twice_is_one_gift(stripe_simulator, matched):
    wish = a_wish(matched)
    first, second = giving.start_gift(wish), giving.start_gift(wish)
    assert first == second
    assert db.one("SELECT count(*) AS n FROM gifts").n == 1


def test_a_double_click_is_one_gift(app, stripe_simulator, matched):
    wish = a_wish(matched)
    start = threading.Barrier(8)
    seen = []

    def click():
        with app.app_context():
            start.wait()
            seen.append(giving.start_gift(wish).public_id)

    threads = [threading.Thread(target=click) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert broken() == []


def test_going_back_and_changing_the_amount_moves_the_hold(stripe_simulator, matched):
    first = giving.start_gift(a_wish(matched, form_key="form")).public_id
    second = giving.start_gift(a_wish(matched, form_key="form", amount="80")).public_id
    assert giving.gift_view(first).state == "cancelled"
    assert giving.gift_view(second).matched == cad("80")
    assert db.one("SELECT sum(reserved_minor) AS r FROM match_pools").r == 8000
    assert broken() == []


def test_an_amount_that_differs_from_our_row_moves_nothing(stripe_simulator, matched):
    from dataclasses import replace

    public_id = a_gift(matched)
    facts = pay(stripe_simulator, public_id)
    for wrong in (
        replace(facts, amount=cad("5")),
        replace(facts, livemode=True),
        replace(facts, amount=type(facts.amount)(5000, "USD")),
    ):
        with pytest.raises(payments.FactsDisagree):
            giving.settle_gift(wrong)
    assert giving.gift_view(public_id).state == "pending"
    assert broken() == []


def test_less_match_than_the_gift_asks_for_is_shown_before_paying(stripe_simulator, campaign):
    a_match(campaign, cap="32.10", slots=1)
    started = giving.start_gift(a_wish(campaign))
    assert started.checkout_url is None
    gift = giving.gift_view(started.public_id)
    assert (gift.matched, gift.shortfall, gift.reduced) == (
        cad("32.10"),
        cad("17.90"),
        cad("32.10"),
    )
    assert broken() == []


def test_a_hold_lasts_as_long_as_its_session_can_be_paid(stripe_simulator, matched):
    public_id = a_gift(matched)
    checkout = payments.latest(f"gift:{public_id}")
    assert checkout.expires_at == giving.gift_view(public_id).hold_until
    assert checkout.params["expires_at"] == int(checkout.expires_at.timestamp())
    assert timedelta(minutes=30) <= checkout.expires_at - clock.now() <= timedelta(minutes=31)
