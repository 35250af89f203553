"""One place commits; a job lives exactly if its data does; nobody waits for a stranger inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import IntegrityError, StatementError

from donorhub import payments
from donorhub.kit import (
    Base,
    Money,
    UtcDateTime,
    clock,
    db,
    defer,
    events,
    publish,
    refuse_open_work,
    session,
    unit_of_work,
)


@dataclass(frozen=True)
class SomethingHappened:
    gift_id: int


def remember(key="1"):
    db.run("INSERT INTO rate_limits (key, hits, expires_at) VALUES (:key, 1, 1)", key=key)


def remembered():
    session.rollback()
    return db.one("SELECT count(*) AS n FROM rate_limits").n


def jobs():
    session.rollback()
    return db.one("SELECT count(*) AS n FROM procrastinate_jobs").n


def fail_after(*steps):
    with unit_of_work():
        for step in steps:
            step()
        raise LookupError


def test_everything_inside_is_kept(context):
    with unit_of_work():
        remember("1")
        remember("2")
    assert remembered() == 2


def test_nothing_is_kept_when_it_fails(context):
    with pytest.raises(LookupError):
        fail_after(remember)
    assert remembered() == 0


def test_a_refusal_by_the_database_leaves_a_usable_session(context):
    with pytest.raises(IntegrityError):
        fail_after(remember, remember)
    with unit_of_work():
        remember()
    assert remembered() == 1


def test_it_does_not_nest(context):
    with pytest.raises(RuntimeError, match="already open"):
        fail_after(remember, lambda: fail_after(remember))
    assert remembered() == 0
    assert not db.in_unit_of_work()


def test_the_network_is_refused_inside(context):
    with pytest.raises(RuntimeError, match="network"), unit_of_work():
        refuse_open_work()
    with pytest.raises(RuntimeError, match="network"), unit_of_work():
        payments.gateway().refund("pi_1", Money(100, "CAD"), key="k")


def test_no_connection_is_held_while_the_network_is_used(context):
    db.one("SELECT 1")
    assert session().in_transaction()
    refuse_open_work()
    assert not session().in_transaction()


def test_a_job_lives_exactly_if_its_data_does(context):
    with unit_of_work():
        defer("mail.send_letter", letter_id=1)
    assert jobs() == 1
    with pytest.raises(LookupError):
        fail_after(lambda: defer("mail.send_letter", letter_id=2))
    assert jobs() == 1


def test_a_job_cannot_be_deferred_outside(context):
    with pytest.raises(RuntimeError, match="inside a unit of work"):
        defer("mail.send_letter", letter_id=1)
    assert jobs() == 0


def test_an_event_becomes_one_job_for_each_listener(context, monkeypatch):
    table = {SomethingHappened: ("mail.send_due", "payments.retry_events")}
    monkeypatch.setitem(context.extensions, "subscribers", table)
    with pytest.raises(LookupError):
        fail_after(lambda: publish(SomethingHappened(7)))
    assert jobs() == 0
    with unit_of_work():
        publish(SomethingHappened(7))
    found = db.rows("SELECT task_name, args FROM procrastinate_jobs ORDER BY task_name")
    assert [row.task_name for row in found] == list(table[SomethingHappened])
    assert [row.args for row in found] == [{"gift_id": 7}] * 2


def test_a_job_with_a_timetable_never_queues_up_behind_itself(context):
    task = context.extensions["jobs"].tasks["mail.send_due"]
    assert task.queueing_lock == "mail.send_due"
    assert set(events.job_names()) <= context.extensions["jobs"].tasks.keys()


def test_a_naive_time_is_refused_before_it_is_stored():
    kind = UtcDateTime()
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="aware"):
        kind.process_bind_param(naive, None)
    east = datetime(2026, 1, 1, 5, tzinfo=timezone(timedelta(hours=5)))
    assert kind.process_result_value(east, None) == datetime(2026, 1, 1, tzinfo=UTC)
    assert kind.process_result_value(east, None).tzinfo is UTC
    assert kind.process_bind_param(None, None) is kind.process_result_value(None, None) is None


def test_a_naive_time_in_a_row_is_refused(context):
    from donorhub.giving import Gift

    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused
    with pytest.raises(StatementError, match="aware"):
        session.query(Gift).filter(Gift.created_at < naive).all()
    assert isinstance(Base.metadata.tables["gifts"].c.created_at.type, UtcDateTime)


def test_the_clock_is_aware_and_can_be_stopped():
    assert clock.now().tzinfo is UTC
    with clock.stopped(datetime(2026, 1, 31, tzinfo=UTC)) as stopped:
        assert clock.now() == clock.now()
        assert (
            stopped.advance(days=1, hours=2) == clock.now() == datetime(2026, 2, 1, 2, tzinfo=UTC)
        )
    with pytest.raises(ValueError, match="aware"), clock.stopped(datetime(2026, 1, 1)):  # noqa: DTZ001
        pass
    assert clock.now().year >= 2026
