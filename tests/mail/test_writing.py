"""The letter itself: its language, its headers, both its bodies, and nothing smuggled in."""

from __future__ import annotations

import email
from datetime import date
from email import policy
from email.header import decode_header, make_header

import pytest

from donorhub import mail
from donorhub.kit import clock, db, now

HEADERS = {
    "Content-Type",
    "MIME-Version",
    "Subject",
    "From",
    "To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
}


def the_message(post):
    (caught,) = post.caught()
    return email.message_from_bytes(caught.raw, policy=policy.default)


def test_a_letter_has_a_text_and_an_html_body_in_that_order(post, queued):
    mail.send_letter(queued(context={"who": "Ann <3"}))
    message = the_message(post)
    parts = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert parts == ["text/plain", "text/html"]
    assert "Hello Ann <3," in message.get_body(("plain",)).get_content()
    assert "Hello Ann &lt;3," in message.get_body(("html",)).get_content()


def test_a_letter_carries_exactly_the_headers_it_should(app, post, queued):
    with clock.stopped() as time_now:
        mail.send_letter(queued(to="ann@example.org", to_name="Ann"))
    message = the_message(post)
    sender = app.extensions["mail"].default_sender
    assert set(message.keys()) == HEADERS
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["To"] == "Ann <ann@example.org>"
    assert message["From"].addresses[0].addr_spec == email.utils.parseaddr(sender)[1]
    assert message["Date"].datetime == time_now.at.replace(microsecond=0)


def test_replies_go_where_the_settings_say(app, post, queued, monkeypatch):
    monkeypatch.setattr(app.extensions["post_office"], "reply_to", "people@charity.example")
    mail.send_letter(queued())
    assert the_message(post)["Reply-To"] == "people@charity.example"


def test_the_message_id_is_in_the_senders_own_domain(app, post, queued):
    mail.send_letter(queued())
    sender = email.utils.parseaddr(app.extensions["mail"].default_sender)[1]
    assert the_message(post)["Message-ID"].endswith(f"@{sender.partition('@')[2]}>")


def test_a_letter_is_written_late_and_in_the_readers_language(app, post, queued):
    facts = {"name": "Ann"}

    def builder(context, locale):
        words = {"en": "Hello", "fr": "Bonjour"}
        row = db.one("SELECT template FROM letters WHERE key = :key", key=context["key"])
        return {
            "greeting": words[locale],
            "who": f"{facts['name']} ({row.template})",
            "day": date(2026, 11, 30),
        }

    mail.register_template(app, "tests/note", builder)
    letter_id = queued(locale="fr", context={"key": "note:0"})
    facts["name"] = "Anne"
    mail.send_letter(letter_id)
    text = the_message(post).get_body(("plain",)).get_content()
    assert "Bonjour Anne (tests/note)," in text
    assert "30 novembre 2026" in text
    assert the_message(post)["Content-Language"] == "fr"
    assert '<html lang="fr">' in the_message(post).get_body(("html",)).get_content()


@pytest.mark.parametrize(
    "name",
    [
        "Zoë L'Écuyer",
        'Ann "The Bear" Smith, Jr.',
        "李小龍",
        "=?utf-8?q?Eve?= <eve@example.org>",
        "É" * 120,
        "Jean-Philippe " * 8,
        "a@b.c",
        "Ann; Eve:",
        "O\u2019Neil 👩‍👧",
    ],
)
def test_a_name_arrives_as_it_is_written_and_adds_nobody(post, queued, name):
    mail.send_letter(queued(to="ann@example.org", to_name=name))
    written = email.message_from_bytes(post.caught()[0].raw)["To"]
    shown, _, address = written.rpartition(" ")
    assert str(make_header(decode_header(shown))) == name
    assert address == "<ann@example.org>"
    assert "@" not in shown
    assert post.caught()[0].recipients == ("ann@example.org",)


def test_an_address_in_another_alphabet_is_reached(post, queued):
    mail.send_letter(queued(to="ann@bücher.example", to_name="Ann"))
    assert post.caught()[0].recipients == ("ann@xn--bcher-kva.example",)


@pytest.mark.parametrize("subject", ["Merci, Zoë: " + "é" * 180, "$50 is now $100", "été " * 40])
def test_a_subject_of_any_length_arrives_whole(post, queued, subject):
    mail.send_letter(queued(context={"subject": subject}))
    assert the_message(post)["Subject"] == subject.strip()


