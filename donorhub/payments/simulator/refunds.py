"""Giving money back, whole or in parts; the processing fee is not returned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .entries import balance_transaction, refund
from .errors import ApiError, bad_parameter, missing_parameter, no_such
from .events import record
from .money import keep_charge, keep_entry

if TYPE_CHECKING:
    from .errors import Json
    from .simulator import Simulator
    from .store import Work


def create_refund(sim: Simulator, work: Work, params: Json) -> Json:
    """Refund a charge, named by itself or by its intent; the sum never exceeds the charge."""
    charge = _charge(work, params)
    amount = _amount(charge, params.get("amount"))
    given_back = refund(
        now=sim.clock.now(),
        charge=charge,
        amount=amount,
        reason=params.get("reason"),
        metadata=params.get("metadata", {}),
    )
    entry = balance_transaction(
        now=sim.clock.now(),
        kind="refund",
        category="refund",
        amount=-amount,
        fee=0,
        currency=charge["currency"],
        source=given_back["id"],
        description="REFUND FOR CHARGE",
    )
    given_back["balance_transaction"] = entry["id"]
    previous = {key: charge[key] for key in ("amount_refunded", "refunded")}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    keep_entry(work, entry)
    keep_refund(work, given_back)
    keep_charge(work, charge)
    record(sim, work, "refund.created", given_back)
    record(sim, work, "charge.refunded", charge, previous=previous)
    return given_back


def fail_refund(sim: Simulator, work: Work, given_back: Json) -> None:
    """The bank sends a refund back: the money is ours again and the charge says so."""
    if given_back["status"] != "succeeded":
        raise ApiError(400, "This refund has already failed.", param="refund")
    charge = work.find(given_back["charge"])
    if charge is None:
        raise no_such(kind="charge", object_id=given_back["charge"])
    entry = balance_transaction(
        now=sim.clock.now(),
        kind="refund_failure",
        category="refund_failure",
        amount=given_back["amount"],
        fee=0,
        currency=given_back["currency"],
        source=given_back["id"],
        description="REFUND FAILURE",
    )
    given_back |= {
        "failure_balance_transaction": entry["id"],
        "failure_reason": "expired_or_canceled_card",
        "status": "failed",
    }
    charge["amount_refunded"] -= given_back["amount"]
    charge["refunded"] = False
    keep_entry(work, entry)
    keep_refund(work, given_back)
    keep_charge(work, charge)
    record(sim, work, "refund.updated", given_back, previous={"status": "succeeded"})
    record(sim, work, "refund.failed", given_back)


def keep_refund(work: Work, given_back: Json) -> None:
    """Store a refund."""
    work.put("refund", given_back, parent=given_back["payment_intent"], source=given_back["charge"])


def _charge(work: Work, params: Json) -> Json:
    if "charge" in params:
        charge_id = params["charge"]
    elif "payment_intent" in params:
        intent = work.find(params["payment_intent"])
        if intent is None:
            raise no_such(
                kind="payment_intent", object_id=params["payment_intent"], param="payment_intent"
            )
        charge_id = intent["latest_charge"]
    else:
        raise missing_parameter(name="charge")
    charge = work.find(charge_id) if charge_id else None
    if charge is None:
        raise no_such(kind="charge", object_id=str(charge_id), param="charge")
    if not charge["paid"]:
        raise bad_parameter(name="charge", message=f"Charge {charge_id} was not successful.")
    return charge


def _amount(charge: Json, wished: int | None) -> int:
    charge_id = charge["id"]
    left: int = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        message = f"Charge {charge_id} has already been refunded."
        raise ApiError(400, message, code="charge_already_refunded")
    if charge["disputed"]:
        message = f"Charge {charge_id} has been charged back; cannot issue a refund."
        raise ApiError(400, message, code="charge_disputed")
    if wished is None:
        return left
    if wished < 1:
        raise bad_parameter(
            name="amount",
            message="This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
        )
    if wished > left:
        message = (
            f"Refund amount ({wished}) is greater than unrefunded amount on charge ({left}), "
            "in minor units"
        )
        raise bad_parameter(name="amount", message=message)
    return wished
