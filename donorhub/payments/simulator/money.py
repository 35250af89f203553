"""Charging a card: intents, charges, and the balance transaction that follows a little later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import cards, objects
from .entries import balance_transaction, processing_fee
from .events import record

if TYPE_CHECKING:
    from .cards import Card
    from .errors import Json
    from .simulator import Simulator
    from .store import Work


def keep_intent(work: Work, intent: Json) -> None:
    """Store a payment intent."""
    work.put("payment_intent", intent, parent=intent.get("_session", ""))


def keep_charge(work: Work, charge: Json) -> None:
    """Store a charge; one that waits for its fee is due."""
    work.put("charge", charge, parent=charge["payment_intent"], due_ms=charge["_fee_due_ms"])


def capture(  # noqa: PLR0913 - who pays with what
    sim: Simulator, work: Work, *, intent: Json, card: Card, email: str, name: str
) -> Json:
    """The card pays: the charge and the intent succeed, the fee arrives later."""
    now = sim.clock.now()
    intent["payment_method"] = objects.new_id("pm")
    charge = objects.charge(now=now, intent=intent, card=card, email=email, name=name)
    if card.number == cards.AUTHENTICATES:
        charge["payment_method_details"]["card"]["three_d_secure"] = {
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": "05",
            "exemption_indicator": None,
            "result": "authenticated",
            "result_reason": None,
            "transaction_id": objects.new_id("sim3ds"),
            "version": "2.2.0",
        }
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "next_action": None,
        "status": "succeeded",
    }
    delay = sim.behaviour.fee_delay_ms
    charge["_fee_due_ms"] = sim.clock.now_ms() + delay if delay else None
    if not delay:
        _add_fee(sim, work, charge)
    keep_charge(work, charge)
    keep_intent(work, intent)
    record(sim, work, "charge.succeeded", charge)
    record(sim, work, "payment_intent.succeeded", intent)
    return charge


def decline(  # noqa: PLR0913 - who pays with what
    sim: Simulator, work: Work, *, intent: Json, card: Card, email: str, name: str
) -> Json:
    """The bank says no: the error as Stripe words it, now also on the intent."""
    decline_code, code, message = cards.DECLINES[card.number]
    intent["payment_method"] = objects.new_id("pm")
    charge = objects.charge(now=sim.clock.now(), intent=intent, card=card, email=email, name=name)
    charge |= {
        "_fee_due_ms": None,
        "amount_captured": 0,
        "captured": False,
        "failure_code": code,
        "failure_message": message,
        "outcome": {
            "advice_code": "try_again_later",
            "network_advice_code": None,
            "network_decline_code": "01",
            "network_status": "declined_by_network",
            "reason": decline_code,
            "risk_level": "normal",
            "risk_score": 12,
            "seller_message": "The bank did not return any further details with this decline.",
            "type": "issuer_declined",
        },
        "paid": False,
        "status": "failed",
    }
    error: Json = {
        "advice_code": "try_again_later",
        "charge": charge["id"],
        "code": code,
        "decline_code": decline_code,
        "doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}",
        "message": message,
        "network_decline_code": "01",
        "type": "card_error",
    }
    intent |= {
        "last_payment_error": error,
        "latest_charge": charge["id"],
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    keep_charge(work, charge)
    keep_intent(work, intent)
    record(sim, work, "charge.failed", charge)
    record(sim, work, "payment_intent.payment_failed", intent)
    return error


def fail_authentication(sim: Simulator, work: Work, *, intent: Json) -> Json:
    """The donor did not confirm it was them; nothing was charged."""
    error: Json = {
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": (
            "We are unable to authenticate your payment method. "
            "Choose a different payment method and try again."
        ),
        "type": "card_error",
    }
    intent |= {
        "last_payment_error": error,
        "next_action": None,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    keep_intent(work, intent)
    record(sim, work, "payment_intent.payment_failed", intent)
    return error


def settle_when_due(sim: Simulator, work: Work, charge_id: str) -> None:
    """The fee of a charge is known: fill in its balance transaction and tell."""
    charge = work.find(charge_id)
    if charge is None or charge["balance_transaction"] or charge["_fee_due_ms"] is None:
        return
    _add_fee(sim, work, charge)
    keep_charge(work, charge)
    record(sim, work, "charge.updated", charge, previous={"balance_transaction": None})


def keep_entry(work: Work, entry: Json) -> None:
    """Store a balance transaction."""
    work.put("balance_transaction", entry, type=entry["type"], source=entry["source"])


def _add_fee(sim: Simulator, work: Work, charge: Json) -> None:
    amount = charge["amount"]
    options = sim.options
    entry = balance_transaction(
        now=sim.clock.now(),
        kind="charge",
        category="charge",
        amount=amount,
        fee=processing_fee(amount, percent=options.fee_percent, fixed=options.fee_fixed),
        currency=charge["currency"],
        source=charge["id"],
        description=charge["description"],
    )
    keep_entry(work, entry)
    charge["balance_transaction"] = entry["id"]
    charge["_fee_due_ms"] = None
