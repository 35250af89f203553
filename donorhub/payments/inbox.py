"""The webhook inbox: verified, kept, answered at once, and worked off by a job.

An event is only a hint that something happened. The job asks Stripe how things stand
now and lets the owner of the subject move forward, so order, copies and stale payloads
do not matter (https://docs.stripe.com/webhooks#event-ordering).
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import stripe
import structlog

from donorhub.kit import Settings, current_settings, db, defer, now, session, unit_of_work
from donorhub.payments import service
from donorhub.payments.gateway import StripeRefused, StripeUnreachable, gateway, moment_of
from donorhub.payments.rules import (
    BACK_OFF_SECONDS,
    HANDLED_TYPES,
    MOST_ATTEMPTS,
    FactsDisagree,
    Pointers,
    pointers,
)

log = structlog.get_logger()

TOLERANCE_SECONDS = 300
_TIMESTAMP = re.compile(r"(?:\A|,)\s*t=(\d{1,12})(?:,|\Z)")


class NotFromStripe(ValueError):
    """The signature, its time or the body is not what Stripe sends."""


def verify(raw: bytes, signature: str, settings: Settings) -> dict[str, Any]:
    """Return the event in a signed body; raise NotFromStripe if it is not signed, or stale.

    The current and the previous secret are accepted, so that secrets can be changed
    without losing an event; times ahead of ours are refused as well as old ones.
    """
    stamp = _TIMESTAMP.search(signature)
    if not stamp or abs(now().timestamp() - int(stamp[1])) > TOLERANCE_SECONDS:
        message = "no acceptable time in the signature"
        raise NotFromStripe(message)
    secrets = (settings.stripe_webhook_secret, settings.stripe_webhook_secret_previous)
    if not any(_signed(raw, signature, secret) for secret in secrets if secret):
        message = "the signature does not fit"
        raise NotFromStripe(message)
    try:
        event = json.loads(raw)
    except ValueError as error:
        message = "the body is not JSON"
        raise NotFromStripe(message) from error
    if not isinstance(event, dict) or not _is_event(event):
        message = "the body is not an event"
        raise NotFromStripe(message)
    return event


def _signed(raw: bytes, signature: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(raw.decode("utf-8"), signature, secret, None)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def _is_event(event: dict[str, Any]) -> bool:
    data = event.get("data")
    return (
        isinstance(event.get("id"), str)
        and isinstance(event.get("type"), str)
        and isinstance(event.get("created"), int)
        and isinstance(event.get("livemode"), bool)
        and isinstance(data, dict)
        and isinstance(data.get("object"), dict)
    )


def keep(event: dict[str, Any], body: str) -> bool:
    """Keep an event once, with its job, in a unit of its own; tell whether it was new."""
    state, reason = _first_state(event)
    with unit_of_work():
        row = db.one(
            "INSERT INTO stripe_events (id, type, created_at, received_at, api_version, livemode, "
            "object_reference, body, state, reason) VALUES (:id, :type, :created, :now, :version, "
            ":livemode, :object, :body, :state, :reason) ON CONFLICT (id) DO NOTHING RETURNING id",
            id=event["id"],
            type=event["type"],
            created=moment_of(event["created"]),
            now=now(),
            version=event.get("api_version"),
            livemode=event["livemode"],
            object=_reference(event),
            body=body,
            state=state,
            reason=reason,
        )
        if row is not None and state == "waiting":
            defer("payments.handle_event", event_id=event["id"])
    if row is not None and state == "parked":
        log.error("stripe.event_parked", reason=reason, type=event["type"])
    return row is not None


def _first_state(event: dict[str, Any]) -> tuple[str, str | None]:
    if event["livemode"] != current_settings().livemode:
        return "parked", "the event is of another mode (live or test)"
    if event["type"] not in HANDLED_TYPES:
        return "ignored", "no use is made of this type"
    return "waiting", None


def _reference(event: dict[str, Any]) -> str | None:
    reference = event["data"]["object"].get("id")
    return reference if isinstance(reference, str) else None


def handle_event(event_id: str) -> str:
    """Act on a kept event and return its new state; safe to repeat at any time."""
    row = db.one("SELECT state, body, attempts FROM stripe_events WHERE id = :id", id=event_id)
    if row is None or row.state in {"done", "ignored"}:
        return row.state if row else "unknown"
    try:
        found = _act_on(json.loads(row.body)["data"]["object"])
    except StripeUnreachable:
        return _later(event_id, row.attempts, "Stripe could not be reached")
    except (FactsDisagree, StripeRefused) as error:
        return _park(event_id, str(error))
    except Exception as error:  # noqa: BLE001 - one broken event must not hold up the others
        session.rollback()
        return _try_again(event_id, row.attempts, f"acting on it failed: {type(error).__name__}")
    if found:
        return _settle(event_id, "done", None)
    return _try_again(event_id, row.attempts, "the event belongs to none of our checkouts")


def _act_on(item: dict[str, Any]) -> bool:
    """Ask Stripe how the checkout of an event's object stands; False if it is none of ours."""
    checkout = _checkout_of(pointers(item))
    if checkout is None:
        return False
    service.act_on(service.facts_of(checkout, refunds=item.get("object") == "refund"))
    return True


