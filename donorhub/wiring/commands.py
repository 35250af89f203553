"""Commands that see the whole house."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask, current_app, render_template
from flask.cli import AppGroup
from flask_babel import force_locale

from donorhub import giving, mail, payments, stories
from donorhub.kit import cli, db, locales
from donorhub.wiring import demo, routes

ledger_group = AppGroup("ledger", help="The journal, and every promise of the house.")
docs_group = AppGroup("docs", help="The generated pages of docs/.")
letters_group = AppGroup("letters", help="What letters look like.")
demo_group = AppGroup("demo", help="The demo's charity, its stories and gifts.")
WORST = 20
ROUTES = Path(__file__).parent.parent.parent / "docs" / "routes.txt"


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


@docs_group.command("write")
@click.option("--dry-run", is_flag=True, help="Only say whether a page is stale.")
def write_docs(*, dry_run: bool) -> None:
    """Write the generated pages again; exit 1 if one was stale."""
    page = ROUTES.read_text(encoding="utf-8") if ROUTES.exists() else ""
    listing = routes.listing(current_app)
    if page == listing:
        click.echo("docs/routes.txt is as it should be.")
        return
    if not dry_run:
        ROUTES.write_text(listing, encoding="utf-8")
    click.echo(f"docs/routes.txt {'is' if dry_run else 'was'} stale.")
    raise SystemExit(1)


@letters_group.command("render")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def render_letters(folder: Path, *, dry_run: bool) -> None:
    """Write the newest gift's letter, in every language, below FOLDER, to be looked at."""
    row = db.one(
        "SELECT public_id FROM gifts WHERE state = 'received' ORDER BY received_at DESC LIMIT 1"
    )
    if row is None:
        message = "There is no received gift to write about yet."
        raise click.ClickException(message)
    name = giving.letters.GIFT_THANKS
    for locale in () if dry_run else locales.LOCALES:
        target = folder / name / locale
        target.mkdir(parents=True, exist_ok=True)
        with force_locale(locale):
            shown = giving.letters.gift_thanks_content({"gift": row.public_id}, locale)
            for part in ("subject.txt", "body.txt", "body.html"):
                text = render_template(f"letters/{name}/{part}", **shown)
                (target / part).write_text(text, encoding="utf-8")
    click.echo(f"Written below {folder}.")


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
        letters_group,
        demo_group,
        docs_group,
        giving.giving_group,
        mail.commands,
        payments.payments_group,
        stories.commands,
    )
    for group in groups:
        app.cli.add_command(group)
