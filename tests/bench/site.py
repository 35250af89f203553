"""The site under test: the demo as `make run` starts it, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from flask import Flask

from donorhub.kit import Settings
from donorhub.kit.ports import answers_http, free_port
from donorhub.wiring import create_app, development

ROOT = Path(__file__).parent.parent.parent
START_WITHIN = 120.0
STOP_WITHIN = 30.0
FIRST_PORT = 9300
OWN_CONNECTIONS = 4


@dataclass(slots=True)
class Site:
    """A running demo, its processes, and an app of ours on the same database."""

    process: subprocess.Popen[str]
    folder: Path
    port: int
    started_in: float
    app: Flask
    simulator: str

    def web_command(self) -> list[str]:
        """Return how `make run` starts the web server, to start another one just so."""
        return self._part("wsgi:app").cmdline()

    def environment(self) -> dict[str, str]:
        """Return the environment of the web server."""
        return self._part("wsgi:app").environ()

    def _part(self, sign: str) -> psutil.Process:
        found = [p for p in self._processes() if sign in p.cmdline()]
        return min(found, key=lambda p: p.create_time())

    def _processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def cpu_seconds(self) -> dict[str, float]:
        """Return the processor time used so far by each part, and by ourselves."""
        spent = {"web": 0.0, "stripe": 0.0, "postgres": 0.0, "worker": 0.0, "generator": 0.0}
        for process in self._processes():
            try:
                times, part = process.cpu_times(), _part_of(process)
            except psutil.Error:
                continue
            if part:
                spent[part] += times.user + times.system
        own = psutil.Process().cpu_times()
        spent["generator"] = own.user + own.system
        return spent


def machine_busy_seconds() -> float:
    """Return the processor time that anybody on this machine has used so far."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return sum(times) - idle - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)


_known: dict[tuple[int, float], str] = {}


def _part_of(process: psutil.Process) -> str:
    """Name the part that a process belongs to, by the command of its nearest named ancestor."""
    key = (process.pid, process.create_time())
    if key not in _known:
        words = " ".join(process.cmdline())
        signs = {
            "wsgi:app": "web",
            "payments.simulator": "stripe",
            "postgres": "postgres",
            "jobs work": "worker",
        }
        found = next((part for sign, part in signs.items() if sign in words), "")
        if not found and (parent := process.parent()) is not None and parent.pid != os.getpid():
            found = _part_of(parent)
        _known[key] = found
    return _known[key]


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Start the demo in a folder and stop it at the end; what it printed lies in run.log."""
    port = free_port(FIRST_PORT)
    own = {"INSTANCE_DIR": str(folder), "PORT": str(port), "ABUSE_LIMITS": "off"}
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with (folder / "run.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "donorhub.wiring.run"],
            cwd=ROOT,
            env=_inherited() | own,
            stdout=log,
            stderr=log,
            text=True,
        )
    try:
        started_in = _wait_until_ready(process, folder, port, begun)
        environment = {**_inherited(), **own, "DATABASE_POOL": str(OWN_CONNECTIONS)}
        development.borrow(environment)
        app = create_app(Settings.from_env(environment))
        yield Site(process, folder, port, started_in, app, environment["STRIPE_API_BASE"])
        app.extensions["engine"].dispose()
    finally:
        process.terminate()
        process.wait(timeout=STOP_WITHIN)


def _inherited() -> dict[str, str]:
    """Return our environment without what would lead the demo elsewhere."""
    foreign = (
        "STRIPE_",
        "MAIL_",
        "DATABASE_",
        "PUBLIC_URL",
        "SIMULATOR_",
        "PAGE_CACHE",
        "MAKE",
        "PYTHONDONTWRITEBYTECODE",
    )
    return {k: v for k, v in os.environ.items() if not k.startswith(foreign)}


def _wait_until_ready(
    process: subprocess.Popen[str], folder: Path, port: int, begun: float
) -> float:
    said = folder / "run.log"
    before = said.read_text(encoding="utf-8").count("everything is ready")
    while time.monotonic() - begun < START_WITHIN and process.poll() is None:
        now_said = said.read_text(encoding="utf-8").count("everything is ready")
        if now_said > before and answers_http(port, "/healthz")():
            return time.monotonic() - begun
        time.sleep(0.05)
    message = f"the demo did not start; see {said}"
    raise RuntimeError(message)


@contextmanager
def another_web_server(
    site: Site, *, app: str = "wsgi:app", page: str = "/healthz", **environment: str
) -> Iterator[int]:
    """Start one more web server with the very options of the site's; yield its port."""
    port = free_port(FIRST_PORT + 50)
    command = [app if word == "wsgi:app" else word for word in site.web_command()]
    command[command.index("--port") + 1] = str(port)
    process = subprocess.Popen(
        command, cwd=ROOT, env=site.environment() | environment, start_new_session=True
    )
    try:
        deadline = time.monotonic() + START_WITHIN
        while not answers_http(port, page)():
            if process.poll() is not None or time.monotonic() > deadline:
                message = f"{app} did not start"
                raise RuntimeError(message)
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=STOP_WITHIN)


def forget(folder: Path) -> None:
    """Remove what an earlier run left."""
    shutil.rmtree(folder, ignore_errors=True)
