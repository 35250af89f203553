"""A caught message made readable: its headers, its parts, its links."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser

from donorhub.mail.catcher.store import Caught


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail program would show of a message."""

    subject: str
    sender: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    links: tuple[str, ...]


def read(raw: bytes) -> Reading:
    """Take a message apart, however oddly it was put together."""
    message = message_from_bytes(raw, policy=policy.default)
    headers = tuple((name, str(value)) for name, value in message.items())
    named = {name.lower(): value for name, value in reversed(headers)}
    html = _part(message, "html")
    return Reading(
        subject=named.get("subject", ""),
        sender=named.get("from", ""),
        headers=headers,
        text=_part(message, "plain"),
        html=html,
        links=_links(html),
    )


def message_id(raw: bytes) -> str:
    """Return the Message-ID of a raw message, or nothing if it carries none."""
    head = message_from_bytes(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    return str(head.get("Message-ID", "")).strip()[:998]


def as_json(caught: Caught) -> dict[str, object]:
    """Return a message as ``/messages.json`` lists it."""
    reading = read(caught.raw)
    return {
        "number": caught.number,
        "to": list(caught.recipients),
        "from": reading.sender,
        "envelope_from": caught.sender,
        "subject": reading.subject,
        "message_id": caught.message_id,
        "received_at": caught.received_at[0].isoformat(),
        "deliveries": [moment.isoformat() for moment in caught.received_at],
        "copies": caught.copies,
        "text": reading.text,
        "html": reading.html,
        "headers": [list(header) for header in reading.headers],
    }


def _part(message: EmailMessage, subtype: str) -> str:
    try:
        part = message.get_body(preferencelist=(subtype,))
        content = part.get_content() if part else ""
    except (LookupError, ValueError, AttributeError, KeyError):
        return "(this part could not be read)"
    return str(content).replace("\r\n", "\n")


def _links(html: str) -> tuple[str, ...]:
    finder = _LinkFinder()
    finder.feed(html)
    return tuple(dict.fromkeys(finder.found))


class _LinkFinder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = (dict(attrs).get("href") or "").strip()
        if tag == "a" and address.lower().startswith(("http://", "https://")):
            self.found.append(address)
