"""Jobs of a worker that was killed in the middle go back to the queue, each once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import procrastinate

from donorhub.kit import cli, db, events


def a_job_of_a_dead_worker(name, *, queueing_lock=None, arguments="{}"):
    """A job that a worker took and whose worker has not been heard of for a minute."""
    db.run(
        "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) "
        "VALUES (now() - interval '1 minute') RETURNING id) "
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, queueing_lock, args, "
        "worker_id) SELECT 'default', :name, 'doing', :lock, cast(:arguments AS jsonb), id "
        "FROM dead",
        name=name,
        lock=queueing_lock,
        arguments=arguments,
    )
    db.session.commit()


def revive(app):
    async def once():
        connector = procrastinate.PsycopgConnector(
            conninfo=app.extensions["settings"].database_url, min_size=1, max_size=2
        )
        worker_app = events.job_app(app, connector)
        async with worker_app.open_async():
            return await cli.revive(worker_app)

    # In a thread of its own: a browser test before this one may have left its loop running here.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(once())).result()


def queue():
    found = db.rows("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY 1, 2")
    db.session.rollback()
    return [tuple(row) for row in found]


def test_a_job_whose_worker_died_is_queued_again(context):
    a_job_of_a_dead_worker("payments.handle_event", arguments='{"event_id": "evt_1"}')
    assert revive(context) == 1
    assert queue() == [("payments.handle_event", "todo")]
    assert revive(context) == 0


def test_a_timed_job_whose_successor_waits_already_is_let_go_and_holds_up_no_other(context):
    name = "payments.retry_events"
    a_job_of_a_dead_worker(name, queueing_lock=name)
    a_job_of_a_dead_worker(name, queueing_lock=name)
    a_job_of_a_dead_worker("payments.handle_event", arguments='{"event_id": "evt_1"}')
    db.run(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, queueing_lock) "
        "VALUES ('default', cast(:name AS text), 'todo', cast(:name AS text))",
        name=name,
    )
    db.session.commit()
    revive(context)
    assert queue() == [("payments.handle_event", "todo"), (name, "todo")]
