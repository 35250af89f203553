"""Stripe's side, reset for each test, and a gateway that does not wait long."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from stripe._http_client import HTTPClient

from donorhub.payments import Gateway
from tests.builders import a_campaign, a_match
from tests.payments.simulator_server import RunningSimulator
from tests.payments.stripe_side import StripeSide

# The package's name `gateway` is its function; this is the module.
gateway_module = importlib.import_module("donorhub.payments.gateway")


@pytest.fixture
def stripe_side(
    context: Flask, client: FlaskClient, stripe_simulator: RunningSimulator
) -> Iterator[StripeSide]:
    side = StripeSide(stripe_simulator, client)
    side.control("/behaviour", reset=True)
    side.control("/reset")
    side.forget_requests()
    yield side
    side.control("/behaviour", reset=True)
    side.control("/clock", reset=True)


@pytest.fixture
def matched(context: Flask) -> int:
    """A campaign with a match of 1,000 dollars."""
    campaign = a_campaign()
    a_match(campaign, cap="1000", slots=4)
    return campaign


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses between tries be short; how many there are stays as it is."""
    monkeypatch.setattr(HTTPClient, "INITIAL_DELAY", 0.01)
    monkeypatch.setattr(HTTPClient, "MAX_DELAY", 0.02)
    monkeypatch.setattr(gateway_module, "LIMITED_PAUSES_MS", (2, 2, 2))


@pytest.fixture
def impatient(quick: None, context: Flask, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A gateway that waits a fifth of a second instead of ten, once."""
    monkeypatch.setattr(gateway_module, "READ_SECONDS", 0.2)
    monkeypatch.setattr(gateway_module, "NETWORK_RETRIES", 0)
    made = Gateway(context.extensions["settings"])
    monkeypatch.setitem(context.extensions, "gateway", made)
    return made
