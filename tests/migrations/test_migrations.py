"""The schema goes up, down and up again on a filled database, also with two at once."""

from __future__ import annotations

import threading

import psycopg
import pytest

from donorhub.kit import cli, db
from donorhub.kit.postgres import temporary_server
from donorhub.wiring import demo
from tests.invariants import broken


@pytest.fixture
def filled(app):
    """The app's own database, holding the whole demo."""
    with app.app_context():
        demo.seed()
    return app


def tables(url):
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row[0] for row in found}


def test_a_filled_database_goes_down_to_nothing_and_up_again(filled, database_url):
    engine = filled.extensions["engine"]
    before = tables(database_url)
    cli.downgrade(engine, "base")
    assert tables(database_url) == {"alembic_version"}
    cli.upgrade(engine)
    assert tables(database_url) == before
    with filled.app_context():
        demo.seed()
        assert broken() == []


def test_nothing_of_ours_is_left_behind_by_going_down(filled, database_url):
    engine = filled.extensions["engine"]
    cli.downgrade(engine, "base")
    with psycopg.connect(database_url) as connection:
        functions = connection.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()
        types = connection.execute(
            "SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace "
            "AND typname NOT LIKE '%alembic%'"
        ).fetchall()
    cli.upgrade(engine)
    assert functions == []
    assert types == []


def test_two_processes_that_migrate_at_once_do_it_once():
    with temporary_server() as server:
        errors = []
        engines = [db.make_engine(server.url) for _ in range(3)]

        def migrate(engine):
            try:
                cli.upgrade(engine)
            except Exception as error:  # noqa: BLE001 - told to the test's own thread
                errors.append(error)

        threads = [threading.Thread(target=migrate, args=(engine,)) for engine in engines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for engine in engines:
            engine.dispose()
        assert errors == []
        with psycopg.connect(server.url) as connection:
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        assert found == [(cli.newest_revision(),)]
