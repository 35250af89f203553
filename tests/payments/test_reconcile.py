"""Reconciliation: whatever got lost on the way is found, and found once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from donorhub import giving, ledger, payments
from donorhub.kit import clock, db
from tests.builders import a_gift, a_paid_gift
from tests.builders.giving import cad
from tests.invariants import broken


@pytest.fixture
def later():
    """The clock, stopped five minutes from now: nothing at Stripe is too new to be compared."""
    with clock.stopped() as stopped:
        stopped.advance(minutes=5)
        yield stopped


def command(app, *arguments):
    return app.test_cli_runner().invoke(args=["payments", "reconcile", *arguments])


def state(public_id):
    return giving.gift_view(public_id).state


def everything():
    tables = ("gifts", "checkouts", "stripe_payments", "stripe_events", "ledger_entries",
              "reconciliations", "match_allocations", "letters", "procrastinate_jobs")  # fmt: skip
    return {table: db.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables}


def test_a_gift_whose_webhook_never_came_is_received(app, stripe_side, matched, later):
    public_id = a_gift(matched)
    stripe_side.pay(public_id)
    run = command(app)
    assert run.exit_code == 0, run.output
    assert (state(public_id), giving.gift_view(public_id).matched) == ("received", cad("50"))
    assert db.one("SELECT count(*) AS n FROM letters").n == 1
    assert broken() == []


def test_a_gift_paid_a_moment_ago_is_received_too_and_is_no_difference(app, stripe_side, matched):
    public_id = a_gift(matched)
    stripe_side.pay(public_id)
    run = command(app)
    assert (run.exit_code, state(public_id)) == (0, "received"), run.output


def test_a_second_run_finds_nothing_and_changes_nothing(app, stripe_side, matched, later):
    stripe_side.pay(a_gift(matched))
    first = payments.reconcile()
    before = everything()
    second = payments.reconcile()
    assert (first.events_missed, first.differences) == (first.events_seen, [])
    assert first.events_missed >= 3
    assert (second.events_missed, second.checkouts_settled, second.differences) == (0, 0, [])
    after = everything()
    assert len(after.pop("reconciliations")) == 2
    before.pop("reconciliations")
    assert after == before


def test_missed_refunds_and_disputes_reverse_their_gifts(stripe_side, matched, later):
    back, part, lost, won = (a_paid_gift(stripe_side.running, matched) for _ in range(4))
    stripe_side.refund(back)
    stripe_side.refund(part, amount=1000)
    for public_id, status in ((lost, "lost"), (won, "won")):
        session = stripe_side.session_of(public_id)
        case = stripe_side.control(f"/checkout/{session}/dispute")
        stripe_side.control(f"/disputes/{case['id']}/close", status=status)
    run = payments.reconcile()
    assert run.differences == []
    states = [state(one) for one in (back, part, lost, won)]
    assert states == ["refunded", "received", "disputed", "received"]
    assert giving.gift_view(part).refunded == cad("10")
    assert broken() == []


def test_an_open_session_is_asked_about_even_without_an_event(stripe_side, matched, later):
    paid, open_one = a_gift(matched), a_gift(matched)
    stripe_side.pay(paid)
    later.advance(days=31)
    stripe_side.forget_requests()
    run = payments.reconcile()
    assert (run.events_seen, run.checkouts_settled) == (0, 2)
    assert state(paid) == "received"
    assert state(open_one) == "pending"
    assert broken() == []


def test_a_fee_that_came_late_without_an_event_is_booked(stripe_side, matched):
    stripe_side.behave(fee_delay_ms=600_000)
    public_id = a_paid_gift(stripe_side.running, matched)
    assert db.one("SELECT fee_minor FROM stripe_payments").fee_minor is None
    with clock.stopped() as stopped:
        stopped.advance(minutes=5)
        assert payments.reconcile().differences == []
        assert ledger.balance("processing-fees", "CAD") == cad("0")
        stripe_side.control("/clock", advance="11m")
        stopped.advance(minutes=12)
        run = payments.reconcile()
    assert run.differences == []
    assert db.one("SELECT fee_minor FROM stripe_payments").fee_minor == 175
    assert ledger.balance("processing-fees", "CAD") == cad("1.75")
    assert (state(public_id), broken()) == ("received", [])


def test_a_movement_nobody_here_knows_is_a_difference(app, stripe_side, matched, later):
    public_id = a_paid_gift(stripe_side.running, matched)
    foreign = stripe_side.running.client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "cad",
                        "unit_amount": 700,
                        "product_data": {"name": "Sold by somebody else"},
                    },
                }
            ],
            "success_url": "http://127.0.0.1:9/",
        }
    )
    stripe_side.control(f"/checkout/{foreign.id}/pay")
    run = command(app)
    assert run.exit_code == 1
    assert "a charge we do not know" in run.output
    kept = db.one("SELECT differences FROM reconciliations").differences
    assert len(kept) == 1
    assert (state(public_id), broken()) == ("received", [])


@pytest.mark.parametrize("column", ["amount_minor", "fee_minor"])
def test_a_charge_of_another_amount_than_ours_is_a_difference(stripe_side, matched, later, column):
    a_paid_gift(stripe_side.running, matched)
    db.run(f"UPDATE stripe_payments SET {column} = {column} + 1")
    db.session.commit()
    [difference] = payments.reconcile().differences
    assert "another amount" in difference


def test_a_refund_that_is_not_in_our_books_is_a_difference(
    context, stripe_side, matched, later, monkeypatch
):
    public_id = a_paid_gift(stripe_side.running, matched)
    stripe_side.refund(public_id)
    monkeypatch.setattr(payments.reconcile.__globals__["inbox"], "handle_event", lambda _id: "done")
    [difference] = payments.reconcile().differences
    assert "a refund we do not know" in difference


def test_a_movement_of_the_last_two_minutes_is_left_to_the_next_run(
    context, stripe_side, matched, monkeypatch
):
    public_id = a_gift(matched)
    stripe_side.pay(public_id)
    with monkeypatch.context() as patch:
        patch.setattr(payments.reconcile.__globals__["inbox"], "handle_event", lambda _id: "done")
        run = payments.reconcile()
        assert (run.movements_seen, run.differences) == (0, [])
        with clock.stopped() as stopped:
            stopped.advance(minutes=1)
            assert payments.reconcile().differences == []


def test_a_dry_run_says_what_differs_and_changes_nothing(app, stripe_side, matched, later):
    public_id = a_gift(matched)
    stripe_side.pay(public_id)
    before = everything()
    run = command(app, "--dry-run")
    assert "missed" in run.output
    assert "a charge we do not know" in run.output
    assert run.exit_code == 1
    assert everything() == before
    assert state(public_id) == "pending"


def test_each_run_is_kept_and_the_next_begins_two_hours_before_it(stripe_side, matched, later):
    payments.reconcile()
    [row] = db.rows("SELECT * FROM reconciliations")
    assert (row.started_at, row.differences) == (later.at, [])
    assert row.finished_at >= row.started_at
    later.advance(days=3)
    stripe_side.forget_requests()
    payments.reconcile()
    [asked] = stripe_side.requests("/v1/events")
    since = row.started_at - timedelta(hours=2)
    assert int(asked["params"]["created"]["gte"]) == int(since.timestamp())


def test_looking_back_one_day_by_hand_skips_nothing_that_no_run_has_seen(
    stripe_side, matched, later
):
    payments.reconcile()
    later.advance(days=5)
    stripe_side.forget_requests()
    payments.reconcile(days=1)
    payments.reconcile(days=10)
    asked = [call["params"]["created"]["gte"] for call in stripe_side.requests("/v1/events")]
    ages = [round((later.at.timestamp() - int(since)) / 3600) for since in asked]
    assert ages == [5 * 24 + 2, 10 * 24]


def test_the_first_run_looks_back_as_far_as_stripe_keeps_events(stripe_side, later):
    payments.reconcile()
    [asked] = stripe_side.requests("/v1/events")
    assert int(asked["params"]["created"]["gte"]) == int(
        (later.at - timedelta(days=30)).timestamp()
    )
    assert len(asked["params"]["types"]) <= 20


def test_more_than_one_page_holds_is_seen_to_the_end(stripe_side, matched, later, monkeypatch):
    monkeypatch.setitem(payments.Gateway.facts.__globals__, "PAGE", 3)
    for _ in range(4):
        stripe_side.pay(a_gift(matched, amount="5"))
    run = payments.reconcile()
    assert (run.events_seen, run.movements_seen) == (12, 4)
    assert len(stripe_side.requests("/v1/events")) >= 4
    assert db.one("SELECT count(*) AS n FROM gifts WHERE state = 'received'").n == 4
    assert (run.differences, broken()) == ([], [])


def test_a_stripe_that_is_away_leaves_the_cursor_where_it_was(
    app, stripe_side, impatient, matched, later
):
    public_id = a_gift(matched)
    stripe_side.pay(public_id)
    stripe_side.behave(down=True)
    run = command(app)
    assert run.exit_code == 1
    assert "could not be reached" in run.output
    assert db.rows("SELECT * FROM reconciliations") == []
    stripe_side.behave(reset=True)
    assert command(app).exit_code == 0
    assert state(public_id) == "received"
