"""The calls that the simulator received, newest last; kept in memory only."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from .params import decode

if TYPE_CHECKING:
    from .errors import Json

_KEPT = 20_000


class Entry(NamedTuple):
    """One call; `at` is real time in seconds since 1970."""

    n: int
    at: float
    method: str
    path: str
    encoded: str
    idempotency_key: str | None
    status: int
    replayed: bool
    request_id: str

    def as_json(self) -> Json:
        """The call as `GET /_sim/requests` shows it."""
        entry = self._asdict()
        entry["params"] = _listed(decode(entry.pop("encoded")))
        return entry


class RequestLog:
    """The latest calls; safe to use from any thread."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._count = 0

    def add(  # noqa: PLR0913 - the columns of the log
        self,
        *,
        method: str,
        path: str,
        encoded: str,
        key: str | None,
        status: int,
        replayed: bool,
        request_id: str,
    ) -> None:
        """Note one answered call."""
        with self._lock:
            self._count += 1
            self._entries.append(
                Entry(
                    self._count,
                    time.time(),
                    method,
                    path,
                    encoded,
                    key,
                    status,
                    replayed,
                    request_id,
                )
            )

    def entries(self, *, path: str = "", since: float = 0, after: int = 0) -> list[Entry]:
        """Calls whose path begins with `path`, at or after a time, after a number."""
        with self._lock:
            known = list(self._entries)
        return [
            entry
            for entry in known
            if entry.path.startswith(path) and entry.at >= since and entry.n > after
        ]

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._entries.clear()


def _listed(node: Any) -> Any:
    """Numbered members as a list."""
    if not isinstance(node, dict):
        return node
    if node and all(key.isdecimal() for key in node):
        return [_listed(member) for member in node.values()]
    return {key: _listed(member) for key, member in node.items()}
