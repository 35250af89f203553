"""Every promise of the house, as one assertion."""

from __future__ import annotations

from donorhub.kit import db
from donorhub.wiring.parts import invariants


def broken() -> list[str]:
    """Return "code promise: row" for every row that breaks a promise."""
    found = [f"{i.code} {i.promise}: {row}" for i in invariants() for row in i.find()]
    db.session.rollback()
    return found
