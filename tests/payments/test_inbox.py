"""The webhook inbox: only what Stripe signed, kept once, answered at once, acted on once."""

from __future__ import annotations

import dataclasses
import json
import random
import threading
from datetime import timedelta

import pytest

from donorhub import giving, payments
from donorhub.kit import clock, db
from donorhub.payments.simulator.webhooks import signature
from tests.builders import a_gift, a_wish
from tests.builders.giving import cad
from tests.invariants import broken
from tests.payments.simulator_server import SECRET
from tests.payments.stripe_side import inbox_rows, state_of


@pytest.fixture
def paid(stripe_side, matched):
    """A gift that was paid at Stripe; nobody has told us yet."""
    public_id = a_gift(matched)
    stripe_side.pay(public_id)
    return public_id


@pytest.fixture
def completed(stripe_side, paid):
    return stripe_side.event("checkout.session.completed")


def state(public_id: str) -> str:
    return giving.gift_view(public_id).state


def letters() -> int:
    return db.one("SELECT count(*) AS n FROM letters").n


def test_a_signed_event_is_kept_answered_at_once_and_acted_on_by_a_job(
    stripe_side, paid, completed
):
    stripe_side.forget_requests()
    assert stripe_side.deliver(completed) == 200
    assert (state(paid), stripe_side.requests()) == ("pending", [])
    assert state_of(completed["id"]) == "waiting"
    assert stripe_side.work() == ["done"]
    assert state(paid) == "received"
    assert (state_of(completed["id"]), broken()) == ("done", [])


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "whsec_of_somebody_else"},
        {"late": 301},
        {"late": -301},
        {"header": ""},
        {"header": "t=soon,v1=abc"},
        {"header": "v1=abc"},
        {"header": "t=1,v1="},
        {"header": "é"},
    ],
)
def test_what_is_not_signed_by_stripe_now_is_refused_and_not_kept(stripe_side, completed, changes):
    assert stripe_side.deliver(completed, **changes) == 400
    assert inbox_rows() == []


@pytest.mark.parametrize("late", [-290, 0, 290])
def test_a_clock_that_is_a_little_off_does_no_harm(stripe_side, completed, late):
    assert stripe_side.deliver(completed, late=late) == 200


def test_a_request_without_any_signature_is_refused(client, completed):
    assert client.post("/webhooks/stripe", json=completed).status_code == 400
    assert inbox_rows() == []


def test_a_body_that_lost_its_end_or_changed_by_a_byte_is_refused(stripe_side, completed):
    body = json.dumps(completed).encode()
    proof = signature(body, at=int(clock.now().timestamp()), secrets=(SECRET,))
    for tampered in (body[:-1], body + b" ", body.replace(b"5000", b"5001", 1), b"\xff\xfe"):
        assert stripe_side.post(tampered, header=proof) == 400
    assert stripe_side.post(body, header=proof) == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"[1, 2]", b'"text"', b"null", b"{}", b'{"id": "evt_1"}',
        b'{"id": 1, "type": "x", "created": 1, "livemode": false, "data": {"object": {}}}',
        b'{"id": "e", "type": "x", "created": 1, "livemode": false, "data": {"object": []}}',
    ],
)  # fmt: skip
def test_a_signed_body_that_is_no_event_is_refused(stripe_side, body):
    assert stripe_side.post(body) == 400
    assert inbox_rows() == []


def test_a_body_of_300_kilobytes_is_refused_unread(stripe_side):
    assert stripe_side.post(b" " * 300_000) == 413
    assert inbox_rows() == []


def test_both_secrets_count_while_they_are_exchanged(context, stripe_side, completed, monkeypatch):
    settings = context.extensions["settings"]
    exchanging = dataclasses.replace(
        settings, stripe_webhook_secret="whsec_new", stripe_webhook_secret_previous=SECRET
    )
    monkeypatch.setitem(context.extensions, "settings", exchanging)
    assert stripe_side.deliver(completed, secret=SECRET) == 200
    assert stripe_side.deliver(completed, secret="whsec_new") == 200
    assert stripe_side.deliver(completed, secret="") == 400
    body = json.dumps(completed).encode()
    at = int(clock.now().timestamp())
    both = signature(body, at=at, secrets=("whsec_unknown", "whsec_new"))
    assert stripe_side.post(body, header=both) == 200


def test_the_same_event_five_times_is_one_row_and_has_one_effect(stripe_side, paid, completed):
    assert [stripe_side.deliver(completed) for _ in range(5)] == [200] * 5
    assert stripe_side.work() == ["done"]
    for _ in range(3):
        assert payments.handle_event(completed["id"]) == "done"
    assert (len(inbox_rows()), letters(), broken()) == (1, 1, [])