def test_text_of_any_shape_arrives_unchanged_and_no_line_is_too_long(post, queued):
    who = "x" * 3000 + " é 李 👩 = =20 From \t."
    mail.send_letter(queued(context={"who": who}))
    text = the_message(post).get_body(("plain",)).get_content()
    assert who in text
    assert "\n.\n..a line that begins with dots" in text.replace("\r\n", "\n")
    raw = post.caught()[0].raw
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_the_style_sheet_travels_in_the_letter(app, post, queued, monkeypatch, tmp_path):
    sheet = tmp_path / "letters.css"
    sheet.write_text("body { color: #1d2430; } /* é */")
    monkeypatch.setattr(app.extensions["post_office"], "styles", sheet)
    mail.send_letter(queued())
    html = the_message(post).get_body(("html",)).get_content()
    assert html.count("body { color: #1d2430; }") == 1
    assert html.index("<style>") < html.index("</head>") < html.index("<body>")


def test_a_letter_without_a_subject_or_a_template_is_held_back(post, queued):
    empty, missing = queued(context={"subject": " "}), queued(template="tests/missing")
    assert mail.send_letter(empty) is mail.Outcome.DELAYED
    assert mail.send_letter(missing) is mail.Outcome.DELAYED
    errors = db.rows("SELECT error FROM letters ORDER BY id")
    assert [row.error for row in errors] == ["ours UnsafeHeader", "ours TemplateNotFound"]


def test_a_template_has_one_builder(app, post):
    mail.register_template(app, "tests/note", lambda *_given: {})
    with pytest.raises(ValueError, match="already"):
        mail.register_template(app, "tests/note", lambda *_given: {})


BREAKS = [
    "\r\n",
    "\n",
    "\r",
    "\v",
    "\f",
    "\x00",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x85",
    "\u2028",
    "\u2029",
]
SMUGGLED = [
    "Bcc: eve@example.org",
    " Bcc: eve@example.org",
    "\tTo: eve@example.org",
    "Subject: other",
    "\r\nA second body",
    "\r\n.\r\nMAIL FROM:<eve@example.org>",
    "RCPT TO:<eve@example.org>",
    "Content-Type: text/html",
]
TRICKS = [
    ", eve@example.org",
    "; eve@example.org",
    " <eve@example.org>",
    ">, <eve@example.org",
    "%0d%0aBcc: eve@example.org",
    "=?utf-8?q?=0D=0ABcc=3A_eve=40example=2Eorg?=",
    "=?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLm9yZw==?=",
    '" eve@example.org "',
    "(eve@example.org)",
    "\\r\\nBcc: eve@example.org",
    "&#13;&#10;Bcc: eve@example.org",
    "\u560a\u560dBcc: eve@example.org",
]
PAYLOADS = [before + after for before in BREAKS for after in SMUGGLED] + TRICKS


@pytest.mark.parametrize("sink", ["to_name", "subject", "to"])
def test_no_payload_adds_a_header_or_a_recipient(post, queued, sink):
    assert len(PAYLOADS) >= 100
    delivered = 0
    for number, payload in enumerate(PAYLOADS):
        parts = {"to": "ann@example.org", "key": f"{sink}:{number}"}
        value = ("ann@example.org" if sink == "to" else "Ann") + payload
        parts |= {"context": {"subject": value}} if sink == "subject" else {sink: value}
        try:
            letter_id = queued(**parts)
        except mail.UnsafeHeader:
            continue
        delivered += mail.send_letter(letter_id) is mail.Outcome.SENT
    caught = post.caught()
    assert len(caught) == delivered
    assert delivered == (0 if sink == "to" else len(TRICKS))
    for one in caught:
        message = email.message_from_bytes(one.raw, policy=policy.default)
        assert one.recipients == ("ann@example.org",)
        assert len(message.keys()) == len(HEADERS)
        assert set(message.keys()) == HEADERS
        assert [address.addr_spec for address in message["To"].addresses] == ["ann@example.org"]


def test_the_clock_of_a_letter_is_ours(post, queued):
    with clock.stopped(now()) as time_now:
        time_now.advance(days=400)
        mail.send_letter(queued())
        message = email.message_from_bytes(post.caught()[0].raw, policy=policy.default)
        assert message["Date"].datetime.year == time_now.at.year
