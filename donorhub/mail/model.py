"""The table of letters: its rows, and every change of state, each a compare-and-set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from donorhub.kit import db, locales
from donorhub.mail import rules


class State(StrEnum):
    """Where a letter stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    SUPPRESSED = "suppressed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An e-mail we owe somebody. The key makes it one: a second with the same is not sent.

    `context` holds ids and plain JSON only; what the reader sees is looked up when the
    letter is written, just before it goes. Raises UnsafeHeader for what may not go out.
    """

    to: str
    template: str
    key: str
    to_name: str = ""
    locale: str = "en"
    context: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what could become a second header, a second recipient, or no letter."""
        faults = {
            "to": rules.address_fault(self.to),
            "to_name": rules.header_fault(self.to_name),
            "key": rules.key_fault(self.key),
            "template": rules.template_fault(self.template),
            "context": rules.context_fault(self.context),
            "locale": None if self.locale in locales.LOCALES else "is not one of ours",
        }
        wrong = [f"{name} {fault}" for name, fault in faults.items() if fault]
        if wrong:
            message = f"this letter cannot be sent: {'; '.join(wrong)}"
            raise rules.UnsafeHeader(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A letter under way in this process, until its lease ends.

    `attempts` together with `lease_until` is the fencing token: whoever was overtaken
    while it slept changes nothing any more.
    """

    id: int
    letter: Letter
    message_id: str
    attempts: int
    lease_until: datetime


def insert(letter: Letter, *, message_id: str, at: datetime) -> int | None:
    """Write a letter down; return its id, or None if its key was there already."""
    row = db.one(
        "INSERT INTO letters (key, template, locale, to_address, to_name, context, state,"
        " attempts, due_at, message_id, created_at)"
        " VALUES (:key, :template, :locale, :to, :to_name, CAST(:context AS jsonb), 'queued',"
        " 0, :at, :message_id, :at)"
        " ON CONFLICT (key) DO NOTHING RETURNING id",
        key=letter.key,
        template=letter.template,
        locale=letter.locale,
        to=letter.to,
        to_name=letter.to_name,
        context=json.dumps(dict(letter.context)),
        at=at,
        message_id=message_id,
    )
    return int(row.id) if row else None


def claim(letter_id: int, *, at: datetime) -> Claim | None:
    """Take a letter that is due, or whose bearer is overdue; None if it is not to be had."""
    row = db.one(
        "UPDATE letters SET state = 'sending', attempts = attempts + 1, lease_until = :lease"
        " WHERE id = (SELECT id FROM letters WHERE id = :id"
        " AND ((state = 'queued' AND due_at <= :at) OR (state = 'sending' AND lease_until <= :at))"
        " FOR UPDATE SKIP LOCKED)"
        " RETURNING id, key, template, locale, to_address, to_name, context, message_id, attempts,"
        " lease_until",
        id=letter_id,
        at=at,
        lease=at + rules.LEASE,
    )
    if row is None:
        return None
    letter = Letter(
        to=row.to_address,
        to_name=row.to_name,
        template=row.template,
        key=row.key,
        locale=row.locale,
        context=row.context,
    )
    return Claim(
        id=row.id,
        letter=letter,
        message_id=row.message_id,
        attempts=row.attempts,
        lease_until=row.lease_until,
    )


def mark_sent(claim: Claim, *, at: datetime) -> bool:
    """Note that the mail server took it; False if the claim was lost meanwhile."""
    return _settle(claim, "state = 'sent', sent_at = :at, error = NULL", at=at)


def mark_suppressed(claim: Claim, *, reason: str) -> bool:
    """Note that it is not to be sent, and why."""
    return _settle(claim, "state = 'suppressed', suppressed_reason = :reason", reason=reason)


def mark_failed(claim: Claim, *, error: str) -> bool:
    """Note that no further try will be made."""
    return _settle(claim, "state = 'failed', error = :error", error=error)


def mark_queued(claim: Claim, *, error: str, due_at: datetime) -> bool:
    """Put it back, to be tried again at a later time."""
    return _settle(
        claim, "state = 'queued', error = :error, due_at = :due_at", error=error, due_at=due_at
    )


def _settle(claim: Claim, change: str, **values: Any) -> bool:
    touched = db.run(
        f"UPDATE letters SET lease_until = NULL, {change}"
        " WHERE id = :id AND state = 'sending' AND attempts = :attempts AND lease_until = :lease",
        id=claim.id,
        attempts=claim.attempts,
        lease=claim.lease_until,
        **values,
    )
    return touched == 1


def call_up(*, at: datetime) -> int:
    """Make every letter that waits for the mail server due at once; return how many."""
    return db.run(
        "UPDATE letters SET due_at = :at"
        " WHERE state = 'queued' AND due_at > :at AND error LIKE 'server %'",
        at=at,
    )


def revive(letter_ids: list[int] | None, *, at: datetime) -> list[int]:
    """Queue failed letters afresh (all of them for None); return which they were."""
    found = db.rows(
        "UPDATE letters SET state = 'queued', attempts = 0, due_at = :at"
        " WHERE state = 'failed'"
        " AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))"
        " RETURNING id",
        ids=letter_ids,
        at=at,
    )
    return sorted(row.id for row in found)
