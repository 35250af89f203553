"""Jobs of the payments package; each is safe to run twice."""

from __future__ import annotations

import structlog

from donorhub.kit import job
from donorhub.payments import inbox
from donorhub.payments.gateway import StripeUnreachable
from donorhub.payments.reconcile import reconcile

log = structlog.get_logger()


@job("payments.handle_event")
def handle_event(event_id: str) -> None:
    """Act on one kept event."""
    inbox.handle_event(event_id)


@job("payments.retry_events", every="* * * * * */10")
def retry_events() -> None:
    """Take up events whose next try is due, or whose job was lost."""
    for event_id in inbox.due_events():
        inbox.handle_event(event_id)


@job("payments.reconcile", every="*/15 * * * *")
def reconcile_with_stripe() -> None:
    """Compare with Stripe every quarter of an hour."""
    try:
        run = reconcile()
    except StripeUnreachable:
        log.warning("reconciliation.postponed")
        return
    log.info(
        "reconciliation.done",
        events_seen=run.events_seen,
        events_missed=run.events_missed,
        differences=len(run.differences),
    )
