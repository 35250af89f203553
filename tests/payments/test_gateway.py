"""The door to Stripe: what goes out, what is tried again, and what is never held meanwhile."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from donorhub import giving, payments
from donorhub.kit import clock, db, unit_of_work
from tests.builders import a_gift, a_paid_gift, a_wish
from tests.builders.giving import cad
from tests.invariants import broken
from tests.payments import sdk_types, stripe_spec

CREATE = "/v1/checkout/sessions"


def typed(value, hint=None):
    """Give numbers in a form their type back, as the SDK was handed them."""
    if isinstance(value, dict):
        return {name: typed(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [typed(one) for one in value]
    numbers = {"quantity", "unit_amount", "expires_at", "amount", "limit", "gte"}
    return int(value) if hint in numbers else value


def operation(call):
    for template in sorted(sdk_types.OPERATIONS, key=lambda one: one.count("{")):
        method, path = template.split()
        parts, wanted = call["path"].split("/"), path.split("/")
        fits = len(parts) == len(wanted) and all(
            w in (p, p) or w.startswith("{") for p, w in zip(parts, wanted, strict=True) if p != w
        )
        if method == call["method"] and fits:
            return template
    raise AssertionError(call)


def test_every_call_we_make_is_one_that_stripe_describes(stripe_side, matched):
    gift = a_gift(matched, fee_cover=cad("1.79"), locale="fr")
    giving.cancel_gift(gift)
    back = a_paid_gift(stripe_side.running, matched)
    giving.refund_gift(back)
    disputed = a_paid_gift(stripe_side.running, matched)
    session = stripe_side.session_of(disputed)
    stripe_side.control(f"/checkout/{session}/dispute")
    giving.settle_gift(payments.read_facts(f"gift:{disputed}"))
    intent = payments.latest(f"gift:{disputed}").intent_reference
    assert payments.gateway().session_of_intent(intent) == session
    payments.reconcile()
    calls = [call for call in stripe_side.requests() if call["path"].startswith("/v1/")]
    asked = {(call["method"], operation(call)) for call in calls}
    assert len(asked) >= 8
    for call in calls:
        assert call["status"] == 200, call
        problems = stripe_spec.check_request_params(operation(call), typed(call["params"]))
        assert problems == [], call
    assert broken() == []


def test_every_call_that_changes_something_carries_a_key_of_its_own(stripe_side, matched):
    giving.cancel_gift(a_gift(matched))
    giving.refund_gift(a_paid_gift(stripe_side.running, matched))
    keys = [call["idempotency_key"] for call in stripe_side.requests() if call["method"] == "POST"]
    assert len(keys) == len(set(keys)) == 4
    assert all(keys)


def test_stripe_gets_three_seconds_to_connect_and_ten_to_answer(context):
    client = payments.gateway().client
    http = client._requestor._get_http_client()
    assert http._timeout == (3, 10)
    assert client._requestor._options.max_network_retries == 2


def test_a_call_that_fails_is_made_twice_more_with_the_same_key(stripe_side, quick, matched):
    stripe_side.behave(error_rate=1)
    with pytest.raises(payments.StripeUnreachable):
        giving.start_gift(a_wish(matched))
    calls = stripe_side.requests(CREATE)
    assert len(calls) == 3
    assert len({call["idempotency_key"] for call in calls}) == 1
    assert len({str(call["params"]) for call in calls}) == 1


@pytest.mark.parametrize(("told", "tries"), [(False, 4), (True, 12)])
def test_too_many_calls_are_put_off_and_then_given_up(stripe_side, quick, matched, told, tries):
    stripe_side.behave(rate_limit_rate=1, rate_limit_should_retry=told)
    with pytest.raises(payments.StripeUnreachable):
        giving.start_gift(a_wish(matched))
    assert len(stripe_side.requests(CREATE)) == tries
    assert {call["status"] for call in stripe_side.requests(CREATE)} == {429}


def test_too_many_calls_for_a_moment_are_not_noticed(stripe_side, matched):
    stripe_side.behave(rate_limit_rate=1)
    relief = threading.Timer(0.15, lambda: stripe_side.behave(rate_limit_rate=0))
    relief.start()
    started = giving.start_gift(a_wish(matched))
    relief.join()
    assert started.checkout_url


def test_a_stripe_that_is_too_slow_is_unreachable_and_the_same_form_goes_on(
    stripe_side, impatient, matched
):
    wish = a_wish(matched)
    stripe_side.behave(latency_ms=600)
    with pytest.raises(payments.StripeUnreachable):
        giving.start_gift(wish)
    stripe_side.behave(reset=True)
    time.sleep(0.7)
    started = giving.start_gift(wish)
    sessions = stripe_side.running.client.v1.checkout.sessions.list({"limit": 10}).data
    assert [one.url for one in sessions] == [started.checkout_url]
    assert broken() == []


def test_the_exact_call_and_its_key_are_stored_before_it_is_made(stripe_side, quick, matched):
    stripe_side.behave(down=True)
    with pytest.raises(payments.StripeUnreachable):
        giving.start_gift(a_wish(matched))
    stored = db.one("SELECT idempotency_key, params, state FROM checkouts")
    sent = stripe_side.requests(CREATE)[0]
    assert stored.state == "created"
    assert sent["idempotency_key"] == stored.idempotency_key
    assert typed(sent["params"]) == stored.params


def test_an_answer_lost_after_stripe_acted_leads_to_the_same_session(stripe_side, quick, matched):
    wish = a_wish(matched)
    stripe_side.behave(lose_answers=1)
    with pytest.raises(payments.StripeUnreachable):
        giving.start_gift(wish)
    stripe_side.behave(reset=True)
    started = giving.start_gift(wish)
    assert started.checkout_url.endswith(stripe_side.session_of(started.public_id))
    assert {call["idempotency_key"] for call in stripe_side.requests(CREATE)} == {
        f"gift:{started.public_id}:checkout:1"
    }
    assert len(stripe_side.running.client.v1.checkout.sessions.list({"limit": 10}).data) == 1
    assert broken() == []


def test_a_form_sent_again_minutes_after_an_outage_leads_to_stripe(stripe_side, quick, matched):
    wish = a_wish(matched)
    stripe_side.behave(down=True)
    before = clock.stopped(clock.now() - timedelta(minutes=5))
    with before, pytest.raises(payments.StripeUnreachable):
        giving.start_gift(wish)
    stripe_side.behave(reset=True)
    started = giving.start_gift(wish)
    assert started.checkout_url
    assert giving.start_gift(wish) == started
    states = sorted(row.state for row in db.rows("SELECT state FROM gifts"))
    assert (states, broken()) == (["cancelled", "pending"], [])


def test_a_form_sent_again_at_the_end_of_its_hold_while_stripe_is_silent_is_told_so(
    stripe_side, quick, matched
):
    wish = a_wish(matched)
    with clock.stopped(clock.now() - timedelta(minutes=30)):
        stripe_side.behave(down=True)
        with pytest.raises(payments.StripeUnreachable):
            giving.start_gift(wish)
    with pytest.raises(payments.StripeUnreachable):
        giving.start_gift(wish)
    assert broken() == []


def test_a_refund_whose_answer_was_lost_is_given_once(stripe_side, quick, matched):
    gift = a_paid_gift(stripe_side.running, matched)
    stripe_side.behave(lose_answers=1)
    with pytest.raises(payments.StripeUnreachable):
        giving.refund_gift(gift)
    stripe_side.behave(reset=True)
    assert giving.refund_gift(gift) == "refunded"
    assert len(stripe_side.running.client.v1.refunds.list({"limit": 10}).data) == 1
    assert broken() == []


def test_no_is_no_and_is_not_asked_again(stripe_side, matched):
    with pytest.raises(payments.StripeRefused, match="amount_too_small"):
        giving.start_gift(a_wish(matched, amount="0.20"))
    assert len(stripe_side.requests(CREATE)) == 1
    row = db.one("SELECT g.state, c.state AS checkout FROM gifts g, checkouts c")
    assert (row.state, row.checkout, broken()) == ("cancelled", "refused", [])


def test_a_key_that_stripe_does_not_take_is_not_told_to_donors_as_a_no(
    context, stripe_side, matched, monkeypatch
):
    monkeypatch.setattr(
        payments.gateway().client._requestor._options, "api_key", "sk_live_not_here"
    )
    with pytest.raises(payments.StripeUnreachable):
        giving.start_gift(a_wish(matched))


def test_the_network_is_refused_inside_a_unit_of_work(stripe_side, matched):
    gift = a_gift(matched)
    stripe_side.forget_requests()
    with pytest.raises(RuntimeError, match="network"), unit_of_work():
        payments.read_facts(f"gift:{gift}")
    with pytest.raises(RuntimeError, match="network"), unit_of_work():
        list(payments.gateway().events_since(clock.now()))
    assert stripe_side.requests() == []


def test_no_connection_is_held_while_stripe_is_awaited(app, stripe_side, matched, monkeypatch):
    gift = a_gift(matched)
    stripe_side.pay(gift)
    pool = app.extensions["engine"].pool
    http = payments.gateway().client._requestor._get_http_client()
    send, held = http.request, []

    def watched(method, url, *rest, **more):
        held.append((pool.checkedout(), method, url))
        return send(method, url, *rest, **more)

    monkeypatch.setattr(http, "request", watched)
    giving.start_gift(a_wish(matched))
    giving.refresh_gift(gift)
    giving.refund_gift(gift)
    giving.cancel_gift(a_gift(matched))
    assert app.test_client().get(f"/gifts/{a_gift(matched)}/").status_code == 200
    payments.reconcile()
    with clock.stopped() as stopped:
        stopped.advance(hours=1)
        giving.expire_holds()
    assert len(held) >= 12
    assert [one for one in held if one[0]] == []


def test_a_waiting_answer_holds_no_connection_either(app, stripe_side, matched):
    stripe_side.behave(latency_ms=800)

    def give():
        with app.app_context():
            giving.start_gift(a_wish(matched))

    db.session.remove()
    threads = [threading.Thread(target=give) for _ in range(4)]
    for thread in threads:
        thread.start()
    seen = []
    while any(thread.is_alive() for thread in threads):
        seen.append(app.extensions["engine"].pool.checkedout())
        time.sleep(0.02)
    assert min(seen[1:-1]) == 0
