"""Sending letters, in three beats: claim it, hand it to the mail server, note what came of it.

What is promised: a letter whose unit of work was committed is sent, or stands in the list of
failed letters; it is claimed by one worker at a time; it is sent once as long as this process
lives from the server's "250" to our commit. If it dies exactly in between, nobody can tell
whether the letter went, so it is sent again when its lease ends, two minutes later, under the
same Message-ID: at least once, never a different letter, and mailboxes that suppress
duplicates show one. Exactly once is not to be had over SMTP.
"""

from __future__ import annotations

from enum import StrEnum

import structlog

from donorhub.kit import clock, refuse_open_work, session, unit_of_work
from donorhub.mail import model, queries, rules
from donorhub.mail.service.outbox import Outbox
from donorhub.mail.service.registry import post_office
from donorhub.mail.service.writing import write

BATCH = 100

log = structlog.get_logger()


class Outcome(StrEnum):
    """What became of one attempt to send a letter."""

    SENT = "sent"
    SUPPRESSED = "suppressed"
    DELAYED = "delayed"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    LEFT = "left"


class Abandoned(Exception):
    """Every try ended without a word: each process that took the letter died with it."""


def send_letter(letter_id: int) -> Outcome:
    """Send one letter if it is due and nobody else has it; safe to call any number of times.

    While the mail server is known to be silent the letter is left to `send_due`, so that a
    dead server never ties up the workers.
    """
    if post_office().is_silent(clock.now()):
        return Outcome.LEFT
    with Outbox() as outbox:
        return _send(letter_id, outbox)


def send_due() -> int:
    """Send every letter that is due, oldest first, and return how many went.

    Takes up letters whose bearer died. Stops at the first sign that the server is away: the
    rest stay due, and all that waited for the server are called up when it answers again.
    """
    sent = 0
    with Outbox() as outbox:
        while letter_ids := queries.due_ids(at=clock.now(), limit=BATCH):
            moved = False
            for letter_id in letter_ids:
                outcome = _send_or_skip(letter_id, outbox)
                if outcome is Outcome.UNREACHABLE:
                    return sent
                sent += outcome is Outcome.SENT
                moved = moved or outcome is not Outcome.LEFT
            if not moved:
                break
    return sent


def _send_or_skip(letter_id: int, outbox: Outbox) -> Outcome:
    """Send one of many: a row that cannot even be read must not hold up the rest."""
    try:
        return _send(letter_id, outbox)
    except Exception as error:  # noqa: BLE001 - told apart by its name in the log
        session.rollback()
        log.error("letter_unreadable", letter_id=letter_id, error=type(error).__name__)
        return Outcome.LEFT


def _send(letter_id: int, outbox: Outbox) -> Outcome:
    with unit_of_work():
        claim = _claim(letter_id)
    if isinstance(claim, Outcome):
        return claim
    try:
        message = write(claim)
    except Exception as error:  # noqa: BLE001 - one broken letter must not stop the others
        return _keep(claim, error, rules.Trouble.OURS)
    if clock.now() > claim.lease_until - rules.LEASE + rules.START_WITHIN:
        return Outcome.LEFT
    try:
        outbox.deliver(message)
    except Exception as error:  # noqa: BLE001 - its kind decides below
        return _keep(claim, error, rules.trouble_of(error))
    return _note_sent(claim)


def _claim(letter_id: int) -> model.Claim | Outcome:
    """Take the letter and ask the gates, in the open unit of work."""
    claim = model.claim(letter_id, at=clock.now())
    if claim is None:
        return Outcome.LEFT
    if claim.attempts > rules.MOST_TRIES:
        return _note_trouble(claim, Abandoned(), rules.Trouble.OURS)
    try:
        with session.begin_nested():
            reason = post_office().reason_against(claim.letter)
    except Exception as error:  # noqa: BLE001 - in doubt the letter does not go
        return _note_trouble(claim, error, rules.Trouble.OURS)
    if reason is None:
        return claim
    model.mark_suppressed(claim, reason=reason)
    log.info("letter_suppressed", letter_id=claim.id, reason=reason)
    return Outcome.SUPPRESSED


def _note_sent(claim: model.Claim) -> Outcome:
    office = post_office()
    now = clock.now()
    with unit_of_work():
        kept = model.mark_sent(claim, at=now)
        if office.silent_until is not None:
            model.call_up(at=now)
    office.silent_until = None
    log.info("letter_sent", letter_id=claim.id, attempts=claim.attempts, overtaken=not kept)
    return Outcome.SENT


def _keep(claim: model.Claim, error: Exception, trouble: rules.Trouble) -> Outcome:
    """Note trouble that came up outside a unit of work."""
    refuse_open_work()
    if trouble is rules.Trouble.SERVER:
        post_office().silent_until = clock.now() + rules.SILENCE
    with unit_of_work():
        return _note_trouble(claim, error, trouble)


def _note_trouble(claim: model.Claim, error: Exception, trouble: rules.Trouble) -> Outcome:
    """Put the letter back, or give it up, in the open unit of work."""
    text = rules.error_text(error, trouble)
    if rules.gives_up(trouble, tries=claim.attempts):
        model.mark_failed(claim, error=text)
        log.error("letter_failed", letter_id=claim.id, attempts=claim.attempts, error=text)
        return Outcome.FAILED
    due_at = clock.now() + rules.wait_after(claim.attempts)
    model.mark_queued(claim, error=text, due_at=due_at)
    log.warning("letter_delayed", letter_id=claim.id, attempts=claim.attempts, error=text)
    away = trouble is rules.Trouble.SERVER
    return Outcome.UNREACHABLE if away else Outcome.DELAYED
