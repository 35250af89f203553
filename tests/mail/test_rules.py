"""Rules of letters: headers, addresses, waiting, giving up."""

from __future__ import annotations

import math
import smtplib
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorhub.mail import rules
from donorhub.mail.rules import Trouble


@pytest.mark.parametrize("sign", "\r\n\v\f\x00\x1c\x1d\x1e\x7f\x85\u2028\u2029\ud800\u202e\u2066")
def test_a_header_refuses_every_sign_that_breaks_or_turns_a_line(sign):
    assert rules.header_fault(f"Ann{sign}Bcc: eve@example.org")


@given(st.text(max_size=120))
def test_whatever_a_header_accepts_is_one_line_everywhere(text):
    if rules.header_fault(text) is None:
        assert len(text.splitlines()) <= 1
        assert text.encode().decode() == text


@pytest.mark.parametrize(
    "name", ["Ann", "Zoë L'Écuyer-Tremblay", "李小龍", "عائشة", "O\u2019Neil 👩‍👧", ""]
)
def test_names_of_real_people_are_accepted(name):
    assert rules.header_fault(name) is None


def test_a_name_may_be_long_but_not_endless():
    assert rules.header_fault("n" * 120) is None
    assert rules.header_fault("n" * 121)


@pytest.mark.parametrize(
    "address",
    [
        "a@b.ca",
        "first.last+tag@mail.example.org",
        "o'neil@example.org",
        "x@bücher.example",
        "x@xn--bcher-kva.example",
        "l" * 64 + "@example.org",
    ],
)
def test_plain_addresses_are_accepted(address):
    assert rules.address_fault(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ann",
        "@example.org",
        "ann@",
        "ann@localhost",
        "a@b@example.org",
        "ann@example.org,eve@example.org",
        "ann@example.org;eve@example.org",
        "ann@example.org eve@example.org",
        "Ann <ann@example.org>",
        "<ann@example.org>",
        '"ann eve"@example.org',
        "ann(eve)@example.org",
        "ann@[127.0.0.1]",
        "ann@example..org",
        "ann@-example.org",
        "ann@example.org.",
        ".ann@example.org",
        "ann.@example.org",
        "an..n@example.org",
        "élise@example.org",
        "=?utf-8?q?eve?=@example.org",
        "ann@example.org\r\nBcc: eve@example.org",
        "ann\u2028@example.org",
        "l" * 65 + "@example.org",
        "ann@" + "d" * 64 + ".org",
        "ann@" + "d." * 130 + "org",
    ],
)
def test_anything_but_one_plain_address_is_refused(address):
    assert rules.address_fault(address)


def test_a_key_is_made_of_ids_and_dates_and_never_of_an_address():
    assert rules.key_fault("gift-thanks:17/2026-11-30T12:00:00+00:00") is None
    assert rules.key_fault("thanks:ann@example.org")
    assert rules.key_fault("")
    assert rules.key_fault("k" * 201)


def test_a_template_name_cannot_leave_its_folder():
    assert rules.template_fault("receipts/gift-thanks") is None
    for name in ("../secrets", "giving/../../x", "giving", "/giving/x", "Giving/x", "giving/x\n"):
        assert rules.template_fault(name)


@pytest.mark.parametrize(
    "context",
    [
        {"who": "a\0b"},
        {"deep": [{"who": "\\\\\0"}]},
        {"who": "\ud800"},
        {"at": object()},
        {"n": math.nan},
        {"when": date(2026, 1, 1)},
    ],
)
def test_a_context_that_cannot_be_stored_is_refused(context):
    assert rules.context_fault(context)


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.booleans() | st.none()))
def test_ids_and_plain_values_make_a_context(context):
    assert (rules.context_fault(context) is None) == ("\0" not in "".join(context))


def test_a_text_about_nul_is_not_a_nul():
    assert rules.context_fault({"who": "\\u0000", "path": "c:\\\\u0000"}) is None


def test_a_message_id_is_new_each_time_and_carries_the_domain():
    first, second = (rules.new_message_id("charity.example") for _ in range(2))
    assert first != second
    assert first.endswith("@charity.example>")


def test_the_waits_grow_and_then_stay_at_five_minutes():
    waits = [rules.wait_after(tries).seconds for tries in (1, 2, 3, 4, 5, 47)]
    assert waits == [5, 15, 60, 300, 300, 300]


def test_a_letter_is_tried_for_close_to_four_hours():
    whole = sum((rules.wait_after(tries) for tries in range(1, rules.MOST_TRIES)), timedelta())
    assert timedelta(hours=3, minutes=30) < whole < timedelta(hours=4)


@given(st.integers(min_value=1, max_value=100))
def test_a_broken_template_is_given_up_earlier_than_a_silent_server(tries):
    assert rules.gives_up(Trouble.NEVER, tries=tries)
    assert rules.gives_up(Trouble.OURS, tries=tries) == (tries >= 12)
    assert rules.gives_up(Trouble.SERVER, tries=tries) == (tries >= 48)
    assert rules.gives_up(Trouble.LATER, tries=tries) == (tries >= 48)


WHO = "ann@example.org"
ERRORS = [
    (smtplib.SMTPRecipientsRefused({WHO: (550, b"no such user")}), Trouble.NEVER, "550"),
    (smtplib.SMTPRecipientsRefused({WHO: (450, b"greylisted")}), Trouble.LATER, "450"),
    (smtplib.SMTPRecipientsRefused({WHO: (421, b"closing")}), Trouble.SERVER, "421"),
    (smtplib.SMTPDataError(554, b"spam"), Trouble.NEVER, "554"),
    (smtplib.SMTPDataError(451, b"later"), Trouble.LATER, "451"),
    (smtplib.SMTPSenderRefused(550, b"who are you", WHO), Trouble.LATER, "550"),
    (smtplib.SMTPSenderRefused(552, b"too long", WHO), Trouble.NEVER, "552"),
    (smtplib.SMTPSenderRefused(421, b"closing", WHO), Trouble.SERVER, "421"),
    (smtplib.SMTPServerDisconnected("gone " + WHO), Trouble.SERVER, ""),
    (smtplib.SMTPConnectError(554, b"go away"), Trouble.SERVER, "554"),
    (smtplib.SMTPConnectError(-1, b"nonsense"), Trouble.SERVER, ""),
    (smtplib.SMTPAuthenticationError(535, b"wrong password"), Trouble.SERVER, "535"),
    (smtplib.SMTPNotSupportedError("STARTTLS"), Trouble.SERVER, ""),
    (ConnectionRefusedError(111, "refused"), Trouble.SERVER, ""),
    (TimeoutError("timed out"), Trouble.SERVER, ""),
    (KeyError(WHO), Trouble.OURS, ""),
]


@pytest.mark.parametrize(("error", "trouble", "code"), ERRORS)
def test_each_error_is_somebodys_trouble(error, trouble, code):
    assert rules.trouble_of(error) is trouble


@pytest.mark.parametrize(("error", "trouble", "code"), ERRORS)
def test_an_error_is_noted_without_the_address(error, trouble, code):
    words = [trouble.value, type(error).__name__, code]
    assert rules.error_text(error, trouble) == " ".join(word for word in words if word)
