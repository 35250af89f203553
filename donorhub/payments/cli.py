"""Commands about Stripe."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from donorhub.payments import inbox, queries
from donorhub.payments.gateway import StripeUnreachable
from donorhub.payments.reconcile import reconcile

payments_group = AppGroup("payments", help="Stripe: reconciliation and events.")


@payments_group.command("reconcile")
@click.option("--days", type=click.IntRange(1, 30), help="Look back at least this far.")
@click.option("--dry-run", is_flag=True, help="Say what differs; change nothing.")
def reconcile_command(*, days: int | None, dry_run: bool) -> None:
    """Compare with Stripe: missed events, open sessions, balance movements."""
    try:
        run = reconcile(days=days, dry_run=dry_run)
    except StripeUnreachable as error:
        message = "Stripe could not be reached; nothing was lost. Try again later."
        raise click.ClickException(message) from error
    click.echo(
        f"{run.events_seen} events seen, {run.events_missed} missed; "
        f"{run.checkouts_settled} checkouts settled; {run.movements_seen} movements compared; "
        f"{len(run.differences)} differences."
    )
    for difference in run.differences:
        click.echo(f"  {difference}")
    if run.differences:
        raise SystemExit(1)


@payments_group.command("parked")
def parked() -> None:
    """List events that need a person."""
    events = queries.parked_events()
    for event in events:
        click.echo(f"{event.received_at:%Y-%m-%d %H:%M} {event.id} {event.type}: {event.reason}")
    click.echo(f"{len(events)} parked.")


@payments_group.command("replay")
@click.argument("event_id")
@click.option("--dry-run", is_flag=True, help="Only say whether the event is there.")
def replay(event_id: str, *, dry_run: bool) -> None:
    """Act once more on a kept event."""
    state = queries.event_state(event_id)
    if state is None:
        message = f"{event_id} is not in the inbox."
        raise click.ClickException(message)
    if dry_run:
        click.echo(f"{event_id} is {state}; it would be acted on again.")
        return
    click.echo(f"{event_id}: {inbox.handle_event(event_id)}")
