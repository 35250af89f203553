"""Signatures, retries, and everything that can go wrong on the way to the site."""

from __future__ import annotations

import time

import pytest
import stripe

from tests.payments.simulator_server import SECRET, assert_soon, running_simulator, session_params

PAID_TYPES = [
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
    "charge.updated",
]


def accepted(delivery, secret=SECRET):
    return stripe.Webhook.construct_event(delivery.body, delivery.signature, secret)


def test_a_payment_is_told_by_four_signed_events(simulator):
    simulator.paid()
    assert sorted(simulator.receiver.types()) == sorted(PAID_TYPES)
    for delivery in simulator.deliveries:
        event = accepted(delivery)
        assert event.api_version == "2026-10-28.endive"
        assert event.livemode is False


def test_events_are_recorded_in_the_order_in_which_things_happened(simulator):
    simulator.paid()
    events = simulator.client.v1.events.list().data
    assert [event.type for event in events][::-1] == PAID_TYPES


def test_both_secrets_sign_while_they_are_exchanged(make_bench):
    bench = make_bench(webhook_secrets=("whsec_old", "whsec_new"))
    bench.pay(bench.open_session())
    delivery = bench.receiver.wait_for("charge.succeeded")
    for secret in ("whsec_old", "whsec_new"):
        assert accepted(delivery, secret)
    with pytest.raises(stripe.SignatureVerificationError):
        accepted(delivery, "whsec_other")


def test_only_the_events_subscribed_to_are_delivered(make_bench):
    bench = make_bench(webhook_events=frozenset({"checkout.session.completed"}))
    bench.pay(bench.open_session())
    bench.receiver.wait_for("checkout.session.completed")
    time.sleep(0.3)
    assert bench.receiver.types() == ["checkout.session.completed"]


def test_a_refused_event_is_tried_again(simulator):
    simulator.receiver.status = 500
    simulator.pay(simulator.open_session())
    simulator.receiver.wait_for("charge.succeeded")
    events = simulator.client.v1.events.list({"types": ["charge.succeeded"]}).data
    assert events[0].pending_webhooks == 1
    simulator.receiver.status = 200
    simulator.receiver.wait_for("charge.succeeded", count=2)
    first, second = (d for d in simulator.deliveries if d.event["type"] == "charge.succeeded")
    assert first.event["id"] == second.event["id"]
    assert first.signature != second.signature

    def is_settled():
        listed = simulator.client.v1.events.list({"types": ["charge.succeeded"]}).data
        return listed[0].pending_webhooks == 0

    assert_soon(is_settled)


def test_no_more_than_four_deliveries_run_at_once(simulator):
    simulator.receiver.pause = 0.05
    for _ in range(6):
        simulator.pay(simulator.open_session())
    simulator.receiver.wait_for("charge.updated", count=6)
    assert 2 <= simulator.receiver.most_at_once <= 4


def test_webhooks_can_be_doubled(simulator):
    simulator.behave(duplicate_webhooks=2)
    simulator.pay(simulator.open_session())
    simulator.receiver.wait_for("checkout.session.completed", count=3)
    ids = {d.event["id"] for d in simulator.deliveries if "checkout" in d.event["type"]}
    assert len(ids) == 1


def test_webhooks_can_be_shuffled(simulator):
    simulator.behave(shuffle_webhooks=True, fee_delay_ms=0)
    for _ in range(5):
        simulator.pay(simulator.open_session())
    simulator.receiver.wait_for("checkout.session.completed", count=5)
    assert_soon(lambda: len(simulator.deliveries) == 15)
    assert simulator.receiver.types() != PAID_TYPES[:3] * 5


def test_webhooks_can_be_dropped(simulator):
    simulator.behave(drop_webhooks=True, fee_delay_ms=0)
    simulator.pay(simulator.open_session())
    time.sleep(0.4)
    assert simulator.deliveries == []


def test_held_webhooks_are_delivered_when_released(simulator):
    simulator.behave(hold_webhooks=True, fee_delay_ms=0)
    simulator.pay(simulator.open_session())
    time.sleep(0.3)
    assert simulator.deliveries == []
    simulator.behave(hold_webhooks=False)
    simulator.receiver.wait_for("checkout.session.completed")


@pytest.mark.parametrize("fault", ["stale_timestamp", "wrong_secret"])
def test_a_bad_signature_can_be_sent(simulator, fault):
    simulator.behave(**{fault: True})
    simulator.pay(simulator.open_session())
    with pytest.raises(stripe.SignatureVerificationError):
        accepted(simulator.receiver.wait_for("charge.succeeded"))


def test_a_timestamp_from_the_future_can_be_sent(simulator):
    simulator.behave(future_timestamp=True)
    simulator.pay(simulator.open_session())
    delivery = simulator.receiver.wait_for("charge.succeeded")
    assert int(delivery.signature[2:].split(",")[0]) > time.time() + 500


def test_an_event_of_the_other_mode_can_be_sent(simulator):
    simulator.behave(foreign_livemode=True)
    simulator.pay(simulator.open_session())
    assert accepted(simulator.receiver.wait_for("charge.succeeded")).livemode is True


def test_an_event_can_be_replayed(simulator):
    simulator.paid()
    event = simulator.client.v1.events.list({"types": ["charge.succeeded"]}).data[0]
    assert simulator.control(f"/events/{event.id}/replay").status_code == 200
    again = simulator.receiver.wait_for("charge.succeeded", count=2)
    assert again.event["id"] == event.id


def test_an_event_can_be_forged(simulator):
    forged = {"id": "cs_test_forged", "object": "checkout.session"}
    answer = simulator.control("/events/forge", type="moon.landed", object=forged)
    assert answer.status_code == 200
    event = accepted(simulator.receiver.wait_for("moon.landed"))
    assert event.data.object["id"] == "cs_test_forged"


def test_without_an_address_nothing_is_pending():

    with running_simulator() as running:
        session = running.client.v1.checkout.sessions.create(session_params())
        running.client.v1.checkout.sessions.expire(session.id)
        assert running.client.v1.events.list().data[0].pending_webhooks == 0
