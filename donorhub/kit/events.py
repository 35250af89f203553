"""Events and jobs: what happened commits together with the work that follows from it.

Procrastinate keeps the jobs in the same PostgreSQL. A job is deferred on the session's
own connection, so it exists exactly if the data that caused it does.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

import procrastinate
import structlog
from flask import Flask, current_app

from donorhub.kit.db import in_unit_of_work, session

log = structlog.get_logger()

P = ParamSpec("P")
R = TypeVar("R")


@dataclasses.dataclass(frozen=True, slots=True)
class JobSpec:
    """A named piece of work, and the timetable it keeps if it has one."""

    name: str
    run: Callable[..., object]
    every: str | None
    queue: str
    lock: str | None


class JobFailed(RuntimeError):
    """A job raised; only the names are passed on, because a traceback shows people's data."""


_JOBS: dict[str, JobSpec] = {}


def job(
    name: str, *, every: str | None = None, queue: str = "default", lock: str | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register an idempotent job; ``every`` is a cron line (six fields count seconds last).

    Jobs with a timetable never queue up behind themselves.
    """

    def register(function: Callable[P, R]) -> Callable[P, R]:
        _JOBS[name] = JobSpec(name, function, every, queue, lock)
        return function

    return register


def init_app(app: Flask, database_url: str, subscribers: Mapping[type, Iterable[str]]) -> None:
    """Attach the job app that defers in this process, and the table of who listens to what."""
    connector = procrastinate.SyncPsycopgConnector(conninfo=database_url)
    app.extensions["jobs"] = job_app(app, connector)
    app.extensions["subscribers"] = {kind: tuple(names) for kind, names in subscribers.items()}


def job_app(app: Flask, connector: procrastinate.BaseConnector) -> procrastinate.App:
    """Return a Procrastinate app that knows every registered job.

    A worker has one of its own, with an asynchronous connector, so that what its jobs defer
    still goes through the session's own connection.
    """
    jobs = procrastinate.App(connector=connector)
    for spec in _JOBS.values():
        _add_task(app, jobs, spec)
    return jobs


def _add_task(app: Flask, jobs: procrastinate.App, spec: JobSpec) -> None:
    @functools.wraps(spec.run)
    def in_app_context(**arguments: Any) -> None:
        arguments.pop("timestamp", None)
        with app.app_context():
            try:
                spec.run(**arguments)
            except Exception as error:  # noqa: BLE001 - told without its values, then raised
                log.error("job.failed", job=spec.name, error=type(error).__name__)
                raise JobFailed(spec.name, type(error).__name__) from None

    queueing_lock = spec.name if spec.every else None
    task = jobs.task(name=spec.name, queue=spec.queue, lock=spec.lock, queueing_lock=queueing_lock)(
        in_app_context
    )
    if spec.every:
        jobs.periodic(cron=spec.every, periodic_id=spec.name)(task)  # type: ignore[arg-type]


def defer(name: str, **arguments: object) -> None:
    """Queue a job inside the open unit of work; it vanishes if the unit does."""
    if not in_unit_of_work():
        message = f"{name} must be deferred inside a unit of work"
        raise RuntimeError(message)
    jobs: procrastinate.App = current_app.extensions["jobs"]
    connection = session.connection().connection.driver_connection
    jobs.configure_task(name, connection=connection).defer(**arguments)  # type: ignore[arg-type]


def publish(event: object) -> None:
    """Tell every listener, by one job each, in the open unit of work."""
    arguments = {
        field.name: getattr(event, field.name)
        for field in dataclasses.fields(event)  # type: ignore[arg-type]
    }
    for name in current_app.extensions["subscribers"].get(type(event), ()):
        defer(name, **arguments)


def job_names() -> tuple[str, ...]:
    """Return every registered job's name."""
    return tuple(_JOBS)


def run_now(name: str, **arguments: object) -> None:
    """Run a registered job here and now (tests, commands)."""
    _JOBS[name].run(**arguments)
