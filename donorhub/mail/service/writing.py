"""Writing a letter: its content looked up and rendered in the reader's language."""

from __future__ import annotations

from email import policy
from email.charset import QP, Charset
from email.mime.base import MIMEBase
from email.mime.text import MIMEText

from flask import render_template
from flask_babel import force_locale
from flask_mail import Message
from markupsafe import Markup

from donorhub.kit import clock
from donorhub.mail import rules
from donorhub.mail.model import Claim
from donorhub.mail.service.registry import PostOffice, post_office

_QUOTED = Charset("utf-8")
_QUOTED.body_encoding = QP


class QuotedMessage(Message):
    """A message whose lines stay short and plain, whatever the text: quoted-printable.

    Servers may cut lines of over 998 octets, and refuse eight-bit text unannounced. Headers
    leave as Flask-Mail folded them: folding them a second time would put spaces into long names.
    """

    def _message(self) -> MIMEBase:
        message = super()._message()
        message.policy = policy.SMTP.clone(refold_source="none")
        return message

    def _mimetext(self, text: str | None, subtype: str = "plain") -> MIMEText:
        return MIMEText(text or "", subtype, _QUOTED)  # type: ignore[arg-type]


def write(claim: Claim) -> Message:
    """Build the message of a claimed letter; raises whatever its builder or template does."""
    office = post_office()
    letter = claim.letter
    with force_locale(letter.locale):
        builder = office.builders.get(letter.template)
        found = builder(letter.context, letter.locale) if builder else letter.context
        shown = {"locale": letter.locale, **found}
        folder = f"letters/{letter.template}"
        subject = render_template(f"{folder}/subject.txt", **shown).strip()
        text = render_template(f"{folder}/body.txt", **shown).strip() + "\n"
        html = render_template(f"{folder}/body.html", **shown)
    if not subject or (fault := rules.header_fault(subject, longest=rules.LONGEST_SUBJECT)):
        message = f"the subject {fault if subject else 'is empty'}"
        raise rules.UnsafeHeader(message)
    return _message(claim, office, subject=subject, text=text, html=_styled(html, office))


def _styled(html: str, office: PostOffice) -> str:
    """Put the style sheet into the head: mail programs load nothing from elsewhere."""
    if not office.styles.is_file():
        return html
    css = Markup(office.styles.read_text(encoding="utf-8"))  # noqa: S704 - our own file
    return html.replace("</head>", f"<style>\n{css}\n</style>\n</head>", 1)


def _message(claim: Claim, office: PostOffice, *, subject: str, text: str, html: str) -> Message:
    to = claim.letter.to
    name = claim.letter.to_name
    message = QuotedMessage(
        subject=subject,
        recipients=[(name, to) if name else to],
        body=text,
        html=html,
        reply_to=office.reply_to or None,
        date=clock.now().timestamp(),
        extra_headers={
            "Auto-Submitted": "auto-generated",
            "Content-Language": claim.letter.locale,
        },
    )
    message.msgId = claim.message_id
    return message
