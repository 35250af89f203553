"""What people and banks do at Stripe itself, without the site having asked for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .disputes import close_dispute, open_dispute
from .errors import bad_parameter, missing_parameter, no_such
from .events import public
from .objects import API_VERSION, new_id
from .refunds import create_refund, fail_refund

if TYPE_CHECKING:
    from .errors import Json
    from .simulator import Simulator
    from .store import Work


def refund_payment(sim: Simulator, object_id: str, wishes: Json) -> Json:
    """Refund what is left of a payment, or the amount wished, in minor units."""
    with sim.work() as work:
        charge = _charge_of(work, object_id)
        params: Json = {"charge": charge["id"]}
        if "amount" in wishes:
            params["amount"] = int(wishes["amount"])
        if "reason" in wishes:
            params["reason"] = wishes["reason"]
        return public(create_refund(sim, work, params))


def dispute_payment(sim: Simulator, object_id: str, wishes: Json) -> Json:
    """Dispute a payment for its whole rest or for the amount wished, in minor units."""
    amount = int(wishes["amount"]) if "amount" in wishes else None
    reason = str(wishes.get("reason", "fraudulent"))
    with sim.work() as work:
        charge = _charge_of(work, object_id)
        return public(open_dispute(sim, work, charge, amount=amount, reason=reason))


def decide_dispute(sim: Simulator, object_id: str, wishes: Json) -> Json:
    """Close a dispute, named by itself or by its charge."""
    status = wishes.get("status", "lost")
    if status not in ("won", "lost"):
        raise bad_parameter(name="status", message="A dispute is won or lost.")
    with sim.work() as work:
        case = work.find(object_id)
        if case is None or case.get("object") != "dispute":
            raise no_such(kind="dispute", object_id=object_id)
        return public(close_dispute(sim, work, case, status=status))


def bounce_refund(sim: Simulator, object_id: str) -> Json:
    """Let a refund fail after it succeeded."""
    with sim.work() as work:
        given_back = work.find(object_id)
        if given_back is None or given_back.get("object") != "refund":
            raise no_such(kind="refund", object_id=object_id)
        fail_refund(sim, work, given_back)
        return public(given_back)


def replay_event(sim: Simulator, event_id: str) -> Json:
    """Put an event in the queue once more, whatever the faults say."""
    with sim.work() as work:
        event = work.find(event_id)
        if event is None or event.get("object") != "event":
            raise no_such(kind="event", object_id=event_id)
        sim.outbox.plan(work, event_id, faulty=False)
    return event


def forge_event(sim: Simulator, wishes: Json) -> Json:
    """Make up an event and deliver it."""
    obj = wishes.pop("object", None)
    obj = json.loads(obj) if isinstance(obj, str) else obj
    if not wishes.get("type"):
        raise missing_parameter(name="type")
    if not isinstance(obj, dict):
        raise bad_parameter(name="object", message="An event is about an object.")
    event: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": sim.clock.now(),
        "data": {"object": obj},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        **wishes,
    }
    with sim.work() as work:
        work.put("event", event, type=event["type"], source=str(obj.get("id", "")))
        sim.outbox.plan(work, event["id"], faulty=False)
    return event


def _charge_of(work: Work, object_id: str) -> Json:
    obj = work.find(object_id)
    if obj and obj.get("object") == "checkout.session":
        obj = work.find(obj["payment_intent"] or "")
    if obj and obj.get("object") == "payment_intent":
        obj = work.find(obj["latest_charge"] or "")
    if obj is None or obj.get("object") != "charge":
        raise no_such(kind="payment", object_id=object_id)
    return obj
