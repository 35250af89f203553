"""`make run`: what it chooses by itself, what it starts, and that it ends all of it."""

import io
import shutil
import socket
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from donorhub.kit.ports import free_port, is_free
from donorhub.kit.processes import Program, ProgramFailed, Supervisor
from donorhub.wiring import development, run
from donorhub.wiring.development import PortTaken, choose_ports, fill_in, kept_secrets


def four_free_ports():
    first = free_port(26_000)
    while not all(is_free(first + distance) for distance in range(4)):
        first = free_port(first + 1)
    return first


def test_ports_stand_beside_the_one_of_the_site():
    port = four_free_ports()
    ports = choose_ports({"PORT": str(port)})
    beside = (ports.simulator, ports.mail_catcher, ports.mail)
    assert (ports.site, *beside) == (port, port + 1, port + 2, port + 3)
    assert ports.moved == ()


def test_a_port_beside_that_is_taken_is_replaced_and_said():
    port = four_free_ports()
    with socket.create_server(("127.0.0.1", port + 1)):
        ports = choose_ports({"PORT": str(port)})
    assert ports.simulator == port + 2
    assert f"Port {port + 1} is in use; SIMULATOR_PORT is {port + 2} instead." in ports.moved


@pytest.mark.parametrize("variable", ["PORT", "SIMULATOR_PORT", "MAIL_CATCHER_PORT", "MAIL_PORT"])
def test_a_named_port_that_is_taken_is_refused(variable):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"Port {port} is in use"):
            choose_ports({"PORT": str(four_free_ports()), variable: str(port)})


@pytest.mark.parametrize("words", ["http", "0", "70000", "-1", "٨٠"])
def test_a_port_that_is_none_is_refused(words):
    with pytest.raises(PortTaken, match="PORT must be a port from 1 to 65535"):
        choose_ports({"PORT": words})


def test_secrets_are_made_once_and_kept_private(tmp_path):
    first = kept_secrets(tmp_path)
    assert kept_secrets(tmp_path) == first
    assert all(len(value) >= 32 for value in first.values())
    mode = (tmp_path / "development.env").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_what_somebody_has_set_is_left_alone(tmp_path):
    ports = choose_ports({"PORT": str(four_free_ports())})
    own = {"SECRET_KEY": "mine", "PUBLIC_URL": "http://charity.test", "MAIL_SERVER": "smtp.test"}
    environment = dict(own, MAIL_PORT="587")
    fill_in(environment, folder=tmp_path, ports=ports)
    assert own.items() <= environment.items()
    assert environment["MAIL_PORT"] == "587"
    assert environment["STRIPE_API_BASE"] == f"http://127.0.0.1:{ports.simulator}"


def test_a_stripe_key_of_ones_own_is_not_sent_to_the_simulator(tmp_path):
    environment = {"STRIPE_SECRET_KEY": "sk_test_of_my_own"}
    fill_in(environment, folder=tmp_path, ports=choose_ports({"PORT": str(four_free_ports())}))
    assert "STRIPE_API_BASE" not in environment


def test_a_command_in_another_terminal_means_the_same_site(tmp_path, monkeypatch):
    server = development.ensure_database(tmp_path, url="postgresql://somewhere/donorhub")
    monkeypatch.setattr(development, "ensure_database", lambda _folder: server)
    ports = choose_ports({"PORT": str(four_free_ports())})
    served = {"ABUSE_LIMITS": "off"}
    fill_in(served, folder=tmp_path, ports=ports)
    development.remember(served, folder=tmp_path)
    command = {"INSTANCE_DIR": str(tmp_path)}
    development.borrow(command)
    assert command["DATABASE_URL"] == "postgresql://somewhere/donorhub"
    for name in ("PUBLIC_URL", "STRIPE_API_BASE", "MAIL_PORT", "SECRET_KEY"):
        assert command[name] == served[name]


@pytest.mark.parametrize("given", ["DATABASE_URL", "DONORHUB_ENV"])
def test_nothing_is_borrowed_in_production_or_beside_a_named_database(given):
    environment = {given: "production"}
    development.borrow(environment)
    assert environment == {given: "production"}


@pytest.fixture
def demo(monkeypatch):
    """The demo with stand-ins for its programs; its database is real."""

    def stand_in(self, name, *_arguments, port=None, page=None):
        code = "pass" if name == "database" else "import time; time.sleep(60)"
        command = [sys.executable, "-c", code]
        if port is not None:
            command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
        ready = run.answers_tcp(port) if port is not None else None
        return Program(name=name, command=command, environment=self.environment, ready=ready)

    monkeypatch.setattr(run.Demo, "_program", stand_in)
    folder = Path(tempfile.mkdtemp(prefix="donorhub-test-"))
    environment = {"PORT": str(four_free_ports()), "PATH": "/usr/bin:/bin"}
    found = run.Demo(
        environment=environment,
        folder=folder,
        ports=choose_ports(environment),
        supervisor=Supervisor(out=io.StringIO()),
    )
    yield found
    found.stop()
    shutil.rmtree(folder)


def test_the_demo_says_where_everything_is_and_ends_all_of_it(demo):
    demo.start()
    said, ports = demo.supervisor.out.getvalue(), demo.ports
    assert f"Site              http://127.0.0.1:{ports.site}\n" in said
    assert f"Simulated Stripe  http://127.0.0.1:{ports.simulator}\n" in said
    assert f"Mail catcher      http://127.0.0.1:{ports.mail_catcher}\n" in said
    assert demo.server.is_running()
    demo.stop()
    assert not demo.server.is_running()
    assert all(is_free(port) for port in (ports.site, ports.simulator, ports.mail_catcher))


def test_a_database_that_was_killed_comes_back_at_the_same_address(demo):
    demo.server = run.ensure_database(demo.folder)
    address = demo.server.url
    demo.server.stop()
    demo._keep_database()
    assert demo.server.is_running()
    assert demo.server.url == address
    assert "PostgreSQL has stopped; starting it again" in demo.supervisor.out.getvalue()


def test_migrations_that_fail_stop_the_start(demo, monkeypatch):
    broken = Program(name="database", command=[sys.executable, "-c", "raise SystemExit(1)"])
    monkeypatch.setattr(run.Demo, "_program", lambda *_words, **_more: broken)
    with pytest.raises(ProgramFailed, match="database ended with code 1"):
        demo.start()


def test_the_same_instance_is_not_served_twice(tmp_path):
    with run._only_one(tmp_path), pytest.raises(run.AlreadyRunning, match="make run PORT="):
        run._only_one(tmp_path).__enter__()


def test_the_demo_is_not_for_production(capsys):
    assert run.main({"DONORHUB_ENV": "production"}) == 1
    assert "serves the demo" in capsys.readouterr().out
