"""What every test may ask for: a real PostgreSQL, the app on it, and a simulated Stripe."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from donorhub.kit import Settings, cli
from donorhub.kit.postgres import temporary_server
from donorhub.wiring import create_app
from tests.pages import CheckingClient, browsing
from tests.payments.simulator_server import SECRET, RunningSimulator, running_simulator

KEPT = ("ledger_accounts", "alembic_version")


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A server of this worker's own, thrown away at the end."""
    with temporary_server() as server:
        yield server.url


@pytest.fixture(scope="session")
def stripe_simulator() -> Iterator[RunningSimulator]:
    with running_simulator(fee_delay_ms=0) as found:
        yield found


@pytest.fixture(scope="session")
def settings(database_url: str, stripe_simulator: RunningSimulator) -> Settings:
    return Settings(
        database_url=database_url,
        secret_key="a secret of the tests, long enough for anyone",
        public_url="http://127.0.0.1:8000",
        organisation_name="Keeplight",
        stripe_secret_key="sk_test_simulated",
        stripe_webhook_secret=SECRET,
        stripe_api_base=stripe_simulator.url,
        mail_server="127.0.0.1",
        mail_port=9,
        mail_default_sender="letters@keeplight.example.org",
        safeguarding_key="the safeguarding key of the tests",
        abuse_limits=False,
        database_pool=24,
        page_cache_ms=0,
    )


@pytest.fixture(scope="session")
def built_app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    app.config["TESTING"] = True
    app.test_client_class = CheckingClient
    cli.upgrade(app.extensions["engine"])
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def app(built_app: Flask, database_url: str) -> Flask:
    """The app on an empty, migrated database."""
    empty(database_url)
    return built_app


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The app with its context open: for services and queries."""
    with app.app_context():
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def browse(client: FlaskClient):
    """Get a page, checked as every page is, and read: `browse(address, status=200, …)`."""
    return browsing(client)


@pytest.fixture
def strict(app: Flask) -> Iterator[Flask]:
    """The app with the limits against abuse in force, as in production."""
    relaxed = app.extensions["settings"]
    app.extensions["settings"] = dataclasses.replace(relaxed, abuse_limits=True)
    yield app
    app.extensions["settings"] = relaxed


def empty(url: str) -> None:
    """Forget everything but what the migrations wrote (their guards stand aside for it)."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        found = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(%s)",
            (list(KEPT),),
        ).fetchall()
        # Many small deletes take a tenth of the time of one TRUNCATE, which makes new files.
        deletes = [f'DELETE FROM "{row[0]}"' for row in found]
        connection.execute("; ".join(deletes))
        connection.execute(
            "SELECT setval(format('%I', sequencename)::regclass, start_value, false) "
            "FROM pg_sequences WHERE schemaname = 'public'"
        )
