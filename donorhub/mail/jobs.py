"""The work of the post: each letter at once, and whatever is due every ten seconds."""

from __future__ import annotations

from donorhub.kit import job
from donorhub.mail import service


@job("mail.send_letter", queue="mail")
def send_letter(letter_id: int) -> None:
    """Send the letter that was just queued."""
    service.send_letter(letter_id)


@job("mail.send_due", every="* * * * * */10", queue="mail")
def send_due() -> None:
    """Send what waited for its next try, and what a dead worker left behind."""
    service.send_due()
