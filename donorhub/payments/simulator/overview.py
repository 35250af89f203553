"""The front page of the simulator: what happened lately, with buttons to make more happen."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, render_template

from .currencies import amount_text
from .listing import rows_of

if TYPE_CHECKING:
    from .errors import Json
    from .simulator import Simulator

bp = Blueprint("overview", __name__)


@bp.get("/")
def overview_page() -> str:
    """Recent sessions, disputes, events and deliveries."""
    sim: Simulator = current_app.extensions["simulator"]
    offset = sim.clock.offset
    return render_template(
        "overview.html",
        sessions=[_payment(sim, session) for session in _latest(sim, "checkout.session", 20)],
        disputes=_latest(sim, "dispute", 10),
        events=_latest(sim, "event", 30),
        attempts=list(sim.outbox.attempts)[-15:][::-1],
        waiting=sim.outbox.waiting(),
        behaviour=sim.behaviour.as_json(),
        now=_time_text(sim.clock.now()),
        moved=offset,
        options=sim.options,
        time_text=_time_text,
        amount_text=amount_text,
    )


def _payment(sim: Simulator, session: Json) -> Json:
    intent = sim.store.find(session["payment_intent"] or "") or {}
    charge = sim.store.find(intent.get("latest_charge") or "") or {}
    left = charge.get("amount", 0) - charge.get("amount_refunded", 0)
    paid = bool(charge.get("paid"))
    return {
        "id": session["id"],
        "reference": session["client_reference_id"] or "",
        "amount": amount_text(session["amount_total"], session["currency"], french=False),
        "created": _time_text(session["created"]),
        "state": _state(session, charge),
        "url": session["url"],
        "can_refund": paid and left > 0 and not charge["disputed"],
        "can_dispute": paid and left > 0 and not charge["disputed"],
        "can_expire": session["status"] == "open",
    }


def _state(session: Json, charge: Json) -> str:
    if charge.get("disputed"):
        return "disputed"
    if charge.get("refunded"):
        return "refunded"
    if charge.get("amount_refunded"):
        return "partly refunded"
    if session["status"] == "open" and charge:
        return "declined"
    return "paid" if session["status"] == "complete" else str(session["status"])


def _latest(sim: Simulator, kind: str, count: int) -> list[Json]:
    rows, _more = rows_of(sim, kind, {"limit": count})
    return [json.loads(row.body) for row in rows]


def _time_text(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
