"""The SQLite file behind the store: one table of JSON texts with the columns that lists need."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
    id TEXT PRIMARY KEY, seq INTEGER NOT NULL, kind TEXT NOT NULL, created INTEGER NOT NULL,
    type TEXT NOT NULL, parent TEXT NOT NULL, source TEXT NOT NULL, due_ms INTEGER,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS rows_by_kind ON rows (kind, seq);
CREATE INDEX IF NOT EXISTS rows_by_type ON rows (kind, type, seq);
CREATE INDEX IF NOT EXISTS rows_by_parent ON rows (parent) WHERE parent <> '';
CREATE INDEX IF NOT EXISTS rows_by_source ON rows (source) WHERE source <> '';
CREATE INDEX IF NOT EXISTS rows_by_due ON rows (due_ms) WHERE due_ms IS NOT NULL;
"""
_COLUMNS = "seq, id, kind, created, type, parent, source, due_ms, body"
_UPSERT = f"""
INSERT INTO rows ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET type = excluded.type, parent = excluded.parent,
    source = excluded.source, due_ms = excluded.due_ms, body = excluded.body
"""


class Row(NamedTuple):
    """One object; an empty body marks one that was dropped."""

    seq: int
    id: str
    kind: str
    created: int
    type: str = ""
    parent: str = ""
    source: str = ""
    due_ms: int | None = None
    body: str = ""


class Archive:
    """Reads and writes the file; one connection, one lock."""

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)

    def last_seq(self) -> int:
        """The highest sequence number in the file; 0 when it is empty."""
        with self._lock:
            (seq,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM rows").fetchone()
        return int(seq)

    def read(self, object_id: str) -> Row | None:
        """The row of this id."""
        rows = self.select("id = ?", (object_id,), limit=1)
        return rows[0] if rows else None

    def select(self, where: str, values: tuple[object, ...], *, limit: int) -> list[Row]:
        """Rows that meet an SQL condition, which may end in an ORDER BY."""
        query = f"SELECT {_COLUMNS} FROM rows WHERE {where} LIMIT ?"
        with self._lock:
            return [Row(*found) for found in self._db.execute(query, (*values, limit))]

    def totals(self, now: int) -> list[tuple[str, int, int]]:
        """(currency, 1 when available, net in minor units) of all balance transactions."""
        query = """
            SELECT json_extract(body, '$.currency'), json_extract(body, '$.available_on') <= ?,
                   sum(json_extract(body, '$.net'))
            FROM rows WHERE kind = 'balance_transaction' GROUP BY 1, 2 ORDER BY 1, 2
        """
        with self._lock:
            return list(self._db.execute(query, (now,)))

    def write(self, rows: Iterable[Row]) -> None:
        """Keep all of these rows, or none."""
        rows = list(rows)
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(_UPSERT, [row for row in rows if row.body])
                gone = [(row.id,) for row in rows if not row.body]
                self._db.executemany("DELETE FROM rows WHERE id = ?", gone)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def clear(self) -> None:
        """Empty the file."""
        with self._lock:
            self._db.execute("DELETE FROM rows")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
