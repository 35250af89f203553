"""The side door and the overview."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import requests


def test_paying_without_a_browser_tells_what_became_of_it(simulator):
    session = simulator.open_session()
    paid = simulator.pay(session)
    assert (paid["session"], paid["status"]) == (session.id, "complete")
    assert paid["payment_status"] == "paid"
    assert simulator.pay(session)["charge"] == paid["charge"]
    assert len(simulator.client.v1.charges.list().data) == 1


def test_paying_with_a_declined_card_is_402(simulator):
    session = simulator.open_session()
    answer = simulator.control(f"/checkout/{session.id}/pay", card="4000000000000002")
    assert answer.status_code == 402
    assert answer.json()["error"]["decline_code"] == "generic_decline"


@pytest.mark.parametrize(("outcome", "status"), [("complete", 200), ("fail", 402)])
def test_authentication_can_be_answered_in_the_same_call(simulator, outcome, status):
    session = simulator.open_session()
    answer = simulator.control(
        f"/checkout/{session.id}/pay", card="4000002760003184", authenticate=outcome
    )
    assert answer.status_code == status


def test_an_expired_session_cannot_be_paid(simulator):
    session = simulator.open_session()
    simulator.client.v1.checkout.sessions.expire(session.id)
    assert simulator.control(f"/checkout/{session.id}/pay").status_code == 409


@pytest.mark.parametrize(
    "path",
    [
        "/checkout/cs_none/pay",
        "/payments/ch_none/refund",
        "/payments/ch_none/dispute",
        "/disputes/du_none/close",
        "/events/evt_none/replay",
        "/refunds/re_none/fail",
    ],
)
def test_what_does_not_exist_is_404(simulator, path):
    assert simulator.control(path).status_code == 404


@pytest.mark.parametrize("wishes", [{}, {"advance": "soon"}, {"advance": "-3d"}])
def test_a_span_that_is_not_understood_is_refused(simulator, wishes):
    assert simulator.control("/clock", **wishes).status_code == 400


def test_json_without_its_content_type_is_understood(simulator):
    url = f"{simulator.url}/_sim/clock"
    assert requests.post(url, data='{"advance": "1m"}', timeout=5).json()["offset_seconds"] == 60


def test_what_cannot_be_read_is_400(simulator):
    url = f"{simulator.url}/_sim/behaviour"
    assert requests.post(url, data="{nonsense", timeout=5).status_code == 400
    paid = simulator.paid()
    answer = simulator.control(f"/payments/{paid['charge']}/refund", amount="much")
    assert answer.status_code == 400


def test_the_clock_is_moved_and_reset(simulator):
    assert simulator.control("/clock", advance="1d12h").json()["offset_seconds"] == 129_600
    assert simulator.control("/clock", advance="90s").json()["offset_seconds"] == 129_690
    assert simulator.control("/clock", reset=True).json()["offset_seconds"] == 0


def test_the_calls_received_are_shown_with_their_keys(simulator):
    session = simulator.open_session(key="gift-1")
    simulator.client.v1.checkout.sessions.retrieve(session.id)
    url = f"{simulator.url}/_sim/requests"
    first, second = requests.get(url, timeout=5).json()["requests"]
    assert (first["method"], first["path"]) == ("POST", "/v1/checkout/sessions")
    assert (first["idempotency_key"], first["status"]) == ("gift-1", 200)
    assert first["params"]["line_items"][0]["price_data"]["unit_amount"] == "2500"
    assert second["idempotency_key"] is None
    only = requests.get(f"{url}?path={second['path']}", timeout=5).json()["requests"]
    assert only == [second]
    since = requests.get(f"{url}?since={second['at']}", timeout=5).json()["requests"]
    assert since == [second]
    requests.post(f"{url}/clear", timeout=5)
    assert requests.get(url, timeout=5).json()["requests"] == []


def test_reset_forgets_everything(simulator):
    simulator.paid()
    simulator.control("/clock", advance="2d")
    simulator.behave(latency_ms=5)
    simulator.control("/reset")
    assert simulator.client.v1.checkout.sessions.list().data == []
    assert simulator.client.v1.events.list().data == []
    assert requests.get(f"{simulator.url}/_sim/clock", timeout=5).json()["offset_seconds"] == 0
    assert requests.get(f"{simulator.url}/_sim/behaviour", timeout=5).json()["latency_ms"] == 0


def test_the_overview_shows_payments_and_offers_buttons(simulator):
    assert "None yet" in requests.get(simulator.url, timeout=5).text
    paid = simulator.paid()
    simulator.open_session()
    page = requests.get(simulator.url, timeout=5).text
    assert page.count("<h1>") == 1
    assert f'action="/_sim/payments/{paid["session"]}/refund"' in page
    assert "checkout.session.completed" in page
    assert "<script" not in page
    assert "style=" not in page
    pressed = requests.post(
        f"{simulator.url}/_sim/payments/{paid['session']}/dispute",
        headers={"Accept": "text/html"},
        timeout=5,
    )
    assert pressed.url == f"{simulator.url}/"
    assert "disputed" in pressed.text


def test_another_sites_page_cannot_press_the_buttons(simulator):
    answer = requests.post(
        f"{simulator.url}/_sim/reset", headers={"Sec-Fetch-Site": "cross-site"}, timeout=5
    )
    assert answer.status_code == 403


def test_it_cannot_be_imported_in_production():
    environment = {**os.environ, "DONORHUB_ENV": "production"}
    ended = subprocess.run(
        [sys.executable, "-c", "import donorhub.payments.simulator"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert "cannot be used when DONORHUB_ENV=production" in ended.stderr
