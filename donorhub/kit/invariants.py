"""What must always be true, and how to find where it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from donorhub.kit.db import rows


@dataclass(frozen=True, slots=True)
class Invariant:
    """A promise about the stored data; ``find`` names each row that breaks it."""

    code: str
    promise: str
    find: Callable[[], Sequence[str]]


def by_sql(code: str, promise: str, sql: str) -> Invariant:
    """Build an invariant from a query whose rows, one text column each, break it."""
    return Invariant(code, promise, lambda: [str(row[0]) for row in rows(sql)])
