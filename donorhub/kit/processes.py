"""A small supervisor: several programs run as one, and end as one."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TextIO

PATIENCE = 5.0
# A server told to end while it is still starting may hang: it is given less time.
PATIENCE_WHILE_STARTING = 1.0
RESTARTS = 5
SETTLED_AFTER = 60.0
_PAUSE = 0.05
_COLOURS = (36, 33, 35, 32, 34, 31)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Stopping(Exception):
    """Somebody asked us to stop: Ctrl-C, a SIGTERM, or the terminal is gone."""


class ProgramFailed(RuntimeError):
    """A program ended that had to go on, or never became ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run, and how one sees that it is ready; `ready_within` in seconds."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    ready: Callable[[], bool] | None = None
    ready_within: float = 60.0


@dataclass(slots=True, kw_only=True)
class _Child:
    """One program that runs, or waits to be started again."""

    program: Program
    process: subprocess.Popen[str]
    started_at: float
    is_ready: bool = False
    failures: int = 0
    again_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Starts programs, prints what they say under their names, restarts those that die."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    stop_requested: bool = False
    _children: dict[str, _Child] = field(default_factory=dict)
    _speaking: threading.Lock = field(default_factory=threading.Lock)

    def obey_signals(self) -> None:
        """Take Ctrl-C, SIGTERM and a closed terminal as the wish to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: object) -> None:
        if self.stop_requested:  # asked twice: no more patience
            self._kill(list(self._children.values()))
        self.stop_requested = True

    def start(self, program: Program) -> None:
        """Start a program in a process group of its own; it ends at the latest with us."""
        self._children[program.name] = _Child(
            program=program, process=self._spawn(program), started_at=time.monotonic()
        )

    def run(self, program: Program) -> None:
        """Run a program to its end; raises ProgramFailed if it ends badly."""
        self.start(program)
        process = self._children[program.name].process
        while process.poll() is None:
            self._pause()
        self._children.pop(program.name)
        if process.returncode != 0:
            message = f"{program.name} {_ending(process.returncode)}"
            raise ProgramFailed(message)

    def wait_ready(self, *names: str) -> None:
        """Return when these, or all, are ready; raises ProgramFailed if one will not be."""
        for child in [self._children[name] for name in names or tuple(self._children)]:
            while not self._check_ready(child):
                if (code := child.process.poll()) is not None:
                    message = f"{child.program.name} {_ending(code)}"
                    raise ProgramFailed(message)
                if time.monotonic() - child.started_at > child.program.ready_within:
                    within = f"{child.program.ready_within:.0f} s"
                    message = f"{child.program.name} was not ready within {within}"
                    raise ProgramFailed(message)
                self._pause()

    def watch(self, *, also: Callable[[], None] = lambda: None) -> None:
        """Keep everything running until somebody asks us to stop; `also` is called meanwhile.

        Raises Stopping when asked, ProgramFailed when a program dies again and again.
        """
        while True:
            for child in list(self._children.values()):
                self._look_after(child)
            also()
            self._pause()

    def stop(self, *, patience: float = PATIENCE) -> None:
        """End every program and all it started: SIGTERM first, SIGKILL to what is left."""
        self.stop_requested = True
        children = [child for child in self._children.values() if child.again_at is None]
        begun = time.monotonic()
        for child in children:
            _signal_group(child.process, signal.SIGTERM)
        while running := [child for child in children if child.process.poll() is None]:
            waited = time.monotonic() - begun
            late = [c for c in running if waited > _patience_with(c, patience)]
            self._kill(late)
            time.sleep(_PAUSE)
        self._kill(children)  # whatever they left behind in their groups
        self._children.clear()

    def say(self, line: str, *, name: str = "") -> None:
        """Print one line, whole, under the name of the program that said it."""
        with self._speaking, suppress(OSError, ValueError):  # a closed terminal stops nothing
            self.out.write(f"{self._prefix(name)}{line}\n")
            self.out.flush()

    def _prefix(self, name: str) -> str:
        if not name:
            return ""
        if not self.out.isatty() or os.environ.get("NO_COLOR"):
            return f"{name:>9} | "
        colour = _COLOURS[sum(name.encode()) % len(_COLOURS)]
        return f"\x1b[{colour}m{name:>9} |\x1b[0m "

    def _pause(self) -> None:
        if self.stop_requested:
            raise Stopping
        time.sleep(_PAUSE)

    def _spawn(self, program: Program) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=program.environment,
            start_new_session=True,
            preexec_fn=ends_with_parent(signal.SIGTERM),  # noqa: PLW1509 - calls prctl, no lock
        )
        reader = threading.Thread(target=self._relay, args=(program.name, process.stdout))
        reader.daemon = True
        reader.start()
        return process

    def _relay(self, name: str, words: IO[str]) -> None:
        with words:
            for line in words:
                self.say(line.rstrip("\n"), name=name)

    def _check_ready(self, child: _Child) -> bool:
        if not child.is_ready and child.process.poll() is None:
            child.is_ready = child.program.ready is None or child.program.ready()
        return child.is_ready

    def _look_after(self, child: _Child) -> None:
        """Start a program again that has died, later each time, and not for ever."""
        now = time.monotonic()
        if child.again_at is not None:
            if now >= child.again_at:
                child.process = self._spawn(child.program)
                child.started_at, child.again_at, child.is_ready = now, None, False
            return
        if child.process.poll() is None:
            if not child.is_ready and now - child.started_at < child.program.ready_within:
                self._check_ready(child)
            return
        self._kill([child])
        name, how = child.program.name, _ending(child.process.returncode)
        settled = now - child.started_at > SETTLED_AFTER
        child.failures = 1 if settled else child.failures + 1
        if child.failures > RESTARTS:
            message = f"{name} {how}, {child.failures} times in a row"
            raise ProgramFailed(message)
        delay = 0.25 * 2**child.failures
        child.again_at = now + delay
        self.say(f"{how}; starting it again in {delay:g} s", name=name)

    def _kill(self, children: list[_Child]) -> None:
        for child in children:
            _signal_group(child.process, signal.SIGKILL)


def ends_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return what a child runs first, so that it gets this signal when its parent dies.

    Linux only; elsewhere it does nothing. Start such children from a thread that lives on.
    """
    parent = os.getpid()

    def tie() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(number))
            if os.getppid() != parent:  # it died before we could ask
                os._exit(1)

    return tie


def end_with_parent() -> None:
    """Ask for SIGTERM when the process that started us dies."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _patience_with(child: _Child, patience: float) -> float:
    return patience if child.is_ready else min(patience, PATIENCE_WHILE_STARTING)


def _ending(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
