"""Answers kept by idempotency key for 24 hours of simulated time."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .errors import Json
    from .store import Store, Work

KEPT_MS = 24 * 3600 * 1000
_LONGEST = 255


class Idempotency:
    """Which keys were used, with what, and what was answered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._running: set[str] = set()
        rows = store.select("kind = 'idempotency'", (), limit=10_000_000)
        self._known = {row.id for row in rows}

    @contextmanager
    def claimed(self, key: str) -> Iterator[None]:
        """Keep the key to this call; another call with it meanwhile is refused with 409."""
        if len(key) > _LONGEST:
            message = f"Idempotency keys can have up to {_LONGEST} characters."
            raise ApiError(400, message, kind="idempotency_error")
        with self._lock:
            if key in self._running:
                message = (
                    "There is currently another in-progress request using this Idempotent Key "
                    "(that probably means you submitted twice, and the other request is still "
                    f"going through): {key}."
                )
                raise ApiError(
                    409, message, code="idempotency_key_in_use", kind="idempotency_error"
                )
            self._running.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(key)

    def answer(self, key: str, fingerprint: str, *, now_ms: int) -> tuple[int, str] | None:
        """The stored (status, body) for the same call, None for a new key; refuses a reuse."""
        if _row_id(key) not in self._known:
            return None
        kept = self._store.find(_row_id(key))
        if kept is None or kept["until_ms"] <= now_ms:
            return None
        if kept["fingerprint"] != fingerprint:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they "
                f"were first used with. Try using a key other than '{key}' if you meant to "
                "execute a different request."
            )
            raise ApiError(400, message, kind="idempotency_error")
        return kept["status"], kept["body"]

    def keep(  # noqa: PLR0913 - what a replay needs
        self, work: Work, key: str, *, fingerprint: str, status: int, body: str, now_ms: int
    ) -> None:
        """Store the answer in the same piece of work as its effect."""
        kept: Json = {
            "id": _row_id(key),
            "fingerprint": fingerprint,
            "status": status,
            "body": body,
            "until_ms": now_ms + KEPT_MS,
        }
        work.put("idempotency", kept, due_ms=kept["until_ms"])
        self._known.add(kept["id"])

    def forget(self, work: Work, row_id: str) -> None:
        """Drop a key that has grown old."""
        work.drop(row_id)
        self._known.discard(row_id)

    def clear(self) -> None:
        """Forget every key."""
        self._known.clear()


def fingerprint_of(path: str, encoded: str) -> str:
    """The same for the same call, whatever the order of its parameters."""
    ordered = "&".join(sorted(encoded.split("&")))
    return hashlib.sha256(f"{path} {ordered}".encode()).hexdigest()


def _row_id(key: str) -> str:
    return f"idempotency_{key}"
