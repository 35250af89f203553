"""Reading the letters: what is due, what failed, and what must always be true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from donorhub.kit import Invariant, by_sql, clock, db

LONGEST_WAIT = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter as staff see it in a list: no address, no name."""

    id: int
    key: str
    template: str
    state: str
    attempts: int
    due_at: datetime
    sent_at: datetime | None
    suppressed_reason: str | None
    error: str | None


def due_ids(*, at: datetime, limit: int) -> list[int]:
    """Return the letters to be sent now, oldest first, lost ones among them."""
    found = db.rows(
        "SELECT id FROM letters WHERE (state = 'queued' AND due_at <= :at)"
        " OR (state = 'sending' AND lease_until <= :at) ORDER BY id LIMIT :limit",
        at=at,
        limit=limit,
    )
    return [row.id for row in found]


def letter_rows(*, state: str | None = None, limit: int = 50) -> list[LetterRow]:
    """Return the latest letters, of one state if it is given."""
    found = db.rows(
        "SELECT id, key, template, state, attempts, due_at, sent_at, suppressed_reason, error"
        " FROM letters WHERE CAST(:state AS text) IS NULL OR state = CAST(:state AS text)"
        " ORDER BY id DESC LIMIT :limit",
        state=state,
        limit=limit,
    )
    return [LetterRow(*row) for row in found]


def failed_ids(letter_ids: Sequence[int] | None = None) -> list[int]:
    """Return the letters that were given up, of those asked for or of all."""
    found = db.rows(
        "SELECT id FROM letters WHERE state = 'failed'"
        " AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[]))) ORDER BY id",
        ids=list(letter_ids) if letter_ids is not None else None,
    )
    return [row.id for row in found]


def invariants() -> list[Invariant]:
    """Return the promises about letters (I8)."""
    return [
        by_sql(
            "I8",
            "each letter's key is used once",
            "SELECT format('letters %s share a key', string_agg(id::text, ', ' ORDER BY id))"
            " FROM letters GROUP BY key HAVING count(*) > 1",
        ),
        by_sql(
            "I8",
            "each letter has a Message-ID of its own",
            "SELECT format('letters %s share a Message-ID',"
            " string_agg(id::text, ', ' ORDER BY id))"
            " FROM letters GROUP BY message_id HAVING count(*) > 1",
        ),
        by_sql(
            "I8",
            "a sent letter says when and under which Message-ID",
            "SELECT format('letter %s is sent without a time or Message-ID', id) FROM letters"
            " WHERE state = 'sent' AND (sent_at IS NULL OR coalesce(message_id, '') = '')",
        ),
        by_sql(
            "I8",
            "a suppressed letter says why, and was never sent",
            "SELECT format('letter %s is suppressed without a reason, or was sent', id)"
            " FROM letters WHERE state = 'suppressed'"
            " AND (sent_at IS NOT NULL OR suppressed_reason IS NULL)",
        ),
        by_sql(
            "I8",
            "a letter that was not sent carries no time of sending, one under way has a lease",
            "SELECT format('letter %s is %s but says otherwise', id, state) FROM letters"
            " WHERE (state IN ('queued', 'sending', 'failed') AND sent_at IS NOT NULL)"
            " OR (state = 'sending') <> (lease_until IS NOT NULL)",
        ),
        Invariant("I8", "no letter waits for more than four hours", _forgotten),
    ]


def _forgotten() -> list[str]:
    found = db.rows(
        "SELECT id FROM letters WHERE (state = 'queued' AND due_at < :since)"
        " OR (state = 'sending' AND lease_until < :since) ORDER BY id",
        since=clock.now() - LONGEST_WAIT,
    )
    return [f"letter {row.id} has been due for over four hours" for row in found]
