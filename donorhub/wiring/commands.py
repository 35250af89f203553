"""Commands that see the whole house."""

from __future__ import annotations

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from donorhub import giving, mail, payments, stories
from donorhub.kit import cli, db
from donorhub.wiring import demo

ledger_group = AppGroup("ledger", help="The journal, and every promise of the house.")
demo_group = AppGroup("demo", help="The demo's charity, its stories and gifts.")
WORST = 20


@ledger_group.command("check")
def check() -> None:
    """Hold the database against every invariant; exit 1 and name the rows if one is broken."""
    from donorhub.wiring.parts import invariants

    broken = 0
    for invariant in invariants():
        found = list(invariant.find())
        db.session.rollback()
        broken += bool(found)
        click.echo(f"{'BROKEN' if found else 'holds '} {invariant.code:<4} {invariant.promise}")
        for row in found[:WORST]:
            click.echo(f"         {row}")
        if len(found) > WORST:
            click.echo(f"         and {len(found) - WORST} more")
    if broken:
        raise SystemExit(1)


@demo_group.command("seed")
@click.option("--dry-run", is_flag=True, help="Only read the demo's content.")
def seed(*, dry_run: bool) -> None:
    """Write the demo's stories, campaigns, match and gifts; safe to run twice."""
    click.echo(demo.seed(dry_run=dry_run))


@cli.database.command("prepare")
def prepare() -> None:
    """Bring the schema up to date and write the demo, in one go."""
    cli.upgrade(current_app.extensions["engine"])
    click.echo(demo.seed())


def init_app(app: Flask) -> None:
    """Add every package's commands."""
    groups = (
        ledger_group,
        demo_group,
        giving.giving_group,
        mail.commands,
        payments.payments_group,
        stories.commands,
    )
    for group in groups:
        app.cli.add_command(group)
