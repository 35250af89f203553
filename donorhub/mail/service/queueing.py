"""Owing somebody a letter: written down in the same transaction as what it tells."""

from __future__ import annotations

from collections.abc import Sequence

from donorhub.kit import clock, db, defer, unit_of_work
from donorhub.mail import model, queries, rules
from donorhub.mail.service.registry import post_office


def queue(letter: model.Letter) -> bool:
    """Queue a letter in the open unit of work; return whether its key is new.

    The letter and the job that sends it commit or vanish with everything else in the unit.
    """
    if not db.in_unit_of_work():
        message = "a letter is queued inside a unit of work"
        raise RuntimeError(message)
    message_id = rules.new_message_id(post_office().domain)
    letter_id = model.insert(letter, message_id=message_id, at=clock.now())
    if letter_id is None:
        return False
    defer("mail.send_letter", letter_id=letter_id)
    return True


def retry(letter_ids: Sequence[int] | None = None, *, dry_run: bool = False) -> list[int]:
    """Queue failed letters again (all for None); return which. They go within 10 seconds."""
    asked = list(letter_ids) if letter_ids is not None else None
    if dry_run:
        return queries.failed_ids(asked)
    with unit_of_work():
        return model.revive(asked, at=clock.now())
