"""The webhook."""

from __future__ import annotations

import structlog
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from donorhub.kit import current_settings
from donorhub.payments import inbox

log = structlog.get_logger()

blueprint = Blueprint("payments", __name__)


@blueprint.post("/webhooks/stripe")
def stripe_webhook() -> ResponseReturnValue:
    """Keep a signed event and answer at once; what it means is a job's business."""
    raw = request.get_data(cache=False)
    try:
        event = inbox.verify(raw, request.headers.get("Stripe-Signature", ""), current_settings())
    except inbox.NotFromStripe as refusal:
        log.warning("stripe.webhook_refused", reason=str(refusal))
        return {"error": "not signed by Stripe"}, 400
    inbox.keep(event, raw.decode("utf-8"))
    return {"received": True}, 200
