"""Commands about gifts."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from donorhub import payments
from donorhub.giving import queries, service

giving_group = AppGroup("giving", help="Gifts.")


@giving_group.command("expire-holds")
@click.option("--dry-run", is_flag=True, help="Say how many are due; end none.")
def expire_holds(*, dry_run: bool) -> None:
    """End gifts whose time to pay is over, at Stripe first, and free their match."""
    if dry_run:
        click.echo(f"{queries.due_holds()} gifts are due.")
        return
    click.echo(f"{service.expire_holds()} gifts ended.")


@giving_group.command("refund")
@click.argument("public_id")
@click.option("--dry-run", is_flag=True, help="Say what would go back; refund nothing.")
def refund(public_id: str, *, dry_run: bool) -> None:
    """Give the whole of gift PUBLIC_ID back through Stripe, its match with it."""
    gift = queries.gift_view(public_id)
    if gift is None:
        message = "There is no such gift."
        raise click.ClickException(message)
    left = gift.amount - gift.refunded
    if dry_run:
        click.echo(f"{left.typed} {left.currency} would go back; the gift is {gift.state}.")
        return
    try:
        click.echo(f"The gift is {service.refund_gift(public_id)}.")
    except payments.StripeUnreachable as error:
        message = "Stripe could not be reached. Try again: it will be refunded once."
        raise click.ClickException(message) from error
    except payments.StripeRefused as error:
        message = f"Stripe refused: {error.code}."
        raise click.ClickException(message) from error
