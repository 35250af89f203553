"""Commands for letters: see what stands where, try failed ones again. No addresses are shown."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from donorhub.mail import queries, service
from donorhub.mail.model import State

commands = AppGroup("mail", help="Letters: what was sent, what waits, what failed.")


@commands.command("list")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only these.")
@click.option("--limit", default=50, show_default=True, help="At most so many, latest first.")
def list_letters(*, state: str | None, limit: int) -> None:
    """List letters by id and key."""
    found = queries.letter_rows(state=state, limit=limit)
    for row in found:
        note = row.error or row.suppressed_reason or ""
        line = f"{row.id:>8}  {row.state:<10}  {row.attempts:>2} tries  {row.key}  {note}"
        click.echo(line.rstrip())
    click.echo(f"{len(found)} letters.")


@commands.command("retry")
@click.argument("letter_ids", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every failed letter.")
@click.option("--dry-run", is_flag=True, help="Only say which.")
def retry_letters(*, letter_ids: tuple[int, ...], everything: bool, dry_run: bool) -> None:
    """Queue failed letters again: those of LETTER_IDS, or --all."""
    if everything == bool(letter_ids):
        message = "Name the letters, or say --all."
        raise click.UsageError(message)
    chosen = service.retry(None if everything else letter_ids, dry_run=dry_run)
    for letter_id in chosen:
        click.echo(f"letter {letter_id}")
    click.echo(f"{len(chosen)} letters {'would be' if dry_run else 'are'} queued again.")
