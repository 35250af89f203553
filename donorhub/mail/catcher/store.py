"""What the catcher caught, in one SQLite file: deliveries, shown as messages."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    message_id TEXT NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_message_id ON deliveries (message_id);
"""
_MESSAGES = """
SELECT first.number, first.sender, first.recipients, first.message_id, first.raw, every.times
FROM deliveries AS first
JOIN (
    SELECT min(number) AS number, json_group_array(received_at) AS times
    FROM deliveries
    GROUP BY CASE message_id WHEN '' THEN 'delivery ' || number ELSE message_id END
) AS every USING (number)
"""


@dataclass(frozen=True, slots=True)
class Caught:
    """One message and every time it was delivered."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    raw: bytes
    received_at: tuple[datetime, ...]

    @property
    def copies(self) -> int:
        """How often it came. A mailbox that suppresses duplicates shows it once."""
        return len(self.received_at)


class Store:
    """A small mailbox for everybody; safe to use from several threads."""

    def __init__(self, path: Path | str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.executescript(_SCHEMA)

    def keep(self, *, sender: str, recipients: Sequence[str], message_id: str, raw: bytes) -> int:
        """Write a delivery down for good and return its number."""
        values = (
            datetime.now(UTC).isoformat(),
            sender,
            json.dumps(list(recipients)),
            message_id,
            raw,
        )
        with self._lock:
            added = self._database.execute(
                "INSERT INTO deliveries (received_at, sender, recipients, message_id, raw)"
                " VALUES (?, ?, ?, ?, ?)",
                values,
            )
            return int(added.lastrowid or 0)

    def messages(self, *, to: str = "") -> list[Caught]:
        """Return every message, newest first; ``to`` narrows to one recipient."""
        rows = self._read(f"{_MESSAGES} ORDER BY first.number DESC")
        caught = [_caught(row) for row in rows]
        return [one for one in caught if not to or to in one.recipients]

    def message(self, number: int) -> Caught | None:
        """Return one message by the number of its first delivery."""
        rows = self._read(f"{_MESSAGES} WHERE first.number = ?", number)
        return _caught(rows[0]) if rows else None

    def clear(self) -> None:
        """Throw everything away; numbers go on from where they were."""
        with self._lock:
            self._database.execute("DELETE FROM deliveries")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _read(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()


def _caught(row: tuple[object, ...]) -> Caught:
    number, sender, recipients, message_id, raw, times = row
    return Caught(
        number=int(str(number)),
        sender=str(sender),
        recipients=tuple(json.loads(str(recipients))),
        message_id=str(message_id),
        raw=raw if isinstance(raw, bytes) else str(raw).encode(),
        received_at=tuple(sorted(datetime.fromisoformat(one) for one in json.loads(str(times)))),
    )
