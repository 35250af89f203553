"""Letters: queued in the same transaction, rendered late, sent once, suppressed when they must be.

Sending is at least once with a stable Message-ID; see `service.sending` for the exact promise.
"""

from donorhub.mail import jobs
from donorhub.mail.cli import commands
from donorhub.mail.model import Letter, State
from donorhub.mail.queries import LetterRow, invariants, letter_rows
from donorhub.mail.rules import UnsafeHeader, address_fault, header_fault
from donorhub.mail.service import (
    Outcome,
    init_app,
    queue,
    register_gate,
    register_template,
    retry,
    send_due,
    send_letter,
)

__all__ = [
    "Letter",
    "LetterRow",
    "Outcome",
    "State",
    "UnsafeHeader",
    "address_fault",
    "commands",
    "header_fault",
    "init_app",
    "invariants",
    "jobs",
    "letter_rows",
    "queue",
    "register_gate",
    "register_template",
    "retry",
    "send_due",
    "send_letter",
]
