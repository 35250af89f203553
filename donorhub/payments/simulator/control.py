"""The side door `/_sim/`: faults, the clock, and acts that need no browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, jsonify, redirect, request

from . import acts
from .cards import PAYS, plain_card
from .checkout import answer_challenge, expire_when_due, pay
from .errors import ApiError, Json, bad_parameter, missing_parameter, no_such
from .events import public
from .listing import rows_of

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from .simulator import Simulator

bp = Blueprint("control", __name__, url_prefix="/_sim")


@bp.before_request
def refuse_other_sites() -> ResponseReturnValue | None:
    """A page of some other site must not press these buttons in a developer's browser."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return jsonify(error={"message": "Only from this machine."}), 403
    return None


@bp.errorhandler(ValueError)
def refuse_nonsense(error: ValueError) -> ResponseReturnValue:
    """A number or a JSON text that cannot be read."""
    return jsonify(error={"type": "invalid_request_error", "message": str(error)}), 400


@bp.get("/behaviour")
def behaviour_page() -> ResponseReturnValue:
    """The faults in force."""
    return jsonify(_sim().behaviour.as_json())


@bp.post("/behaviour")
def behaviour_submit() -> ResponseReturnValue:
    """Change some of the faults; `{"reset": true}` ends all of them."""
    sim, wishes = _sim(), _wishes()
    if wishes.pop("reset", False):
        sim.behaviour = type(sim.behaviour)(fee_delay_ms=sim.options.fee_delay_ms)
    sim.behaviour = sim.behaviour.changed(wishes)
    sim.outbox.wake()
    return _done(sim.behaviour.as_json())


@bp.get("/clock")
def clock_page() -> ResponseReturnValue:
    """The simulator's time."""
    sim = _sim()
    return jsonify(now=sim.clock.now(), offset_seconds=sim.clock.offset)


@bp.post("/clock")
def clock_submit() -> ResponseReturnValue:
    """Skip `advance` (31d, 36h, 30m, 90s) or `reset` to the machine's time."""
    sim, wishes = _sim(), _wishes()
    if wishes.get("reset"):
        sim.reset_clock()
    elif "advance" in wishes:
        try:
            sim.advance(str(wishes["advance"]))
        except ValueError as error:
            raise bad_parameter(name="advance", message=str(error)) from None
    else:
        raise missing_parameter(name="advance")
    return _done({"now": sim.clock.now(), "offset_seconds": sim.clock.offset})


@bp.post("/checkout/<session_id>/pay")
def pay_submit(session_id: str) -> ResponseReturnValue:
    """Pay without a browser; paying twice changes nothing."""
    sim, wishes = _sim(), _wishes()
    try:
        card = plain_card(str(wishes.get("card") or PAYS))
    except KeyError:
        raise bad_parameter(name="card", message="This is not one of the test cards.") from None
    with sim.work() as work:
        session = expire_when_due(sim, work, session_id)
        error = None
        if session and session["status"] == "open":
            email = wishes.get("email") or session["customer_email"] or "donor@example.org"
            name = str(wishes.get("name") or "Test Donor")
            error = pay(sim, work, session, card=card, email=email, name=name)
            if "authenticate" in wishes and not error and session["status"] == "open":
                passed = wishes["authenticate"] in (True, "complete", "true")
                error = answer_challenge(sim, work, session, passed=passed)
    if session is None:
        raise no_such(kind="checkout.session", object_id=session_id)
    if session["status"] == "expired":
        raise ApiError(409, "This Checkout Session has expired.", param="session")
    if error:
        return _done({"error": error}, status=402)
    intent = sim.store.find(session["payment_intent"]) or {}
    return _done(
        {
            "session": session["id"],
            "status": session["status"],
            "payment_status": session["payment_status"],
            "payment_intent": session["payment_intent"],
            "payment_intent_status": intent.get("status"),
            "charge": intent.get("latest_charge"),
        }
    )


@bp.post("/checkout/<object_id>/refund")
@bp.post("/payments/<object_id>/refund")
def refund_submit(object_id: str) -> ResponseReturnValue:
    """Refund a payment named by its session, intent or charge, as staff would at Stripe."""
    return _done(acts.refund_payment(_sim(), object_id, _wishes()))


@bp.post("/checkout/<object_id>/dispute")
@bp.post("/payments/<object_id>/dispute")
def dispute_submit(object_id: str) -> ResponseReturnValue:
    """Let the cardholder's bank dispute a payment."""
    return _done(acts.dispute_payment(_sim(), object_id, _wishes()))


@bp.post("/disputes/<object_id>/close")
def close_submit(object_id: str) -> ResponseReturnValue:
    """Let the bank decide: `{"status": "won"}` or `{"status": "lost"}`."""
    return _done(acts.decide_dispute(_sim(), object_id, _wishes()))


@bp.post("/refunds/<object_id>/fail")
def fail_submit(object_id: str) -> ResponseReturnValue:
    """Let a refund come back from the bank."""
    return _done(acts.bounce_refund(_sim(), object_id))


@bp.get("/requests")
def requests_page() -> ResponseReturnValue:
    """The API calls received, oldest first; `?path=`, `?since=` (seconds), `?after=` (n)."""
    since = json.loads(request.args.get("since", "0"))
    after = int(request.args.get("after", "0"))
    path = request.args.get("path", "")
    entries = _sim().log.entries(path=path, since=since, after=after)
    return jsonify(requests=[entry.as_json() for entry in entries])


@bp.post("/requests/clear")
def requests_clear() -> ResponseReturnValue:
    """Forget the calls received."""
    _sim().log.clear()
    return _done({"requests": []})


@bp.get("/events")
def events_page() -> ResponseReturnValue:
    """The latest events, newest first; `?type=`, `?limit=` up to 100."""
    params: Json = {"limit": int(request.args.get("limit", "100"))}
    if request.args.get("type"):
        params["type"] = request.args["type"]
    rows, _more = rows_of(_sim(), "event", params)
    return jsonify(events=[public(json.loads(row.body)) for row in rows])


@bp.get("/deliveries")
def deliveries_page() -> ResponseReturnValue:
    """The latest attempts to deliver, oldest first, and how many wait."""
    outbox = _sim().outbox
    return jsonify(attempts=list(outbox.attempts), waiting=outbox.waiting())


@bp.post("/events/<event_id>/replay")
def replay_submit(event_id: str) -> ResponseReturnValue:
    """Deliver an event once more."""
    return _done(acts.replay_event(_sim(), event_id))


@bp.post("/events/forge")
def forge_submit() -> ResponseReturnValue:
    """Deliver an event that nothing caused: `{"type", "object"}`, and any key of an event."""
    return _done(acts.forge_event(_sim(), _wishes()))


@bp.post("/reset")
def reset_submit() -> ResponseReturnValue:
    """Forget everything."""
    _sim().reset()
    return _done({"reset": True})


def _sim() -> Simulator:
    simulator: Simulator = current_app.extensions["simulator"]
    return simulator


def _wishes() -> Json:
    text = request.get_data(as_text=True).strip()
    if request.is_json or text.startswith("{"):
        wishes = json.loads(text or "{}")
        if not isinstance(wishes, dict):
            raise bad_parameter(name="body", message="Send a JSON object.")
        return wishes
    return {key: value for key, value in request.form.items() if value != ""}


def _done(answer: Json, *, status: int = 200) -> ResponseReturnValue:
    if request.accept_mimetypes.best == "text/html":
        return redirect("/", code=303)
    return jsonify(answer), status
