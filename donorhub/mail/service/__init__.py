"""The verbs of mail: queue a letter, send it, send all that are due, try failed ones again."""

from donorhub.mail.service.queueing import queue, retry
from donorhub.mail.service.registry import init_app, register_gate, register_template
from donorhub.mail.service.sending import Outcome, send_due, send_letter

__all__ = [
    "Outcome",
    "init_app",
    "queue",
    "register_gate",
    "register_template",
    "retry",
    "send_due",
    "send_letter",
]
