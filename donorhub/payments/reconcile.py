"""Reconciliation: what Stripe knows against what we know, whatever got lost on the way."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from donorhub.kit import db, now, unit_of_work
from donorhub.payments import inbox, service
from donorhub.payments.gateway import StripeRefused, gateway
from donorhub.payments.rules import FactsDisagree

log = structlog.get_logger()

EVENT_DAYS = 30
OVERLAP = timedelta(hours=2)
SETTLE_AFTER = timedelta(minutes=2)
# Which of our entries a movement of Stripe's balance must stand in, by Stripe's category for
# accounting (https://docs.stripe.com/reports/reporting-categories).
ENTRIES = {
    "refund": "refund:{}",
    "refund_failure": "refund:{}:failed",
    "dispute": "dispute:{}:withdrawn",
    "dispute_reversal": "dispute:{}:reinstated",
}


@dataclass(slots=True)
class Reconciliation:
    """What one run saw and did."""

    started_at: datetime
    events_seen: int = 0
    events_missed: int = 0
    checkouts_settled: int = 0
    movements_seen: int = 0
    differences: list[str] = field(default_factory=list)


def reconcile(*, days: int | None = None, dry_run: bool = False) -> Reconciliation:
    """Fetch missed events, settle open checkouts and fees, compare balance movements.

    A run begins two hours before the last one did; ``days`` looks back further, 30 at most
    (Stripe keeps events no longer). Raises StripeUnreachable.
    """
    run = Reconciliation(started_at=now())
    since = _since(days)
    _missed_events(run, since, dry_run=dry_run)
    _open_checkouts(run, dry_run=dry_run)
    _movements(run, since)
    if not dry_run:
        _keep(run)
    for difference in run.differences:
        log.error("reconciliation.difference", what=difference)
    return run


def _since(days: int | None) -> datetime:
    furthest = now() - timedelta(days=EVENT_DAYS)
    row = db.one("SELECT max(started_at) AS at FROM reconciliations WHERE finished_at IS NOT NULL")
    since = max(furthest, row.at - OVERLAP) if row and row.at else furthest
    return since if days is None else min(since, now() - timedelta(days=days))


def _missed_events(run: Reconciliation, since: datetime, *, dry_run: bool) -> None:
    """Keep what never came, and act on it now: what follows compares with the result."""
    missed = []
    for event in gateway().events_since(since):
        run.events_seen += 1
        known = db.one("SELECT id FROM stripe_events WHERE id = :id", id=event["id"])
        if known is None:
            run.events_missed += 1
            missed.append(event)
    if dry_run:
        return
    for event in missed:
        inbox.keep(event, json.dumps(event))
    for event_id in (*(event["id"] for event in missed), *inbox.due_events()):
        inbox.handle_event(event_id)


def _open_checkouts(run: Reconciliation, *, dry_run: bool) -> None:
    found = db.rows(
        "SELECT id FROM checkouts WHERE state = 'open' AND created_at < :before UNION "
        "SELECT checkout_id FROM stripe_payments WHERE fee_minor IS NULL AND seen_at < :before "
        "ORDER BY 1 LIMIT 1000",
        before=run.started_at - SETTLE_AFTER,
    )
    for row in found:
        checkout = service.find(row.id)
        if dry_run or checkout.session_reference is None:
            continue
        try:
            service.act_on(service.facts_of(checkout))
        except (FactsDisagree, StripeRefused) as error:
            run.differences.append(f"checkout {checkout.id}: {error}")
        else:
            run.checkouts_settled += 1


def _movements(run: Reconciliation, since: datetime) -> None:
    """Every movement of our balance must be one that we know, to the cent.

    The latest are left to the next run: their events may be on their way.
    """
    until = (run.started_at - SETTLE_AFTER).timestamp()
    for movement in gateway().movements_since(since):
        if movement["created"] > until:
            continue
        run.movements_seen += 1
        if difference := _difference(movement):
            run.differences.append(difference)


def _difference(movement: dict[str, Any]) -> str | None:
    known: tuple[int, ...] | None
    seen: tuple[int, ...]
    category, source = movement["reporting_category"], movement.get("source")
    if category == "charge":
        row = db.one(
            "SELECT amount_minor, fee_minor FROM stripe_payments WHERE charge_reference = :charge",
            charge=source,
        )
        known = row and (row.amount_minor, row.fee_minor or movement["fee"])
        seen = (movement["amount"], movement["fee"])
    elif category in ENTRIES:
        row = db.one(
            "SELECT p.amount_minor FROM ledger_entries e JOIN ledger_postings p "
            "ON p.entry_id = e.id AND p.account_code = 'stripe-balance' WHERE e.key = :key",
            key=ENTRIES[category].format(source),
        )
        known = row and (row.amount_minor,)
        seen = (movement["amount"],)
    else:
        return None
    if known is None:
        return f"{movement['id']}: a {category} we do not know"
    return None if known == seen else f"{movement['id']}: a {category} of another amount than ours"


def _keep(run: Reconciliation) -> None:
    values = asdict(run) | {"differences": json.dumps(run.differences), "now": now()}
    with unit_of_work():
        db.run(
            "INSERT INTO reconciliations (started_at, finished_at, events_seen, events_missed, "
            "checkouts_settled, movements_seen, differences) VALUES (:started_at, :now, "
            ":events_seen, :events_missed, :checkouts_settled, :movements_seen, "
            "cast(:differences AS jsonb))",
            **values,
        )
