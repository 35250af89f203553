"""The process dies between any two steps of a gift; what is left is finished by others.

A step is a commit or a call to Stripe; it dies just before it, or just after it.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress

import pytest
import requests

from donorhub import giving, payments
from donorhub.kit import clock, db
from donorhub.payments import inbox
from tests.builders import a_campaign, a_gift, a_match, a_paid_gift, a_wish
from tests.builders.giving import pay
from tests.invariants import broken

pytestmark = pytest.mark.slow
MOST_STEPS = 12


class Killed(BaseException):
    """kill -9: nothing more is done by this process."""


class Steps:
    """Counts commits and calls to Stripe, and dies before or after one of them."""

    def __init__(self, *, deadly: int, after: bool) -> None:
        self.deadly, self.after, self.count = deadly, after, 0

    def around(self, act):
        def step(*arguments, **named):
            self.count += 1
            if self.count == self.deadly and not self.after:
                raise Killed
            answer = act(*arguments, **named)
            if self.count == self.deadly and self.after:
                raise Killed
            return answer

        return step


@contextmanager
def dying(monkeypatch, *, step: int, after: bool):
    """Run the block until the step; the block itself must not notice."""
    steps = Steps(deadly=step, after=after)
    http = payments.gateway().client._requestor._get_http_client()
    with monkeypatch.context() as patch:
        patch.setattr(db.session, "commit", steps.around(db.session.commit))
        patch.setattr(http, "request", steps.around(http.request))
        with suppress(Killed):
            yield steps
    db.session.remove()


def every_death(monkeypatch, prepare, act, check):
    """Let an act die at each of its steps in turn; afterwards the check must hold."""
    for after in (False, True):
        for step in range(1, MOST_STEPS):
            subject = prepare()
            with dying(monkeypatch, step=step, after=after) as steps:
                act(subject)
            check(subject)
            assert broken() == [], f"{'after' if after else 'before'} step {step}"
            if steps.count < step:
                break
        else:
            pytest.fail("there are more steps than were tried")
    assert step > 2


def later() -> None:
    """Forty minutes on, the sweep and the reconciliation have run."""
    with clock.stopped() as stopped:
        stopped.advance(minutes=40)
        giving.expire_holds()
        assert payments.reconcile().differences == []
        giving.expire_holds()
    db.session.remove()


def states() -> dict[str, int]:
    found = db.rows("SELECT state, count(*) AS n FROM gifts GROUP BY state")
    return {row.state: row.n for row in found}


@pytest.fixture
def campaign(context, stripe_simulator):
    requests.post(f"{stripe_simulator.url}/_sim/reset", json={}, timeout=5).raise_for_status()
    campaign = a_campaign()
    a_match(campaign, cap="5000", slots=4)
    return campaign


def open_sessions(stripe_simulator) -> int:
    listed = stripe_simulator.client.v1.checkout.sessions.list({"status": "open", "limit": 100})
    return len(listed.data)


def test_a_gift_whose_start_died_ends_with_nothing_held_and_nothing_payable(
    stripe_simulator, campaign, monkeypatch
):
    def check(_wish):
        later()
        assert set(states()) <= {"expired"}
        assert open_sessions(stripe_simulator) == 0
        assert db.one("SELECT sum(reserved_minor) AS held FROM match_pools").held == 0

    every_death(monkeypatch, lambda: a_wish(campaign), giving.start_gift, check)


def test_a_donor_who_sends_the_form_again_after_a_death_has_one_gift(
    stripe_simulator, campaign, monkeypatch
):
    made = []

    def check(wish):
        started = giving.start_gift(wish)
        assert started.checkout_url
        made.append(started.public_id)
        giving.settle_gift(pay(stripe_simulator, started.public_id))
        assert states() == {"received": len(made)}
        assert db.one("SELECT count(*) AS n FROM letters").n == len(made)

    every_death(monkeypatch, lambda: a_wish(campaign), giving.start_gift, check)
    assert len(set(made)) == len(made)


def test_settling_that_died_is_finished_once_by_whoever_comes_next(
    stripe_simulator, campaign, monkeypatch
):
    made = []

    def paid():
        public_id = a_gift(campaign)
        pay(stripe_simulator, public_id)
        made.append(public_id)
        return public_id

    def check(_public_id):
        later()
        assert states() == {"received": len(made)}
        assert db.one("SELECT count(*) AS n FROM letters").n == len(made)

    every_death(monkeypatch, paid, giving.refresh_gift, check)


def test_an_event_whose_handling_died_is_handled_by_the_next_try(
    stripe_simulator, campaign, monkeypatch
):
    made = []

    def kept():
        public_id = a_gift(campaign)
        pay(stripe_simulator, public_id)
        url = f"{stripe_simulator.url}/_sim/events?type=checkout.session.completed"
        event = requests.get(url, timeout=5).json()["events"][0]
        made.append(event["id"])
        return event

    def receive(event):
        inbox.keep(event, json.dumps(event))
        payments.handle_event(event["id"])

    def check(event):
        if not db.rows("SELECT FROM stripe_events WHERE id = :id", id=event["id"]):
            inbox.keep(event, json.dumps(event))  # Stripe sends it again
        with clock.stopped() as stopped:
            stopped.advance(minutes=1)
            for event_id in inbox.due_events():
                payments.handle_event(event_id)
        assert db.one("SELECT count(*) AS n FROM stripe_events WHERE state = 'done'").n == len(made)
        assert states() == {"received": len(made)}

    every_death(monkeypatch, kept, receive, check)


def test_a_cancellation_that_died_is_finished_by_the_sweep(stripe_simulator, campaign, monkeypatch):
    def check(_public_id):
        later()
        assert set(states()) <= {"cancelled", "expired"}
        assert open_sessions(stripe_simulator) == 0

    every_death(monkeypatch, lambda: a_gift(campaign), giving.cancel_gift, check)


def test_one_session_that_stripe_cannot_answer_for_does_not_keep_the_others_held(
    stripe_simulator, campaign, monkeypatch
):
    stuck, *others = (a_gift(campaign) for _ in range(3))
    reference = payments.latest(f"gift:{stuck}").session_reference
    expire = payments.Gateway.expire_session

    def expire_most(self, session, *, key):
        if session == reference:
            raise payments.StripeUnreachable
        return expire(self, session, key=key)

    with clock.stopped() as stopped, monkeypatch.context() as patch:
        stopped.advance(minutes=40)
        patch.setattr(payments.Gateway, "expire_session", expire_most)
        assert giving.expire_holds() == len(others)
    assert states() == {"pending": 1, "expired": 2}
    later()
    assert (states(), broken()) == ({"expired": 3}, [])


def test_a_refund_that_died_is_given_once_and_booked(stripe_simulator, campaign, monkeypatch):
    made = []

    def received():
        made.append(a_paid_gift(stripe_simulator, campaign))
        return made[-1]

    def check(public_id):
        assert giving.refund_gift(public_id) == "refunded"
        refunds = stripe_simulator.client.v1.refunds.list({"limit": 100}).data
        assert len(refunds) == len(made)
        assert states() == {"refunded": len(made)}

    every_death(monkeypatch, received, giving.refund_gift, check)
