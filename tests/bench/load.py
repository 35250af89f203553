"""A cheap load generator: many kept-alive HTTP/1.1 connections in one thread.

Each visitor is a generator: it yields the bytes of a request and is sent the answer. The loop
does nothing between the two but one receive and one send, so that it costs little of the
machine which it shares with the site.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

PIECE = 262_144


class Answer(NamedTuple):
    """What came back: status, raw head, body, and the nanoseconds it took."""

    status: int
    head: bytes
    body: bytes
    spent: int

    def header(self, name: bytes) -> bytes:
        """Return a header by its lower-case name, or nothing."""
        at = self.head.lower().find(b"\r\n" + name + b": ")
        if at < 0:
            return b""
        begin = at + len(name) + 4
        end = self.head.find(b"\r\n", begin)
        return self.head[begin : end if end >= 0 else None]


Visit = Generator[bytes, Answer, None]


class ConnectionLost(RuntimeError):
    """The server hung up in the middle, or answered without saying how much."""


@dataclass(slots=True)
class _Line:
    """One connection, the visitor that uses it, and what has come in so far."""

    socket: socket.socket
    visit: Visit
    asked: int = 0
    came: bytes = b""
    missing: int = 0


@dataclass(slots=True)
class Crowd:
    """Visitors that all call the same server, each on a connection of its own."""

    port: int
    visitors: list[Visit]
    waiting: int = 0
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self) -> None:
        """Let every visitor finish."""
        for visit in self.visitors:
            connection = socket.create_connection(("127.0.0.1", self.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = _Line(connection, visit)
            self._selector.register(connection, selectors.EVENT_READ, line)
            self.waiting += 1
            self._say(line, next(visit))
        while self.waiting:
            for key, _mask in self._selector.select():
                self._hear(key.data)
        self._selector.close()

    def _say(self, line: _Line, words: bytes) -> None:
        line.asked = time.monotonic_ns()
        line.came = b""
        line.missing = 0
        line.socket.sendall(words)

    def _hear(self, line: _Line) -> None:
        piece = line.socket.recv(PIECE)
        if not piece:
            message = f"the server hung up after {line.came[:200]!r}"
            raise ConnectionLost(message)
        line.came = came = line.came + piece if line.came else piece
        if len(came) < line.missing:
            return
        end = came.find(b"\r\n\r\n")
        if end < 0:
            return
        head = came[:end]
        line.missing = end + 4 + _length(head)
        if len(came) < line.missing:
            return
        answer = Answer(int(head[9:12]), head, came[end + 4 :], time.monotonic_ns() - line.asked)
        try:
            self._say(line, line.visit.send(answer))
        except StopIteration:
            self._selector.unregister(line.socket)
            line.socket.close()
            self.waiting -= 1


def _length(head: bytes) -> int:
    at = head.find(b"content-length: ")
    if at < 0:
        at = head.find(b"Content-Length: ")
    if at < 0:
        if head[9:12] in (b"204", b"304"):
            return 0
        message = f"an answer without a length: {head[:300]!r}"
        raise ConnectionLost(message)
    end = head.find(b"\r\n", at)
    return int(head[at + 16 : end if end >= 0 else None])


def get(path: str, *, headers: str = "", compressed: bool = True) -> bytes:
    """Return the bytes of a GET as a browser would send it."""
    encoding = "gzip, deflate, br" if compressed else "identity"
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: {encoding}\r\n"
        f"Accept-Language: en\r\n{headers}\r\n"
    ).encode()


def post(path: str, body: bytes, *, headers: str = "") -> bytes:
    """Return the bytes of a form's POST."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n"
        "Accept-Language: en\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n{headers}\r\n"
    ).encode() + body


def fetch(port: int, request: bytes) -> Answer:
    """Ask once, on a connection of its own."""
    found: list[Answer] = []

    def visit() -> Visit:
        found.append((yield request))

    Crowd(port, [visit()]).run()
    return found[0]


@dataclass(slots=True)
class Tally:
    """How often it went well, how many nanoseconds each took, and what went wrong."""

    good: int = 0
    spent: list[int] = field(default_factory=list)
    wrong: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def note(self, answer: Answer, *, good: bool) -> None:
        """Count one answer."""
        if good:
            self.good += 1
            self.spent.append(answer.spent)
        else:
            sign = f"{answer.status} {answer.body[:80]!r}"
            self.wrong[sign] = self.wrong.get(sign, 0) + 1

    def a_second(self) -> float:
        """Return the rate."""
        return self.good / self.seconds if self.seconds else 0.0

    def milliseconds(self) -> dict[str, float]:
        """Return how long an answer took: the median, and what 5 % and 1 % were slower than."""
        return times(self.spent)


def times(spent: Iterable[int]) -> dict[str, float]:
    """Return median, p95 and p99 of nanoseconds, in milliseconds."""
    ordered = sorted(spent)
    marks = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
    return {name: ordered[int(len(ordered) * at)] / 1e6 for name, at in marks.items() if ordered}


def crowd_of(port: int, visitors: list[Visit], tally: Tally) -> None:
    """Let visitors run to their end and add the seconds they took to the tally."""
    begun = time.monotonic()
    Crowd(port, visitors).run()
    tally.seconds += time.monotonic() - begun
