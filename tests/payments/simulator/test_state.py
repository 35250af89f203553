"""What is kept across a restart, and the process itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from tests.payments.simulator_server import (
    SECRET,
    assert_soon,
    client_for,
    running_receiver,
    running_simulator,
    session_params,
)


def test_everything_but_faults_and_the_log_survives_a_restart(tmp_path):
    state = str(tmp_path / "state" / "simulator.db")
    with running_simulator(state=state) as running:
        options = {"idempotency_key": "gift-1"}
        made = running.client.v1.checkout.sessions.create(session_params(), options)
        requests.post(f"{running.url}/_sim/checkout/{made.id}/pay", timeout=5)
        requests.post(f"{running.url}/_sim/clock", json={"advance": "1h"}, timeout=5)
    with running_simulator(state=state) as running:
        again = running.client.v1.checkout.sessions.create(session_params(), options)
        assert again.id == made.id
        assert running.client.v1.checkout.sessions.retrieve(made.id).payment_status == "paid"
        assert len(running.client.v1.events.list().data) == 4
        assert requests.get(f"{running.url}/_sim/clock", timeout=5).json()["offset_seconds"] == 3600


def test_undelivered_events_are_delivered_after_a_restart(tmp_path):
    state = str(tmp_path / "simulator.db")
    with running_receiver() as receiver:
        with running_simulator(receiver.url, state=state) as running:
            requests.post(f"{running.url}/_sim/behaviour", json={"hold_webhooks": 1}, timeout=5)
            made = running.client.v1.checkout.sessions.create(session_params())
            requests.post(f"{running.url}/_sim/checkout/{made.id}/pay", timeout=5)
        assert receiver.deliveries == []
        with running_simulator(receiver.url, state=state):
            receiver.wait_for("checkout.session.completed")
            receiver.wait_for("charge.updated")


@pytest.mark.slow
@pytest.mark.parametrize("ends_by", [signal.SIGTERM, signal.SIGKILL])
def test_the_process_serves_and_its_state_survives_how_it_ended(tmp_path, ends_by):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    state = tmp_path / "simulator.db"
    command = [sys.executable, "-m", "donorhub.payments.simulator", "--port", str(port)]
    command += ["--state", str(state), "--webhook-secret", SECRET]

    def start():
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        assert_soon(lambda: process.poll() is None and _answers(url), 30)
        return process

    process = start()
    client = client_for(url)
    made = client.v1.checkout.sessions.create(session_params())
    requests.post(f"{url}/_sim/checkout/{made.id}/pay", timeout=5)
    time.sleep(0.2)
    os.kill(process.pid, ends_by)
    process.wait(timeout=20)
    assert_soon(lambda: not _answers(url), 10)
    process = start()
    try:
        assert client_for(url).v1.checkout.sessions.retrieve(made.id).payment_status == "paid"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/_sim/clock", timeout=1).ok
    except requests.ConnectionError:
        return False