def _checkout_of(found: Pointers) -> service.Checkout | None:
    """Trace an event to one of our checkouts, by any reference it carries."""
    row = db.one(
        "SELECT id FROM checkouts WHERE session_reference = :session "
        "OR intent_reference = :intent OR subject = :subject "
        "OR id = (SELECT checkout_id FROM stripe_payments WHERE charge_reference = :charge) "
        "ORDER BY (session_reference IS NOT DISTINCT FROM :session) DESC, "
        "(intent_reference IS NOT DISTINCT FROM :intent) DESC, attempt DESC LIMIT 1",
        session=found.session,
        intent=found.intent,
        subject=found.subject,
        charge=found.charge,
    )
    checkout = service.find(row.id) if row else None
    if checkout and checkout.session_reference:
        return checkout
    session_id = found.session
    if session_id is None and found.intent:
        session_id = gateway().session_of_intent(found.intent)
    if checkout:
        return service.adopt(checkout, session_id) if session_id else None
    row = db.one("SELECT id FROM checkouts WHERE session_reference = :session", session=session_id)
    return service.find(row.id) if row else None


def _try_again(event_id: str, attempts: int, reason: str) -> str:
    """Our own row may still be on its way, a lock in the way: later; in the end, a person."""
    if attempts + 1 < MOST_ATTEMPTS:
        return _later(event_id, attempts, reason)
    return _park(event_id, reason)


def _park(event_id: str, reason: str) -> str:
    log.error("stripe.event_parked", event_id=event_id, reason=reason)
    return _settle(event_id, "parked", reason)


def _later(event_id: str, attempts: int, reason: str) -> str:
    pause = BACK_OFF_SECONDS[min(attempts, len(BACK_OFF_SECONDS) - 1)]
    log.warning("stripe.event_waits", event_id=event_id, reason=reason, seconds=pause)
    with unit_of_work():
        db.run(
            "UPDATE stripe_events SET state = 'waiting', attempts = attempts + 1, "
            "reason = :reason, retry_at = :retry_at WHERE id = :id AND state <> 'done'",
            id=event_id,
            reason=reason,
            retry_at=now() + timedelta(seconds=pause),
        )
    return "waiting"


def _settle(event_id: str, state: str, reason: str | None) -> str:
    with unit_of_work():
        db.run(
            "UPDATE stripe_events SET state = :state, reason = :reason, handled_at = :now, "
            "attempts = attempts + 1, retry_at = NULL "
            "WHERE id = :id AND state IN ('waiting', 'parked')",
            id=event_id,
            state=state,
            reason=reason,
            now=now(),
        )
    return state


def due_events() -> list[str]:
    """Return events whose next try is due, or whose job was lost."""
    found = db.rows(
        "SELECT id FROM stripe_events WHERE state = 'waiting' "
        "AND coalesce(retry_at, received_at + interval '30 seconds') <= :now "
        "ORDER BY received_at LIMIT 500",
        now=now(),
    )
    return [row.id for row in found]
