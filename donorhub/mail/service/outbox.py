"""The way to the mail server: Flask-Mail with time limits and verified encryption."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from typing import Self

from flask import current_app
from flask_mail import Connection, Message

from donorhub.kit import refuse_open_work
from donorhub.mail.service.registry import post_office

TIMEOUT_SECONDS = 10
GONE = (smtplib.SMTPException, OSError)


class TimedConnection(Connection):
    """Flask-Mail's connection, but no answer is waited for longer than ten seconds.

    Without this a silent server would hold a worker for ever, and STARTTLS would accept any
    certificate. What goes wrong after the message was taken is not an error.
    """

    def configure_host(self) -> smtplib.SMTP | smtplib.SMTP_SSL:
        """Connect, encrypt and sign in as the settings say."""
        host = self._open()
        try:
            if self.mail.use_tls:
                host.starttls(context=ssl.create_default_context())
            if self.mail.username and self.mail.password:
                host.login(self.mail.username, self.mail.password)
        except BaseException:
            host.close()
            raise
        return host

    def _open(self) -> smtplib.SMTP | smtplib.SMTP_SSL:
        server, port = self.mail.server, self.mail.port or 0
        name = post_office().domain
        if self.mail.use_ssl:
            return smtplib.SMTP_SSL(
                server,
                port,
                local_hostname=name,
                timeout=TIMEOUT_SECONDS,
                context=ssl.create_default_context(),
            )
        return smtplib.SMTP(server, port, local_hostname=name, timeout=TIMEOUT_SECONDS)

    def __exit__(self, *_error: object) -> None:
        """Say goodbye if anybody still listens."""
        if self.host is not None:
            with suppress(*GONE):
                self.host.quit()
            self.host.close()

    def answers(self) -> bool:
        """Tell whether the server is still there, before a message is entrusted to it."""
        if self.host is None:
            return True
        try:
            code, _ = self.host.noop()
        except GONE:
            return False
        return code == 250  # noqa: PLR2004 - RFC 5321: the one good answer to NOOP


class Outbox:
    """Delivers messages one by one over a connection that is opened when first needed."""

    def __init__(self) -> None:
        self._connection: TimedConnection | None = None

    def __enter__(self) -> Self:
        """Begin; nothing is connected yet."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the connection if there is one."""
        self._hang_up()

    def deliver(self, message: Message) -> None:
        """Hand over one message; when this returns the server has taken it.

        Raises smtplib's errors and OSError. After a lost connection nobody can know whether
        the server took the message.
        """
        refuse_open_work()
        connection = self._connected()
        try:
            connection.send(message)
        except BaseException:
            self._hang_up()
            raise

    def _connected(self) -> TimedConnection:
        if self._connection is not None and not self._connection.answers():
            self._hang_up()
        if self._connection is None:
            self._connection = TimedConnection(current_app.extensions["mail"]).__enter__()
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.__exit__(None, None, None)
        self._connection = None
