"""Steps about donors."""

from __future__ import annotations

from donorhub.kit import db, now


def remember(email: str, *, first_name: str, last_name: str, locale: str) -> int:
    """Return the donor with this address, new or known, inside the open unit of work.

    The newest gift's name and language win: people marry, move and change their minds.
    """
    row = db.one(
        "INSERT INTO donors (email, first_name, last_name, locale, created_at) "
        "VALUES (lower(:email), :first_name, :last_name, :locale, :now) "
        "ON CONFLICT (email) DO UPDATE SET first_name = excluded.first_name, "
        "last_name = excluded.last_name, locale = excluded.locale RETURNING id",
        email=email,
        first_name=first_name,
        last_name=last_name,
        locale=locale,
        now=now(),
    )
    return int(row.id)
