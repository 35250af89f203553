"""A cardholder's bank takes the money back, asks why, and decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .entries import balance_transaction, dispute
from .errors import ApiError
from .events import record
from .money import keep_charge, keep_entry

if TYPE_CHECKING:
    from .errors import Json
    from .simulator import Simulator
    from .store import Work

_CLOSED = ("lost", "won", "warning_closed", "prevented")


def open_dispute(
    sim: Simulator, work: Work, charge: Json, *, amount: int | None = None, reason: str
) -> Json:
    """Dispute what is left of a charge: the amount and a fee are withdrawn at once."""
    left = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"] or not charge["paid"] or left == 0:
        raise ApiError(400, f"Charge {charge['id']} cannot be disputed.", param="charge")
    wished = left if amount is None else amount
    if not 1 <= wished <= left:
        message = f"A dispute takes from 1 to {left} minor units of this charge."
        raise ApiError(400, message, param="amount")
    case = dispute(now=sim.clock.now(), charge=charge, amount=wished, reason=reason)
    _move_money(sim, work, case, amount=-wished, fee=sim.options.dispute_fee)
    charge["disputed"] = True
    keep_dispute(work, case)
    keep_charge(work, charge)
    record(sim, work, "charge.dispute.created", case)
    record(sim, work, "charge.dispute.funds_withdrawn", case)
    return case


def answer_dispute(sim: Simulator, work: Work, case: Json, params: Json) -> Json:
    """Add evidence; submitting it puts the case before the bank."""
    _refuse_closed(case)
    before = {"evidence_details": dict(case["evidence_details"]), "status": case["status"]}
    if params.get("evidence"):
        case["evidence"] |= params["evidence"]
        case["evidence_details"]["has_evidence"] = True
        if params.get("submit", True):
            case["evidence_details"]["submission_count"] += 1
            case["evidence_details"]["submission_method"] = "manual"
            case["status"] = "under_review"
    case["metadata"] |= params.get("metadata", {})
    keep_dispute(work, case)
    record(sim, work, "charge.dispute.updated", case, previous=before)
    return case


def close_dispute(sim: Simulator, work: Work, case: Json, *, status: str) -> Json:
    """The bank decides: `lost` keeps the money away, `won` brings the amount back, not the fee."""
    _refuse_closed(case)
    before = {"status": case["status"]}
    case["status"] = status
    if status == "won":
        _move_money(sim, work, case, amount=case["amount"], fee=0)
    keep_dispute(work, case)
    record(sim, work, "charge.dispute.closed", case, previous=before)
    if status == "won":
        record(sim, work, "charge.dispute.funds_reinstated", case)
    return case


def keep_dispute(work: Work, case: Json) -> None:
    """Store a dispute."""
    work.put(
        "dispute",
        case,
        type=case["status"],
        parent=case["payment_intent"],
        source=case["charge"],
    )


def _refuse_closed(case: Json) -> None:
    if case["status"] in _CLOSED:
        raise ApiError(400, "This dispute is already closed.", param="dispute")


def _move_money(sim: Simulator, work: Work, case: Json, *, amount: int, fee: int) -> None:
    withdrawn = amount < 0
    entry = balance_transaction(
        now=sim.clock.now(),
        kind="adjustment",
        category="dispute" if withdrawn else "dispute_reversal",
        amount=amount,
        fee=fee,
        currency=case["currency"],
        source=case["id"],
        description="Chargeback withdrawal" if withdrawn else "Chargeback reversal",
    )
    keep_entry(work, entry)
    case["balance_transactions"].append(entry)
