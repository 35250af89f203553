"""The SMTP side of the catcher: RFC 5321 as far as a sender can tell the difference.

Our own hundred lines, because aiosmtpd has had no release for over two years.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from donorhub.mail.catcher.behaviour import Conduct
from donorhub.mail.catcher.reading import message_id
from donorhub.mail.catcher.store import Store

LONGEST_MESSAGE = 10 * 1024 * 1024
LONGEST_LINE = 64 * 1024
MOST_RECIPIENTS = 100
IDLE_SECONDS = 60

_MAIL = re.compile(r"FROM:\s*<(?P<address>[^<>]*)>(?P<options>(?:\s+\S+)*)\s*\Z", re.IGNORECASE)
_RCPT = re.compile(r"TO:\s*<(?P<address>[^<>\s]+)>(?:\s+\S+)*\s*\Z", re.IGNORECASE)
_SIZE = re.compile(r"\bSIZE=(\d{1,18})\b", re.IGNORECASE)
_CAN = ("SIZE " + str(LONGEST_MESSAGE), "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")


class HangUp(Exception):
    """The connection is to be closed, with no further word."""


@dataclass(slots=True)
class Conversation:
    """One client's session; ``answer`` takes a command and returns the reply."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    store: Store
    conduct: Conduct
    greeted: bool = False
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Talk until the client leaves, falls silent, or a rehearsed fault strikes."""
        try:
            if self.conduct.now.down:
                await self.say("421 4.3.2 The server is down")
                return
            await self.say("220 DonorHub mail catcher")
            while line := await self.hear():
                reply = await self.answer(line)
                await self.say(reply)
                if reply.startswith("421"):
                    return
        except TimeoutError:
            await self.say("421 4.4.2 Silent for too long")
        except ValueError:
            await self.say("500 5.5.6 The line is too long")
        except (HangUp, OSError):
            pass
        finally:
            self.writer.close()

    async def hear(self) -> bytes:
        """Return the next line with its ending, or nothing when the client is gone."""
        async with asyncio.timeout(IDLE_SECONDS):
            return await self.reader.readline()

    async def say(self, reply: str) -> None:
        """Send one reply; lines after the first continue it."""
        lines = reply.split("\n")
        last = len(lines) - 1
        code = lines[0][:3]
        marked = [lines[0] if last == 0 else f"{code}-{lines[0][4:]}"]
        marked += [f"{code}{' ' if at == last else '-'}{lines[at]}" for at in range(1, last + 1)]
        self.writer.write("".join(f"{one}\r\n" for one in marked).encode())
        await self.writer.drain()

    async def answer(self, line: bytes) -> str:
        """Follow one command."""
        verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
        verb = verb.upper()
        if verb in {"EHLO", "HELO"}:
            return self.greet(verb)
        if verb == "MAIL":
            return self.mail(rest)
        if verb == "RCPT":
            return self.rcpt(rest)
        if verb == "DATA":
            return await self.data()
        return await self.simple(verb)

    async def simple(self, verb: str) -> str:
        """Follow the commands that carry nothing."""
        if verb == "QUIT":
            await self.say("221 2.0.0 Goodbye")
            raise HangUp
        if verb not in {"RSET", "NOOP"}:
            return "502 5.5.1 This server knows EHLO, MAIL, RCPT, DATA, RSET, NOOP, QUIT"
        if verb == "RSET":
            self.forget()
        return "250 2.0.0 Done"

    def greet(self, verb: str) -> str:
        """Begin, or begin again; EHLO also asks what this server can."""
        self.forget()
        self.greeted = True
        can = _CAN if verb == "EHLO" else ()
        return "\n".join(("250 DonorHub mail catcher", *can))

    def forget(self) -> None:
        """Drop the message under way."""
        self.sender = None
        self.recipients = []

    def mail(self, rest: str) -> str:
        """Begin a message."""
        if not self.greeted or self.sender is not None:
            return "503 5.5.1 Say EHLO first, and MAIL once a message"
        if not (said := _MAIL.match(rest)):
            return "501 5.5.4 Write MAIL FROM:<address>"
        size = _SIZE.search(said["options"])
        if size and int(size[1]) > LONGEST_MESSAGE:
            return "552 5.3.4 The message is too long"
        if self.conduct.now.down:
            return "421 4.3.2 The server is down"
        if self.conduct.refuses():
            return "451 4.7.1 Not now, come back later"
        self.sender = said["address"]
        return "250 2.1.0 Noted"

    def rcpt(self, rest: str) -> str:
        """Add a recipient."""
        if self.sender is None:
            return "503 5.5.1 Say MAIL first"
        if not (said := _RCPT.match(rest)):
            return "501 5.5.4 Write RCPT TO:<address>"
        if len(self.recipients) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if self.conduct.take("reject"):
            return "550 5.1.1 Nobody of that name here"
        self.recipients.append(said["address"])
        return "250 2.1.5 Noted"

    async def data(self) -> str:
        """Take the message in, and keep it unless a fault is rehearsed."""
        if not self.recipients:
            return "503 5.5.1 Say RCPT first"
        await self.say("354 End with a line that is a single dot")
        raw = await self.body()
        sender, recipients = self.sender or "", tuple(self.recipients)
        self.forget()
        if raw is None:
            return "552 5.3.4 The message is too long"
        if self.conduct.take("drop_before_store"):
            raise HangUp
        if self.conduct.take("tempfail"):
            return "451 4.3.0 Not now, come back later"
        self.store.keep(sender=sender, recipients=recipients, message_id=message_id(raw), raw=raw)
        if self.conduct.take("drop_after_data"):
            raise HangUp
        await asyncio.sleep(self.conduct.now.latency_ms / 1000)
        return "250 2.0.0 Kept"

    async def body(self) -> bytes | None:
        """Read to the final dot, undoing dot-stuffing; None if it was too long.

        Only CR LF . CR LF ends a message: a bare line feed must not smuggle in a second one.
        """
        lines: list[bytes] = []
        length = 0
        ended = True
        while (line := await self.hear()) != b".\r\n" or not ended:
            if not line:
                raise HangUp
            ended = line.endswith(b"\r\n")
            unstuffed = line.removeprefix(b".")
            length += len(unstuffed)
            if length <= LONGEST_MESSAGE:
                lines.append(unstuffed)
        return b"".join(lines) if length <= LONGEST_MESSAGE else None


async def listen(store: Store, conduct: Conduct, *, host: str, port: int) -> asyncio.Server:
    """Open the SMTP port and answer every client that comes; port 0 takes a free one."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Conversation(reader, writer, store, conduct).run()

    return await asyncio.start_server(converse, host, port, limit=LONGEST_LINE)
