"""`make run`: the whole demo as one program in the foreground; Ctrl-C ends all of it."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from donorhub.kit.ports import answers_http, answers_tcp
from donorhub.kit.postgres import (
    PostgresMissing,
    PostgresServer,
    PostgresStartFailed,
    ensure_database,
)
from donorhub.kit.processes import (
    Program,
    ProgramFailed,
    Stopping,
    Supervisor,
    end_with_parent,
)
from donorhub.wiring import development
from donorhub.wiring.development import Ports, PortTaken

ROOT = Path(__file__).parent.parent.parent
_LEAST_BACKPRESSURE = 512


class AlreadyRunning(RuntimeError):
    """Another `make run` serves this instance; the message says how to run a second one."""


EXPECTED = (AlreadyRunning, PortTaken, PostgresMissing, PostgresStartFailed, ProgramFailed)


@dataclass(slots=True, kw_only=True)
class Demo:
    """Everything that `make run` serves, and the order in which it comes and goes."""

    environment: MutableMapping[str, str]
    folder: Path
    ports: Ports
    supervisor: Supervisor
    server: PostgresServer | None = None
    begun: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Start all parts, each as soon as what it needs is there, and say where they are."""
        say = self.supervisor.say
        say(f"DonorHub is starting; its data lives in {self.folder}")
        for moved in self.ports.moved:
            say(moved)
        simulated, caught = self._start_neighbours()
        self.server = ensure_database(self.folder, url=self.environment.get("DATABASE_URL"))
        self.environment["DATABASE_URL"] = self.server.url
        development.remember(self.environment, folder=self.folder)
        self._done("PostgreSQL answers")
        self.supervisor.run(self._program("database", "-m", "flask", "db", "prepare"))
        self._done("the tables and the demo's data are there")
        self.supervisor.start(self._program("worker", "-m", "flask", "jobs", "work"))
        self.supervisor.start(self._web())
        self.supervisor.wait_ready()
        self._done("everything is ready")
        say("")
        say(f"  Site              {self.environment['PUBLIC_URL']}")
        if simulated:
            say(f"  Simulated Stripe  http://127.0.0.1:{self.ports.simulator}")
        if caught:
            say(f"  Mail catcher      http://127.0.0.1:{self.ports.mail_catcher}")
        say("\n  Ctrl-C stops everything.\n")

    def watch(self) -> None:
        """Look after all parts until somebody asks to stop."""
        self.supervisor.watch(also=self._keep_database)

    def stop(self) -> None:
        """End all parts, the database last."""
        self.supervisor.stop()
        if self.server is not None:
            self.server.stop()

    def _start_neighbours(self) -> tuple[bool, bool]:
        """Start what stands in for the outside world; return whether Stripe and the mail do."""
        environment = self.environment
        simulated = development.runs_simulator(environment)
        caught = development.runs_mail_catcher(environment)
        development.fill_in(environment, folder=self.folder, ports=self.ports)
        if simulated:
            self.supervisor.start(self._simulator())
        if caught:
            self.supervisor.start(self._mail_catcher())
        return simulated, caught

    def _simulator(self) -> Program:
        site, port = f"http://127.0.0.1:{self.ports.site}", self.ports.simulator
        command = ["-m", "donorhub.payments.simulator", "--port", str(port)]
        command += ["--state", str(self.folder / "stripe-simulator.db")]
        command += ["--site-url", self.environment["PUBLIC_URL"]]
        command += ["--webhook-url", f"{site}/webhooks/stripe"]
        command += ["--webhook-secret", self.environment["STRIPE_WEBHOOK_SECRET"]]
        return self._program("stripe", *command, port=port)

    def _mail_catcher(self) -> Program:
        port = self.ports.mail_catcher
        command = ["-m", "donorhub.mail.catcher", "--web-port", str(port)]
        command += ["--smtp-port", str(self.ports.mail)]
        command += ["--store", str(self.folder / "letters.db")]
        return self._program("mail", *command, port=port)

    def _web(self) -> Program:
        port = self.ports.site
        threads = int(self.environment.get("WEB_THREADS") or 128)
        command = ["-m", "granian", "--interface", "wsgi", "--port", str(port)]
        command += ["--workers", self.environment.get("WEB_WORKERS") or "2"]
        command += ["--blocking-threads", str(threads)]
        command += ["--backpressure", str(max(threads, _LEAST_BACKPRESSURE))]
        command += ["--http", "1", "--no-ws", "--log-level", "error"]
        command += ["--respawn-failed-workers", "--respawn-interval", "0.5"]
        command += ["--workers-kill-timeout", "3", "wsgi:app"]
        return self._program("web", *command, page="/healthz", port=port)

    def _program(
        self, name: str, *arguments: str, port: int | None = None, page: str | None = None
    ) -> Program:
        ready = None
        if port is not None:
            ready = answers_http(port, page) if page is not None else answers_tcp(port)
        command: Sequence[str] = (sys.executable, *arguments)
        return Program(name=name, command=command, environment=self.environment, ready=ready)

    def _keep_database(self) -> None:
        """Start the database again if it was killed; its address stays the same."""
        if self.server is not None and not self.server.is_running():
            self.supervisor.say("PostgreSQL has stopped; starting it again")
            self.server = ensure_database(self.folder)

    def _done(self, step: str) -> None:
        self.supervisor.say(f"{time.monotonic() - self.begun:6.1f} s  {step}")


def main(environment: MutableMapping[str, str] | None = None) -> int:
    """Serve the demo until told to stop; return the exit code."""
    environment = dict(os.environ) if environment is None else environment
    if "MAKELEVEL" in environment:
        end_with_parent()
    supervisor = Supervisor()
    if environment.get("DONORHUB_ENV") == "production":
        supervisor.say("`make run` serves the demo; DONORHUB_ENV=production does not go with it.")
        return 1
    supervisor.obey_signals()
    try:
        folder = development.instance_folder(environment)
        with _only_one(folder):
            ports = development.choose_ports(environment)
            os.chdir(ROOT)
            demo = Demo(environment=environment, folder=folder, ports=ports, supervisor=supervisor)
            try:
                demo.start()
                demo.watch()
            finally:
                demo.stop()
    except Stopping:
        supervisor.say("Everything has stopped.")
    except EXPECTED as problem:
        supervisor.say(f"DonorHub has stopped: {problem}")
        return 1
    return 0


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Keep a second `make run` off the same data; the lock goes with the process."""
    with (folder / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = (
                f"{folder} is being served already. "
                "For a second site: make run PORT=8100 INSTANCE_DIR=another"
            )
            raise AlreadyRunning(message) from None
        yield


if __name__ == "__main__":
    sys.exit(main())