def test_the_same_event_twice_at_once_is_one_row_and_has_one_effect(
    app, stripe_side, paid, completed
):
    body = json.dumps(completed).encode()
    proof = signature(body, at=int(clock.now().timestamp()), secrets=(SECRET,))
    statuses = at_once(
        lambda: (
            app.test_client()
            .post("/webhooks/stripe", data=body, headers={"Stripe-Signature": proof})
            .status_code
        )
    )
    assert statuses == [200] * 6
    assert len(inbox_rows()) == 1

    def act():
        with app.app_context():
            return payments.handle_event(completed["id"])

    assert at_once(act) == ["done"] * 6
    assert (state(paid), letters(), broken()) == ("received", 1, [])


def at_once(do, times=6):
    start, answers = threading.Barrier(times), []

    def together():
        start.wait()
        answers.append(do())

    threads = [threading.Thread(target=together) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_events_copied_and_in_any_order_lead_to_the_same_end(stripe_side, matched):
    kept, back, other = (a_gift(matched) for _ in range(3))
    for public_id in (kept, back, other):
        stripe_side.pay(public_id)
    stripe_side.refund(back)
    stripe_side.refund(other, amount=2000)
    told = stripe_side.events() * 3
    random.Random(7).shuffle(told)
    for event in told:
        assert stripe_side.deliver(event) == 200
        stripe_side.work()
    assert [state(one) for one in (kept, back, other)] == ["received", "refunded", "received"]
    assert giving.gift_view(other).matched == cad("30")
    assert {row.state for row in inbox_rows()} <= {"done", "ignored"}
    assert broken() == []


def test_a_type_we_have_no_use_for_is_kept_and_ignored(stripe_side):
    event = forged("customer.created", {"id": "cus_1", "object": "customer"})
    assert stripe_side.deliver(event) == 200
    assert (state_of("evt_forged"), stripe_side.work()) == ("ignored", [])


def forged(kind, item, **more):
    event = {
        "id": "evt_forged", "object": "event", "api_version": "2031-01-01.later", "type": kind,
        "created": 1_790_000_000, "livemode": False, "data": {"object": item},
    }  # fmt: skip
    return event | more


def test_an_event_of_the_other_mode_is_parked_where_a_person_sees_it(
    app, stripe_side, paid, completed
):
    assert stripe_side.deliver(completed | {"livemode": True}) == 200
    assert (stripe_side.work(), state(paid)) == ([], "pending")
    shown = app.test_cli_runner().invoke(args=["payments", "parked"]).output
    assert completed["id"] in shown
    assert "another mode" in shown
    assert "1 parked." in shown


def test_an_event_about_somebody_elses_session_is_retried_ever_later_and_then_parked(
    app, stripe_side
):
    item = {"id": "cs_test_foreign", "object": "checkout.session", "metadata": {}}
    with clock.stopped() as stopped:
        assert stripe_side.deliver(forged("checkout.session.completed", item)) == 200
        assert stripe_side.work() == ["waiting"]
        pauses = []
        while state_of("evt_forged") == "waiting":
            row = inbox_rows()[0]
            pauses.append(row.retry_at - stopped.at)
            stopped.at = row.retry_at - timedelta(seconds=1)
            stripe_side.retry_due()
            assert inbox_rows()[0].attempts == row.attempts
            stopped.at = row.retry_at
            stripe_side.retry_due()
    assert pauses == sorted(pauses)
    assert (len(pauses), state_of("evt_forged")) == (5, "parked")
    shown = app.test_cli_runner().invoke(args=["payments", "parked"]).output
    assert "none of our checkouts" in shown


def test_an_intent_that_belongs_to_nobody_we_know_is_no_error(stripe_side):
    item = {"id": "pi_foreign", "object": "payment_intent", "metadata": {}}
    assert stripe_side.deliver(forged("payment_intent.succeeded", item)) == 200
    assert stripe_side.work() in (["waiting"], ["parked"])


@pytest.mark.parametrize(
    "kind", ["checkout.session.completed", "payment_intent.succeeded", "charge.succeeded"]
)
def test_an_event_before_we_stored_the_session_finds_its_gift_by_our_own_name(
    stripe_side, matched, kind
):
    public_id, checkout = giving.write_gift(a_wish(matched))
    opened = payments.gateway().open_session(checkout.params, key=checkout.idempotency_key)
    stripe_side.control(f"/checkout/{opened.reference}/pay")
    assert payments.latest(f"gift:{public_id}").session_reference is None
    stripe_side.deliver(stripe_side.event(kind))
    assert stripe_side.work() == ["done"]
    assert stripe_side.session_of(public_id) == opened.reference
    assert payments.open_checkout(checkout) == opened.url
    assert (state(public_id), broken()) == ("received", [])


@pytest.mark.parametrize(
    "fault",
    [{"down": True}, {"rate_limit_rate": 1}, {"error_rate": 1}, {"latency_ms": 400}],
    ids=["down", "429", "500", "slow"],
)
def test_while_stripe_does_not_answer_an_event_waits_and_is_taken_up_again(
    stripe_side, impatient, paid, completed, fault
):
    stripe_side.behave(**fault)
    with clock.stopped() as stopped:
        stripe_side.deliver(completed)
        assert stripe_side.work() == ["waiting"]
        stopped.advance(seconds=11)
        stripe_side.retry_due()
        assert (state(paid), inbox_rows()[0].attempts) == ("pending", 2)
        stripe_side.behave(reset=True)
        stopped.advance(minutes=1)
        stripe_side.retry_due()
    assert (state(paid), state_of(completed["id"]), broken()) == ("received", "done", [])


def test_an_outage_of_two_days_parks_nothing(stripe_side, impatient, paid, completed):
    stripe_side.behave(down=True)
    with clock.stopped() as stopped:
        stripe_side.deliver(completed)
        for _ in range(48):
            stopped.advance(hours=1)
            stripe_side.retry_due()
        assert state_of(completed["id"]) == "waiting"
        stripe_side.behave(reset=True)
        stopped.advance(hours=1)
        stripe_side.retry_due()
    assert (state(paid), state_of(completed["id"])) == ("received", "done")


def test_an_event_whose_job_was_lost_is_taken_up_after_half_a_minute(stripe_side, paid, completed):
    stripe_side.deliver(completed)
    with clock.stopped() as stopped:
        stripe_side.retry_due()
        assert state(paid) == "pending"
        stopped.advance(seconds=31)
        stripe_side.retry_due()
    assert state(paid) == "received"


@pytest.mark.parametrize(
    ("column", "value"), [("amount_minor", 4999), ("currency", "USD"), ("livemode", True)]
)
def test_money_that_is_not_what_our_row_says_parks_the_event_and_moves_nothing(
    app, stripe_side, paid, completed, column, value
):
    db.run(f"UPDATE checkouts SET {column} = :value", value=value)
    db.session.commit()
    stripe_side.deliver(completed)
    assert stripe_side.work() == ["parked"]
    assert (state(paid), letters()) == ("pending", 0)
    assert db.one("SELECT count(*) AS n FROM ledger_entries").n == 0
    assert "differs" in app.test_cli_runner().invoke(args=["payments", "parked"]).output


def test_a_parked_event_can_be_replayed_by_a_person(app, stripe_side, paid, completed):
    db.run("UPDATE checkouts SET amount_minor = 4999")
    db.session.commit()
    stripe_side.deliver(completed)
    stripe_side.work()
    db.run("UPDATE checkouts SET amount_minor = 5000")
    db.session.commit()
    run = app.test_cli_runner().invoke
    dry = run(args=["payments", "replay", completed["id"], "--dry-run"])
    assert "parked" in dry.output
    assert state_of(completed["id"]) == "parked"
    assert "done" in run(args=["payments", "replay", completed["id"]]).output
    assert run(args=["payments", "replay", completed["id"]]).exit_code == 0
    assert (state(paid), letters(), broken()) == ("received", 1, [])
    assert run(args=["payments", "replay", "evt_unheard_of"]).exit_code == 1


def test_a_replay_while_stripe_is_away_waits_like_any_other_event(
    app, stripe_side, impatient, paid, completed
):
    stripe_side.deliver(completed | {"livemode": True})
    stripe_side.behave(down=True)
    app.test_cli_runner().invoke(args=["payments", "replay", completed["id"]])
    assert state_of(completed["id"]) == "waiting"
    stripe_side.behave(reset=True)
    with clock.stopped() as stopped:
        stopped.advance(minutes=1)
        stripe_side.retry_due()
    assert state(paid) == "received"


def test_an_event_that_nobody_can_act_on_does_not_hold_up_the_others(
    stripe_side, matched, paid, completed, monkeypatch
):
    broken_one = a_gift(matched)
    stripe_side.pay(broken_one)
    first = stripe_side.event("checkout.session.completed")
    settle = giving.settle_gift

    def failing(facts):
        if facts.subject == f"gift:{broken_one}":
            raise KeyError(facts.subject)
        return settle(facts)

    payments.register_verb("gift", failing)
    try:
        with clock.stopped() as stopped:
            stripe_side.deliver(first)
            stripe_side.deliver(completed)
            stopped.advance(minutes=1)
            stripe_side.retry_due()
            assert (state(paid), state(broken_one)) == ("received", "pending")
            for _ in range(6):
                stopped.advance(hours=1)
                stripe_side.retry_due()
        assert state_of(first["id"]) == "parked"
    finally:
        payments.register_verb("gift", settle)
    assert payments.handle_event(first["id"]) == "done"
    assert (state(broken_one), broken()) == ("received", [])
