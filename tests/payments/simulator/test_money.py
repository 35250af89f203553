"""Fees, refunds, disputes, the balance, and lists of all of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
import stripe

from donorhub.payments.simulator.entries import processing_fee
from tests.payments.simulator_server import assert_soon


def entries(simulator, **params):
    return simulator.client.v1.balance_transactions.list(params).data


@pytest.mark.parametrize(("amount", "fee"), [(2500, 103), (1000, 59), (1050, 60), (50, 31)])
def test_the_fee_is_a_rounded_share_and_a_fixed_part(amount, fee):
    assert processing_fee(amount, percent=Decimal("2.9"), fixed=30) == fee


def test_the_fee_can_be_another(make_bench):
    bench = make_bench(fee_percent=Decimal("2.2"), fee_fixed=25)
    bench.paid(amount=10_000)
    assert entries(bench)[0].fee == 245


def test_the_fee_arrives_after_the_charge(make_bench):
    bench = make_bench(fee_delay_ms=400)
    paid = bench.pay(bench.open_session())
    assert bench.client.v1.charges.retrieve(paid["charge"]).balance_transaction is None
    event = bench.receiver.wait_for("charge.updated").event
    assert event["data"]["previous_attributes"] == {"balance_transaction": None}
    assert event["data"]["object"]["balance_transaction"] == entries(bench)[0].id


def test_without_a_delay_the_fee_is_there_at_once(simulator):
    simulator.behave(fee_delay_ms=0)
    paid = simulator.pay(simulator.open_session())
    assert simulator.client.v1.charges.retrieve(paid["charge"]).balance_transaction


def test_partial_refunds_add_up_to_the_charge_and_no_further(simulator):
    paid = simulator.paid()
    refunds = simulator.client.v1.refunds
    first = refunds.create({"payment_intent": paid["payment_intent"], "amount": 1000})
    assert (first.status, first.amount, first.charge) == ("succeeded", 1000, paid["charge"])
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        refunds.create({"charge": paid["charge"], "amount": 1501})
    refunds.create({"charge": paid["charge"], "reason": "requested_by_customer"})
    charge = simulator.client.v1.charges.retrieve(paid["charge"])
    assert (charge.amount_refunded, charge.refunded) == (2500, True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        refunds.create({"charge": paid["charge"], "amount": 1})
    assert refused.value.code == "charge_already_refunded"
    assert [one.amount for one in refunds.list({"charge": paid["charge"]}).data] == [1500, 1000]


def test_a_refund_takes_its_amount_from_the_balance_and_returns_no_fee(simulator):
    paid = simulator.paid()
    refund = simulator.client.v1.refunds.create({"charge": paid["charge"]})
    entry = simulator.client.v1.balance_transactions.retrieve(refund.balance_transaction)
    assert (entry.amount, entry.fee, entry.net, entry.type) == (-2500, 0, -2500, "refund")
    assert sum(one.net for one in entries(simulator)) == -103
    refunded = simulator.receiver.wait_for("charge.refunded").event
    assert refunded["data"]["previous_attributes"] == {"amount_refunded": 0, "refunded": False}
    simulator.receiver.wait_for("refund.created")


def test_a_refund_needs_a_reason_that_stripe_knows(simulator):
    paid = simulator.paid()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        simulator.client.v1.refunds.create({"charge": paid["charge"], "reason": "donor asked"})
    assert refused.value.param == "reason"


def test_an_unpaid_charge_cannot_be_refunded(simulator):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        simulator.client.v1.refunds.create({"charge": "ch_nothing"})
    assert refused.value.code == "resource_missing"


def test_a_refund_can_fail_later(simulator):
    paid = simulator.paid()
    refund = simulator.client.v1.refunds.create({"charge": paid["charge"]})
    assert simulator.control(f"/refunds/{refund.id}/fail").status_code == 200
    simulator.receiver.wait_for("refund.failed")
    assert simulator.client.v1.charges.retrieve(paid["charge"]).amount_refunded == 0
    assert sum(one.amount for one in entries(simulator)) == 2500


@pytest.mark.parametrize("place", ["checkout", "payments"])
def test_staff_can_refund_at_stripe_itself(simulator, place):
    paid = simulator.paid()
    answer = simulator.control(f"/{place}/{paid['session']}/refund", amount=700)
    assert answer.json()["amount"] == 700
    assert simulator.control(f"/payments/{paid['charge']}/refund").json()["amount"] == 1800


def test_a_dispute_withdraws_the_amount_and_a_fee(simulator):
    paid = simulator.paid()
    case = simulator.control(f"/checkout/{paid['session']}/dispute").json()
    simulator.receiver.wait_for("charge.dispute.created")
    simulator.receiver.wait_for("charge.dispute.funds_withdrawn")
    read = simulator.client.v1.disputes.retrieve(case["id"])
    entry = read.balance_transactions[0]
    assert (entry.amount, entry.fee, entry.net) == (-2500, 1500, -4000)
    assert simulator.client.v1.charges.retrieve(paid["charge"]).disputed
    with pytest.raises(stripe.InvalidRequestError) as refused:
        simulator.client.v1.refunds.create({"charge": paid["charge"]})
    assert refused.value.code == "charge_disputed"


def test_a_dispute_that_is_won_brings_the_amount_back(simulator):
    paid = simulator.paid()
    case = simulator.control(f"/payments/{paid['payment_intent']}/dispute").json()
    closed = simulator.control(f"/disputes/{case['id']}/close", status="won").json()
    assert closed["status"] == "won"
    assert [one["amount"] for one in closed["balance_transactions"]] == [-2500, 2500]
    simulator.receiver.wait_for("charge.dispute.closed")
    simulator.receiver.wait_for("charge.dispute.funds_reinstated")
    assert simulator.control(f"/disputes/{case['id']}/close").status_code == 400


def test_accepting_a_dispute_loses_it(simulator):
    paid = simulator.paid()
    case = simulator.control(f"/payments/{paid['charge']}/dispute").json()
    answered = simulator.client.v1.disputes.update(
        case["id"], {"evidence": {"product_description": "A gift"}}
    )
    assert answered.status == "under_review"
    assert simulator.client.v1.disputes.close(case["id"]).status == "lost"
    assert simulator.client.v1.disputes.list({"charge": paid["charge"]}).data[0].id == case["id"]


def test_the_balance_is_the_sum_of_its_entries(simulator):
    simulator.paid()
    balance = simulator.client.v1.balance.retrieve()
    assert [(one.amount, one.currency) for one in balance.pending] == [(2397, "cad")]
    simulator.control("/clock", advance="3d")
    balance = simulator.client.v1.balance.retrieve()
    assert [(one.amount, one.currency) for one in balance.available] == [(2397, "cad")]
    assert entries(simulator)[0].status == "available"


def test_lists_are_paged_in_both_directions(simulator):
    for _ in range(7):
        simulator.pay(simulator.open_session())
    charges = simulator.client.v1.charges
    everything = [one.id for one in charges.list({"limit": 100}).data]
    assert len(everything) == 7
    page = charges.list({"limit": 3})
    assert page.has_more
    assert [one.id for one in page.auto_paging_iter()] == everything
    backwards = charges.list({"limit": 3, "ending_before": everything[-1]})
    assert [one.id for one in backwards.data] == everything[3:6]
    walked = [one.id for one in backwards.auto_paging_iter()]
    assert sorted(walked) == sorted(everything[:-1])


def test_balance_transactions_are_found_by_source_type_and_time(simulator):
    paid = simulator.paid()
    simulator.client.v1.refunds.create({"charge": paid["charge"], "amount": 100})
    assert [one.amount for one in entries(simulator, source=paid["charge"])] == [2500]
    assert [one.amount for one in entries(simulator, type="refund")] == [-100]
    created = entries(simulator)[0].created
    assert len(entries(simulator, created={"gte": created - 5})) == 2
    assert entries(simulator, created={"gt": created + 5}) == []


def test_events_are_listed_by_type_time_and_delivery(simulator):
    simulator.behave(drop_webhooks=True)
    simulator.pay(simulator.open_session())
    events = simulator.client.v1.events
    lost = events.list({"types": ["charge.succeeded"], "delivery_success": False})
    assert [one.type for one in lost.data] == ["charge.succeeded"]
    assert lost.data[0].pending_webhooks == 1
    simulator.behave(drop_webhooks=False)
    simulator.paid()
    assert_soon(lambda: len(events.list({"delivery_success": True}).data) >= 4)
    assert events.retrieve(lost.data[0].id).type == "charge.succeeded"


def test_events_are_forgotten_after_30_days(simulator):
    simulator.paid()
    event = simulator.client.v1.events.list().data[0]
    simulator.control("/clock", advance="31d")
    assert simulator.client.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        simulator.client.v1.events.retrieve(event.id)
