"""What wiring tells mail: who builds which letter's content, and who may stop one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app
from flask_mail import Mail

from donorhub.kit import Settings
from donorhub.mail import rules
from donorhub.mail.model import Letter

Builder = Callable[[Mapping[str, Any], str], Mapping[str, Any]]
Gate = Callable[[Letter], str | None]


@dataclass(slots=True)
class PostOffice:
    """What sending needs to know, and how the mail server was last seen by this process."""

    domain: str
    styles: Path
    reply_to: str = ""
    builders: dict[str, Builder] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)
    silent_until: datetime | None = None

    def is_silent(self, at: datetime) -> bool:
        """Tell whether the server failed to answer a moment ago and is left alone."""
        return self.silent_until is not None and at < self.silent_until

    def reason_against(self, letter: Letter) -> str | None:
        """Ask every gate in turn; return the first reason not to send, or None."""
        return next((reason for gate in self.gates if (reason := gate(letter))), None)


def init_app(app: Flask, settings: Settings, *, styles: Path, reply_to: str = "") -> None:
    """Prepare the app for letters; ``styles`` is the sheet that goes into HTML letters."""
    app.config.update(
        MAIL_SERVER=settings.mail_server,
        MAIL_PORT=settings.mail_port,
        MAIL_USERNAME=settings.mail_username or None,
        MAIL_PASSWORD=settings.mail_password or None,
        MAIL_USE_TLS=settings.mail_use_tls,
        MAIL_DEFAULT_SENDER=settings.mail_default_sender,
    )
    Mail(app)
    domain = parseaddr(settings.mail_default_sender)[1].rpartition("@")[2]
    app.extensions["post_office"] = PostOffice(
        domain=_ascii(domain or urlsplit(settings.public_url).hostname or "localhost"),
        styles=styles,
        reply_to=reply_to,
    )


def _ascii(domain: str) -> str:
    return domain.encode("idna").decode("ascii")


def register_template(app: Flask, name: str, builder: Builder) -> None:
    """Let ``builder(context, locale)`` look up what the letter of this name shows.

    It runs late, outside any unit of work, and may read the database. A letter without a
    builder is written from its own context.
    """
    if fault := rules.template_fault(name):
        message = f"the template {name!r} {fault}"
        raise ValueError(message)
    builders = post_office(app).builders
    if name in builders:
        message = f"the letter {name} has a builder already"
        raise ValueError(message)
    builders[name] = builder


def register_gate(app: Flask, gate: Gate) -> None:
    """Ask ``gate(letter)`` just before sending: a reason to suppress it, or None.

    A gate reads only, in the transaction that claims the letter. One that raises holds the
    letter back.
    """
    post_office(app).gates.append(gate)


def post_office(app: Flask | None = None) -> PostOffice:
    """Return the post office of an app, by default the current one."""
    found: PostOffice = (app or current_app).extensions["post_office"]
    return found
