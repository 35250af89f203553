"""Everything the simulator remembers: JSON texts by id, in memory first, in SQLite soon after.

A piece of work holds the one lock, sees its own writes, and is kept whole or not at all. A thread
writes what is new to the file about every 50 ms, always whole pieces of work, so a killed process
loses at most that much and never half of something. SQLite is never waited for under the lock.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .archive import Archive, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .errors import Json

_FLUSH_SECONDS = 0.05
_CACHE_ROWS = 4000


@dataclass(slots=True)
class Work:
    """The reads and writes of one operation."""

    store: Store
    staged: dict[str, Row] = field(default_factory=dict)
    deliveries: list[str] = field(default_factory=list)
    request: Json = field(default_factory=lambda: {"id": None, "idempotency_key": None})

    def find(self, object_id: str) -> Json | None:
        """A copy of the object as this piece of work left it, or None."""
        row = self.staged.get(object_id) or self.store.row(object_id)
        return json.loads(row.body) if row and row.body else None

    def put(  # noqa: PLR0913 - the columns that lists filter by
        self,
        kind: str,
        obj: Json,
        *,
        type: str = "",  # noqa: A002 - Stripe's own word
        parent: str = "",
        source: str = "",
        due_ms: int | None = None,
    ) -> None:
        """Keep the object under its id."""
        body = json.dumps(obj, separators=(",", ":"))
        self.staged[obj["id"]] = Row(
            seq=self.store.next_seq(),
            id=obj["id"],
            kind=kind,
            created=obj.get("created", 0),
            type=type,
            parent=parent,
            source=source,
            due_ms=due_ms,
            body=body,
        )

    def drop(self, object_id: str) -> None:
        """Forget the object."""
        self.staged[object_id] = Row(seq=0, id=object_id, kind="", created=0, body="")


class Store:
    """The state of the simulator; safe to use from any thread."""

    def __init__(self, path: str) -> None:
        self.archive = Archive(path)
        self.lock = threading.RLock()
        self.on_kept: Callable[[list[str]], None] = lambda _deliveries: None
        self._seq = self.archive.last_seq()
        self._fresh: dict[str, Row] = {}
        self._leaving: dict[str, Row] = {}
        self._cache: OrderedDict[str, Row] = OrderedDict()
        self._flush_lock = threading.Lock()
        self._closed = threading.Event()
        self._flusher = threading.Thread(target=self._flush_often, name="flusher", daemon=True)
        self._flusher.start()

    def next_seq(self) -> int:
        """The order in which objects came to be."""
        self._seq += 1
        return self._seq

    @contextmanager
    def work(self) -> Iterator[Work]:
        """One operation: kept whole when the block ends, forgotten when it raises."""
        with self.lock:
            work = Work(self)
            yield work
            for object_id, row in work.staged.items():
                known = self._fresh.get(object_id)
                self._fresh[object_id] = row._replace(seq=known.seq) if known else row
        if work.deliveries:
            self.on_kept(work.deliveries)

    def row(self, object_id: str) -> Row | None:
        """The newest row of this id; a row with an empty body was dropped."""
        with self.lock:
            row = self._fresh.get(object_id) or self._leaving.get(object_id)
            if row:
                return row
            row = self._cache.get(object_id)
            if row is None:
                row = self.archive.read(object_id)
                if row:
                    self._remember(row)
            return row

    def find(self, object_id: str) -> Json | None:
        """A copy of the object, or None."""
        row = self.row(object_id)
        return json.loads(row.body) if row and row.body else None

    def select(self, where: str, values: tuple[object, ...], *, limit: int) -> list[Row]:
        """Rows by an SQL condition (with its order); never call it inside a piece of work."""
        self.flush()
        return self.archive.select(where, values, limit=limit)

    def flush(self) -> None:
        """Write everything kept so far to the file."""
        with self._flush_lock:
            with self.lock:
                if not self._fresh:
                    return
                self._leaving, self._fresh = self._fresh, {}
            self.archive.write(self._leaving.values())
            with self.lock:
                for object_id, row in self._leaving.items():
                    self._cache.pop(object_id, None)
                    if row.body:
                        self._remember(row)
                self._leaving = {}

    def clear(self) -> None:
        """Forget everything."""
        with self._flush_lock, self.lock:
            self._fresh, self._leaving = {}, {}
            self._cache.clear()
            self.archive.clear()

    def close(self) -> None:
        """Write what is left and let go of the file."""
        self._closed.set()
        self._flusher.join(timeout=5)
        self.flush()
        self.archive.close()

    def _remember(self, row: Row) -> None:
        self._cache[row.id] = row
        if len(self._cache) > _CACHE_ROWS:
            self._cache.popitem(last=False)

    def _flush_often(self) -> None:
        while not self._closed.wait(_FLUSH_SECONDS):
            self.flush()
