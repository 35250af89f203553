"""The catcher's SMTP side, spoken to by the standard library's client and by bare sockets."""

from __future__ import annotations

import smtplib
import socket
from contextlib import suppress
from email.message import EmailMessage

import pytest

from donorhub.mail.catcher import smtp

FROM, TO = "charity@example.org", "ann@example.org"


def a_message(*, text="Hello", message_id="<one@example.org>"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = FROM, TO, "A note"
    message["Message-ID"] = message_id
    message.set_content(text)
    return message


@pytest.fixture
def client(catcher):
    with smtplib.SMTP("127.0.0.1", catcher.port, local_hostname="test", timeout=5) as client:
        yield client


def dialogue(port, *lines):
    """Send raw lines one at a time and return the replies."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        answers = connection.makefile("rb")
        replies = [answers.readline()]
        for line in lines:
            connection.sendall(line)
            replies.append(answers.readline())
        return [reply.decode().strip() for reply in replies]


def test_a_message_is_kept_with_its_envelope(catcher, client):
    client.send_message(a_message())
    (caught,) = catcher.caught()
    assert (caught.sender, caught.recipients) == (FROM, (TO,))
    assert caught.message_id == "<one@example.org>"


def test_several_messages_go_over_one_connection(catcher, client):
    for number in range(5):
        client.send_message(a_message(message_id=f"<{number}@example.org>"))
    assert len(catcher.caught()) == 5


@pytest.mark.parametrize("text", [".", "..", ".a\n..b\n.", "a\n\n.\n\nb", "é 李 👩", "x" * 5000])
def test_a_message_arrives_exactly_as_it_was_sent(catcher, client, text):
    message = a_message(text=text)
    client.send_message(message)
    (shown,) = catcher.client.get("/messages.json").json
    assert shown["text"] == message.get_content()


def test_the_greeting_says_what_the_server_can(client):
    client.ehlo()
    assert {"8bitmime", "smtputf8"} <= set(client.esmtp_features)
    assert client.esmtp_features["size"] == str(smtp.LONGEST_MESSAGE)


def test_an_old_greeting_works_too(catcher, client):
    assert client.helo()[0] == 250
    client.sendmail(FROM, [TO], "Subject: x\r\n\r\ny\r\n")
    assert len(catcher.caught()) == 1


def test_eight_bit_addresses_are_taken(catcher, client):
    client.ehlo()
    client.sendmail(FROM, ["élise@example.org"], "Subject: x\r\n\r\ny", mail_options=["SMTPUTF8"])
    assert catcher.caught()[0].recipients == ("élise@example.org",)


def test_reset_forgets_the_message_under_way(client):
    client.ehlo()
    client.mail(FROM)
    client.rset()
    assert client.rcpt(TO)[0] == 503
    assert client.noop()[0] == 250


def test_commands_out_of_order_are_refused(catcher):
    replies = dialogue(
        catcher.port,
        b"MAIL FROM:<a@b.c>\r\n",
        b"HELO test\r\n",
        b"DATA\r\n",
        b"RCPT TO:<a@b.c>\r\n",
        b"MAIL FROM:<a@b.c>\r\n",
        b"MAIL FROM:<a@b.c>\r\n",
        b"RCPT TO:nobody\r\n",
        b"VRFY ann\r\n",
    )
    assert " ".join(reply[:3] for reply in replies) == "220 503 250 503 503 250 503 501 502"


def test_a_message_that_says_it_is_too_long_is_refused_at_once(client):
    client.ehlo()
    code, _ = client.mail(FROM, [f"SIZE={smtp.LONGEST_MESSAGE + 1}"])
    assert code == 552


def test_a_message_that_turns_out_too_long_is_refused_at_its_end(catcher, client, monkeypatch):
    monkeypatch.setattr(smtp, "LONGEST_MESSAGE", 2_000)
    client.helo()
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        client.sendmail(FROM, [TO], "Subject: x\r\n\r\n" + "y" * 50 + "\r\n" * 2_000)
    assert refusal.value.smtp_code == 552
    assert client.noop()[0] == 250
    assert catcher.caught() == []


def test_an_endless_line_ends_the_conversation(catcher):
    replies = dialogue(catcher.port, b"x" * (smtp.LONGEST_LINE * 3) + b"\r\n")
    assert replies[1].startswith("500")


def test_a_bare_line_feed_smuggles_no_second_message(catcher):
    smuggled = b"a\n.\r\nMAIL FROM:<eve@example.org>\r\n\r\n.\r\n"
    start = (b"HELO t\r\n", b"MAIL FROM:<a@b.c>\r\n", b"RCPT TO:<d@e.f>\r\n", b"DATA\r\n")
    replies = dialogue(catcher.port, *start, smuggled)
    assert replies[-1].startswith("250")
    (caught,) = catcher.caught()
    assert b"eve@example.org" in caught.raw


def test_a_server_that_is_down_says_so(catcher):
    catcher.conduct.change({"down": True})
    with pytest.raises(smtplib.SMTPConnectError) as refusal:
        smtplib.SMTP("127.0.0.1", catcher.port, local_hostname="test", timeout=5)
    assert refusal.value.smtp_code == 421


def test_a_server_that_goes_down_hangs_up_on_those_connected(catcher, client):
    client.ehlo()
    catcher.conduct.change({"down": True})
    assert client.mail(FROM)[0] == 421
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.noop()


def test_a_refusing_server_takes_some_and_keeps_only_those(catcher, client):
    catcher.conduct.change({"refuse_rate": 0.5})
    taken = 0
    for number in range(60):
        with suppress(smtplib.SMTPSenderRefused):
            client.send_message(a_message(message_id=f"<{number}@example.org>"))
            taken += 1
    assert 0 < taken < 60
    assert len(catcher.caught()) == taken


@pytest.mark.parametrize(
    ("fault", "error", "kept"),
    [
        ("tempfail", smtplib.SMTPDataError, 0),
        ("reject", smtplib.SMTPRecipientsRefused, 0),
        ("drop_after_data", smtplib.SMTPServerDisconnected, 1),
        ("drop_before_store", smtplib.SMTPServerDisconnected, 0),
    ],
)
def test_a_rehearsed_fault_strikes_as_often_as_told(catcher, client, fault, error, kept):
    catcher.conduct.change({fault: 1})
    with pytest.raises(error):
        client.send_message(a_message())
    assert len(catcher.caught()) == kept
    with smtplib.SMTP("127.0.0.1", catcher.port, local_hostname="test", timeout=5) as again:
        again.send_message(a_message(message_id="<two@example.org>"))
    assert len(catcher.caught()) == kept + 1


def test_two_deliveries_of_one_message_are_shown_as_copies(catcher, client):
    for _ in range(2):
        client.send_message(a_message())
    (caught,) = catcher.caught()
    assert caught.copies == 2
    assert caught.received_at[0] <= caught.received_at[1]


def test_messages_without_an_id_are_never_taken_for_copies(catcher, client):
    for _ in range(2):
        client.sendmail(FROM, [TO], "Subject: x\r\n\r\ny\r\n")
    assert [caught.copies for caught in catcher.caught()] == [1, 1]
