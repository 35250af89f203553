"""Sessions through the unmodified SDK."""

from __future__ import annotations

import threading
import time

import pytest
import requests
import stripe

from tests.payments import stripe_spec
from tests.payments.simulator_server import client_for, session_params


def test_what_donorhub_sends_is_valid_by_the_specification():
    assert stripe_spec.check_request_params("POST /v1/checkout/sessions", session_params()) == []


def test_a_misspelt_parameter_is_found_by_the_specification():
    wrong = session_params(payment_intent_data={"metdata": {}})
    assert stripe_spec.check_request_params("POST /v1/checkout/sessions", wrong)


def test_a_session_carries_what_it_was_made_with(simulator):
    session = simulator.open_session(
        custom_text={"submit": {"message": "All of it reaches the work."}}, locale="fr-CA"
    )
    assert session.status == "open"
    assert session.payment_status == "unpaid"
    assert (session.amount_total, session.currency) == (2500, "cad")
    assert session.client_reference_id == "gift-1"
    assert session.url == f"{simulator.url}/c/pay/{session.id}"
    assert session.id in session.url
    assert session.expires_at - session.created == 24 * 3600
    assert session.last_response.headers["Request-Id"].startswith("req_")


def test_a_session_can_be_read_listed_and_its_lines_read(simulator):
    sessions = simulator.client.v1.checkout.sessions
    made = [simulator.open_session().id for _ in range(3)]
    assert sessions.retrieve(made[0]).id == made[0]
    assert [one.id for one in sessions.list().data] == made[::-1]
    assert sessions.line_items.list(made[0]).data[0].amount_total == 2500
    expanded = sessions.retrieve(made[0], {"expand": ["line_items"]})
    assert expanded.line_items.data[0].price.unit_amount == 2500


def test_a_paid_session_expands_down_to_its_balance_transaction(simulator):
    paid = simulator.paid()
    path = "payment_intent.latest_charge.balance_transaction"
    session = simulator.client.v1.checkout.sessions.retrieve(paid["session"], {"expand": [path]})
    assert session.status == "complete"
    assert session.payment_status == "paid"
    assert session.payment_intent.metadata["gift"] == "1"
    entry = session.payment_intent.latest_charge.balance_transaction
    assert (entry.amount, entry.fee, entry.net) == (2500, 103, 2397)


def test_what_cannot_be_expanded_is_refused(simulator):
    session = simulator.open_session()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        simulator.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["status"]})
    assert refused.value.code == "property_cannot_be_expanded"


def test_an_open_session_can_be_expired_once(simulator):
    session = simulator.open_session()
    expired = simulator.client.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    simulator.receiver.wait_for("checkout.session.expired")
    with pytest.raises(stripe.InvalidRequestError, match="`expired`"):
        simulator.client.v1.checkout.sessions.expire(session.id)


def test_a_paid_session_cannot_be_expired(simulator):
    session = simulator.open_session()
    simulator.pay(session)
    with pytest.raises(stripe.InvalidRequestError, match="`complete`"):
        simulator.client.v1.checkout.sessions.expire(session.id)


def test_a_session_expires_by_itself(simulator):
    session = simulator.open_session(expires_at=int(time.time()) + 1801)
    simulator.control("/clock", advance="31m")
    assert simulator.client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert (
        simulator.receiver.wait_for("checkout.session.expired").event["data"]["object"]["id"]
        == session.id
    )


@pytest.mark.parametrize("seconds", [60, 1700, 24 * 3600 + 60])
def test_an_expiry_outside_30_minutes_to_24_hours_is_refused(simulator, seconds):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        simulator.open_session(expires_at=int(time.time()) + seconds)
    assert refused.value.param == "expires_at"
    assert refused.value.http_status == 400


def test_after_the_clock_was_moved_a_caller_with_the_old_time_is_still_served(simulator):
    simulator.control("/clock", advance="31d")
    session = simulator.open_session(expires_at=int(time.time()) + 1900)
    assert session.status == "open"
    simulator.control("/clock", advance="32m")
    assert simulator.client.v1.checkout.sessions.retrieve(session.id).status == "expired"


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "line_items"),
        ({"amount": 100_000_000}, "amount_too_large", "line_items"),
        ({"currency": "zzz"}, None, "line_items[0][price_data][currency]"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"payment_intent_data": {"metdata": {"a": "b"}}}, "parameter_unknown", None),
        (
            {"payment_method_types": ["card"]},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        ({"ui_mode": "hosted"}, None, "ui_mode"),
        ({"mode": "subscription"}, None, "mode"),
        ({"line_items": []}, "parameter_missing", "line_items"),
        ({"metadata": {"k" * 41: "v"}}, None, None),
        ({"metadata": {f"k{n}": "v" for n in range(51)}}, None, "metadata"),
        ({"client_reference_id": "x" * 201}, None, "client_reference_id"),
        ({"success_url": "gifts"}, "url_invalid", "success_url"),
    ],
)
def test_a_session_that_stripe_would_refuse_is_refused(simulator, changes, code, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        simulator.open_session(**changes)
    assert refused.value.http_status == 400
    assert refused.value.code == code
    if param:
        assert refused.value.param == param


def test_an_unknown_session_is_404(simulator):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        simulator.client.v1.checkout.sessions.retrieve("cs_test_nothing")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


@pytest.mark.parametrize("key", ["sk_live_1", "pk_test_1", "nonsense"])
def test_only_test_secret_keys_are_taken(simulator, key):
    with pytest.raises(stripe.AuthenticationError):
        client_for(simulator.url, key=key).v1.balance.retrieve()


def test_a_call_without_a_key_is_401(simulator):
    assert requests.get(f"{simulator.url}/v1/balance", timeout=5).status_code == 401


def test_an_unknown_address_is_404_in_stripes_words(simulator):
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        simulator.client.v1.customers.list()


def test_the_same_key_gives_the_same_session(simulator):
    first = simulator.open_session(key="gift-1")
    again = simulator.open_session(key="gift-1")
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.last_response.headers


def test_the_same_key_with_other_parameters_is_an_idempotency_error(simulator):
    simulator.open_session(key="gift-1")
    with pytest.raises(stripe.IdempotencyError):
        simulator.open_session(key="gift-1", amount=2600)


def test_a_key_is_forgotten_after_a_day(simulator):
    first = simulator.open_session(key="gift-1")
    simulator.control("/clock", advance="25h")
    assert simulator.open_session(key="gift-1").id != first.id


def test_a_refusal_is_replayed_too(simulator):
    for _attempt in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            simulator.open_session(key="gift-1", amount=10)
    assert refused.value.headers["Idempotent-Replayed"] == "true"


def test_two_calls_at_once_with_one_key_make_one_session(simulator):
    simulator.behave(latency_ms=300)
    found: list[str] = []

    def make() -> None:
        client = client_for(simulator.url, retries=3)
        options = {"idempotency_key": "gift-1"}
        found.append(client.v1.checkout.sessions.create(session_params(), options).id)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(simulator.client.v1.checkout.sessions.list().data) == 1
