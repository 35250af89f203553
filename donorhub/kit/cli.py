"""Commands of the ground floor: the schema and the worker."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path

import click
import procrastinate
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask.cli import AppGroup
from flask.globals import app_ctx
from sqlalchemy import Engine, text

from donorhub.kit import assets, events

ROOT = Path(__file__).parent.parent.parent
ONE_AT_A_TIME = 7_301_001

database = AppGroup("db", help="The database's schema.")
jobs = AppGroup("jobs", help="Background work.")
assets_group = AppGroup("assets", help="Static files.")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema up to a revision; several processes may try at once."""
    _migrate(engine, lambda config: command.upgrade(config, revision))


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to a revision."""
    _migrate(engine, lambda config: command.downgrade(config, revision))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


@cache
def newest_revision() -> str:
    """Return the revision of the schema that this code was written for."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _migrate(engine: Engine, run) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    config = _config()
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        connection.commit()
        config.attributes["connection"] = connection
        try:
            run(config)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})
            connection.commit()


@database.command("upgrade")
@click.argument("revision", default="head")
def upgrade_command(revision: str) -> None:
    """Bring the schema up to date."""
    upgrade(current_app.extensions["engine"], revision)
    click.echo(f"The schema is at {revision}.")


@database.command("downgrade")
@click.argument("revision")
@click.confirmation_option(prompt="Tables of later revisions are dropped. Go on?")
def downgrade_command(revision: str) -> None:
    """Take the schema back to REVISION (or to base)."""
    downgrade(current_app.extensions["engine"], revision)
    click.echo(f"The schema is at {revision}.")


@database.command("revision")
@click.argument("message")
@click.option("--dry-run", is_flag=True, help="Only say after which revision it would come.")
def revision_command(message: str, *, dry_run: bool) -> None:
    """Begin a new revision of the schema, to be filled in by hand."""
    newest = newest_revision()
    if not dry_run:
        command.revision(_config(), message=message, rev_id=f"{int(newest or 0) + 1:04}")
    click.echo(f"After {newest}: {message}")


@assets_group.command("build")
def build_assets() -> None:
    """Join, hash and compress the static files."""
    files = assets.build(ROOT / "static")
    click.echo(f"Built {len(files)} files.")


@jobs.command("work")
@click.option("--concurrency", default=4, show_default=True, help="Jobs done at the same time.")
@click.option("--once", is_flag=True, help="Stop when nothing is left to do.")
def work(*, concurrency: int, once: bool) -> None:
    """Work off jobs until told to stop; any number of workers may run."""
    asyncio.run(_work(app_ctx.app, concurrency=concurrency, once=once))


async def _work(app: Flask, *, concurrency: int, once: bool) -> None:
    url: str = app.extensions["settings"].database_url
    connector = procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=4)
    worker_app = events.job_app(app, connector)
    async with worker_app.open_async():
        await revive(worker_app)
        loop = asyncio.get_running_loop()
        running = asyncio.ensure_future(
            worker_app.run_worker_async(
                wait=not once,
                concurrency=concurrency,
                install_signal_handlers=False,
                delete_jobs="successful",
                fetch_job_polling_interval=1.0,
                stalled_worker_timeout=20.0,
                update_heartbeat_interval=5.0,
                shutdown_graceful_timeout=20.0,
            )
        )
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, running.cancel)
        reviving = asyncio.ensure_future(_keep_reviving(worker_app))
        try:
            await running
        except asyncio.CancelledError:
            click.echo("The worker has stopped.")
        finally:
            reviving.cancel()


async def _keep_reviving(worker_app: procrastinate.App) -> None:
    while True:
        await asyncio.sleep(10)
        with suppress(procrastinate.exceptions.ConnectorException):  # again in ten seconds
            await revive(worker_app)


async def revive(worker_app: procrastinate.App) -> int:
    """Hand jobs of workers that died in the middle back to the queue."""
    manager = worker_app.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=20))
    for job in stalled:
        try:
            await manager.retry_job(job)
        except procrastinate.exceptions.UniqueViolation:  # its timetable has queued the next one
            await manager.finish_job(job, procrastinate.jobs.Status.FAILED, delete_job=True)
    return len(stalled)


def init_app(app: Flask) -> None:
    """Add the commands."""
    for group in (database, jobs, assets_group):
        app.cli.add_command(group)
