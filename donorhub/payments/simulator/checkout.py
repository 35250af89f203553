"""Checkout Sessions: made by the site, paid on the hosted page, or left to expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import cards, objects
from .currencies import LARGEST, MINIMUM, refuse_unknown_currency
from .disputes import open_dispute
from .entries import line_item
from .errors import ApiError, bad_parameter, missing_parameter
from .events import record
from .money import capture, decline, fail_authentication, keep_intent

if TYPE_CHECKING:
    from .cards import Card
    from .errors import Json
    from .simulator import Simulator
    from .store import Work

_SHORTEST = 30 * 60
_LONGEST = 24 * 3600


def create_session(sim: Simulator, work: Work, params: Json, *, arrived: int) -> Json:
    """Open a session for the given lines; `arrived` is when the call came in."""
    _refuse_other_modes(params)
    lines = params.get("line_items")
    if not lines:
        raise missing_parameter(name="line_items")
    currency, amount = _total(lines)
    params.setdefault("expires_at", arrived + _LONGEST)
    due = _due(sim, params["expires_at"], arrived)
    session = objects.checkout_session(now=arrived, params=params, amount=amount, currency=currency)
    session["url"] = f"{sim.options.public_url}/c/pay/{session['id']}"
    session["_due"] = due
    session["_intent"] = params.get("payment_intent_data", {})
    session["_lines"] = [
        line_item(now=arrived, number=number, item=item)
        for number, item in enumerate(lines, start=1)
    ]
    keep_session(work, session)
    return session


def expire_session(sim: Simulator, work: Work, session: Json) -> None:
    """Close an open session for good."""
    if session["status"] != "open":
        message = (
            "Only Checkout Sessions with a status in `open` can be expired. "
            f"This Checkout Session has a status of `{session['status']}`."
        )
        raise ApiError(400, message, param="session")
    session |= {"status": "expired", "url": None}
    keep_session(work, session)
    _cancel_intent(sim, work, session)
    record(sim, work, "checkout.session.expired", session)


def expire_when_due(sim: Simulator, work: Work, session_id: str) -> Json | None:
    """The session as it is now: expired, if its time has passed; None when there is none."""
    session = work.find(session_id)
    if session is None or session["object"] != "checkout.session":
        return None
    if session["status"] == "open" and session["_due"] <= sim.clock.now():
        expire_session(sim, work, session)
    return session


def keep_session(work: Work, session: Json) -> None:
    """Store a session; an open one is due when it expires."""
    is_open = session["status"] == "open"
    work.put(
        "checkout.session",
        session,
        type=session["status"],
        parent=session["payment_intent"] or "",
        due_ms=session["_due"] * 1000 if is_open else None,
    )


def pay(  # noqa: PLR0913 - who pays with what
    sim: Simulator, work: Work, session: Json, *, card: Card, email: str, name: str
) -> Json | None:
    """Try the card on an open session.

    Returns None when it was charged, and the card error when it was not. A card that asks for
    authentication leaves the intent at `requires_action` and returns None.
    """
    intent = _intent(sim, work, session)
    session["_payer"] = {"email": email, "name": name}
    if card.number in cards.DECLINES:
        error = decline(sim, work, intent=intent, card=card, email=email, name=name)
        keep_session(work, session)
        return error
    if card.number == cards.AUTHENTICATES:
        intent |= {
            "next_action": {
                "redirect_to_url": {
                    "return_url": session["success_url"],
                    "url": f"{sim.options.public_url}/c/pay/{session['id']}/challenge",
                },
                "type": "redirect_to_url",
            },
            "payment_method": objects.new_id("pm"),
            "status": "requires_action",
        }
        keep_intent(work, intent)
        record(sim, work, "payment_intent.requires_action", intent)
        session["_card"] = {"month": card.month, "year": card.year}
        keep_session(work, session)
        return None
    _complete(sim, work, session, intent=intent, card=card)
    return None


def answer_challenge(sim: Simulator, work: Work, session: Json, *, passed: bool) -> Json | None:
    """The donor confirmed, or did not; returns the card error when it failed."""
    intent = work.find(session["payment_intent"] or "")
    if intent is None or intent["status"] != "requires_action":
        raise ApiError(400, "This session is not waiting for authentication.", param="session")
    if not passed:
        return fail_authentication(sim, work, intent=intent)
    card = cards.Card(number=cards.AUTHENTICATES, **session["_card"])
    _complete(sim, work, session, intent=intent, card=card)
    return None


def success_address(session: Json) -> str:
    """Where a donor goes after paying."""
    address: str = session["success_url"]
    return address.replace("{CHECKOUT_SESSION_ID}", session["id"])


def _complete(sim: Simulator, work: Work, session: Json, *, intent: Json, card: Card) -> None:
    payer = session["_payer"]
    charge = capture(sim, work, intent=intent, card=card, **payer)
    session |= {
        "customer_details": objects.paid_customer_details(**payer),
        "payment_status": "paid",
        "status": "complete",
        "url": None,
    }
    keep_session(work, session)
    record(sim, work, "checkout.session.completed", session)
    if card.number == cards.DISPUTED:
        open_dispute(sim, work, charge, reason="fraudulent")


def _intent(sim: Simulator, work: Work, session: Json) -> Json:
    known = work.find(session["payment_intent"]) if session["payment_intent"] else None
    if known:
        return known
    intent = objects.payment_intent(
        now=sim.clock.now(),
        amount=session["amount_total"],
        currency=session["currency"],
        extra=session["_intent"],
    )
    intent["_session"] = session["id"]
    session["payment_intent"] = intent["id"]
    return intent


def _cancel_intent(sim: Simulator, work: Work, session: Json) -> None:
    intent = work.find(session["payment_intent"]) if session["payment_intent"] else None
    if intent:
        intent |= {
            "canceled_at": sim.clock.now(),
            "cancellation_reason": "automatic",
            "next_action": None,
            "status": "canceled",
        }
        keep_intent(work, intent)
        record(sim, work, "payment_intent.canceled", intent)


def _refuse_other_modes(params: Json) -> None:
    if params["mode"] != "payment":
        raise bad_parameter(name="mode", message="The simulator knows mode=payment only.")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise bad_parameter(name="ui_mode", message="The simulator knows ui_mode=hosted_page only.")
    if "success_url" not in params:
        raise missing_parameter(name="success_url")
    for name in ("success_url", "cancel_url"):
        if name in params and not params[name].startswith(("http://", "https://")):
            raise bad_parameter(name=name, message=f"Not a valid URL: {name}", code="url_invalid")


def _total(lines: list[Json]) -> tuple[str, int]:
    currencies = {item["price_data"]["currency"].lower() for item in lines}
    if len(currencies) > 1:
        message = "All line items must have the same currency."
        raise bad_parameter(name="line_items", message=message)
    currency = currencies.pop()
    refuse_unknown_currency(currency, "line_items[0][price_data][currency]")
    amount = 0
    for index, item in enumerate(lines):
        item.setdefault("quantity", 1)
        item["price_data"]["currency"] = currency
        if item["price_data"]["unit_amount"] < 0 or item["quantity"] < 1:
            raise bad_parameter(
                name=f"line_items[{index}]", message="Amounts and quantities are positive."
            )
        amount += item["price_data"]["unit_amount"] * item["quantity"]
    if amount < MINIMUM.get(currency, 50):
        message = (
            "The Checkout Session's total amount due must add up to at least "
            f"{MINIMUM.get(currency, 50)} {currency} in minor units"
        )
        raise bad_parameter(name="line_items", message=message, code="amount_too_small")
    if amount > LARGEST:
        message = "Amount must be no more than 8 digits in minor units"
        raise bad_parameter(name="line_items", message=message, code="amount_too_large")
    return currency, amount


def _due(sim: Simulator, expires_at: int, arrived: int) -> int:
    """When the session expires on the simulator's clock.

    A caller whose own clock was left behind when this one was moved counts from its own time.
    """
    for skipped in {0, sim.clock.offset}:
        if _SHORTEST <= expires_at + skipped - arrived <= _LONGEST:
            return expires_at + skipped
    bound = "at least 30 minutes" if expires_at < arrived + _SHORTEST else "less than 24 hours"
    message = f"The `expires_at` timestamp must be {bound} from Checkout Session creation."
    raise bad_parameter(name="expires_at", message=message)
