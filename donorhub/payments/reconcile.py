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
FEE_KINDS = {"charge", "payment"}
REFUND_KINDS = {"refund", "payment_refund"}


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

    ``days`` looks back that far (30 at most: Stripe keeps events no longer); without it
    the run begins two hours before the last one did. Raises StripeUnreachable.
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
    if days is not None:
        return max(furthest, now() - timedelta(days=days))
    row = db.one("SELECT max(started_at) AS at FROM reconciliations WHERE finished_at IS NOT NULL")
    return max(furthest, row.at - OVERLAP) if row and row.at else furthest


def _missed_events(run: Reconciliation, since: datetime, *, dry_run: bool) -> None:
    for event in gateway().events_since(since):
        run.events_seen += 1
        known = db.one("SELECT id FROM stripe_events WHERE id = :id", id=event["id"])
        if known is None:
            run.events_missed += 1
            if not dry_run:
                inbox.keep(event, json.dumps(event))
    if dry_run:
        return
    for event_id in inbox.due_events():
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
    """Every movement of our balance must be one that the mirror knows, to the cent."""
    for movement in gateway().movements_since(since):
        run.movements_seen += 1
        if difference := _difference(movement):
            run.differences.append(difference)


def _difference(movement: dict[str, Any]) -> str | None:
    kind, source = movement["type"], movement.get("source")
    if kind in FEE_KINDS:
        row = db.one(
            "SELECT amount_minor, fee_minor FROM stripe_payments WHERE charge_reference = :charge",
            charge=source,
        )
        if row is None:
            return f"{movement['id']}: a charge we do not know"
        if row.amount_minor != movement["amount"] or row.fee_minor not in (None, movement["fee"]):
            return f"{movement['id']}: a charge of another amount or fee than ours"
    if kind in REFUND_KINDS:
        row = db.one(
            "SELECT 1 AS known FROM ledger_entries WHERE key = :key", key=f"refund:{source}"
        )
        if row is None:
            return f"{movement['id']}: a refund we do not know"
    return None


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
