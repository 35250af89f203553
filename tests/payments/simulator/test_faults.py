"""The API misbehaving on demand, and what the SDK makes of it."""

from __future__ import annotations

import threading
import time

import pytest
import requests
import stripe

from tests.payments.simulator_server import client_for, session_params


def test_the_behaviour_is_read_changed_and_ended(simulator):
    url = f"{simulator.url}/_sim/behaviour"
    changed = requests.post(url, json={"latency_ms": 5, "drop_webhooks": 0.5}, timeout=5).json()
    assert (changed["latency_ms"], changed["drop_webhooks"]) == (5, 0.5)
    assert requests.get(url, timeout=5).json() == changed
    form = requests.post(url, data={"hold_webhooks": "true", "latency_ms": "7"}, timeout=5).json()
    assert (form["hold_webhooks"], form["latency_ms"], form["drop_webhooks"]) == (True, 7, 0.5)
    ended = requests.post(url, json={"reset": True}, timeout=5).json()
    assert (ended["latency_ms"], ended["hold_webhooks"]) == (0, False)


@pytest.mark.parametrize("wishes", [{"colour": 1}, {"error_rate": 2}, {"latency_ms": "soon"}])
def test_a_wish_that_is_not_understood_is_refused(simulator, wishes):
    assert simulator.control("/behaviour", **wishes).status_code == 400


def test_an_error_comes_before_anything_has_happened(simulator):
    simulator.behave(error_rate=1)
    with pytest.raises(stripe.APIError) as refused:
        simulator.open_session(key="gift-1")
    assert refused.value.http_status == 500
    simulator.behave(error_rate=0)
    assert simulator.client.v1.checkout.sessions.list().data == []
    assert simulator.open_session(key="gift-1").status == "open"


def test_a_lost_answer_is_found_again_with_the_same_key(simulator):
    simulator.behave(lose_answers=1)
    with pytest.raises(stripe.APIError):
        simulator.open_session(key="gift-1")
    simulator.behave(lose_answers=0)
    (made,) = simulator.client.v1.checkout.sessions.list().data
    again = simulator.open_session(key="gift-1")
    assert again.id == made.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"


def test_being_down_is_503(simulator):
    simulator.behave(down=True)
    with pytest.raises(stripe.APIError) as refused:
        simulator.open_session()
    assert refused.value.http_status == 503


def test_too_many_calls_are_429_and_may_be_told_to_come_again(simulator):
    simulator.behave(rate_limit_rate=1)
    client = client_for(simulator.url, retries=1)
    with pytest.raises(stripe.RateLimitError):
        client.v1.checkout.sessions.create(session_params())
    assert len(simulator.running.simulator.log.entries()) == 1
    simulator.behave(rate_limit_should_retry=True)
    with pytest.raises(stripe.RateLimitError):
        client.v1.checkout.sessions.create(session_params())
    assert len(simulator.running.simulator.log.entries()) == 3


def test_slow_calls_do_not_wait_for_each_other(simulator):
    simulator.behave(latency_ms=300)
    clients = [client_for(simulator.url) for _ in range(16)]
    begun = time.monotonic()
    threads = [
        threading.Thread(target=client.v1.checkout.sessions.create, args=(session_params(),))
        for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.3 <= time.monotonic() - begun < 16 * 0.3 / 2
    simulator.behave(latency_ms=0)
    assert len(simulator.client.v1.checkout.sessions.list({"limit": 20}).data) == 16
