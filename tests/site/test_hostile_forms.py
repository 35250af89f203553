"""Whatever is typed: a gift of exactly that, or an error beside its field and nothing lost."""

from __future__ import annotations

import html
from urllib.parse import quote_plus

import pytest

from donorhub.kit import db
from tests.site.conftest import GIVE, TOKEN

HUGE = "1" * 10_000
REFUSED = ["1e3", "NaN", "-5", "0", "0.00", "١٠", "123456789", "19.999", "1.2.3", "12,34,56",
           "$", "",
           "  ", "🪙", "５０", "0x10", "Infinity", "50%", "--", "1_000", "½", "<b>5</b>", "50\x00",
           "1 0", "50 CAD or more", HUGE]  # fmt: skip
ACCEPTED = {"19.99": 1999, "1.024,20": 102420, "1,024.20": 102420, "1 024,20": 102420, "$50": 5000,
            " 50 ": 5000, "50,5": 5050, "1,000": 100000, "1": 100, "0050": 5000,
            "1\u202f024,20": 102420}  # fmt: skip


def field(page, name):
    return next(found for found in page.all("input") if found.get("name") == name)


def is_refused_beside(answer, name):
    """The error stands beside its field, tied to it, and in the summary that leads to it."""
    assert answer.status_code == 422
    page = answer.page
    box = next(f for f in page.all("input", "textarea") if f.get("id") == name)
    assert box["aria-invalid"] == "true"
    assert f"{name}-error" in box["aria-describedby"]
    assert {"href": f"#{name}"} in page.all("a")
    assert any(part.get("id") == "errors" and part["role"] == "alert" for part in page.all("div"))
    return page


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_no_amount_is_refused_and_everything_typed_stays(campaign, form, typed):
    answer = form(amount=typed, message="For Lina’s lamp", cover_fee="y", anonymous="y")
    page = is_refused_beside(answer, "amount")
    kept = {name: field(page, name)["value"] for name in ("first_name", "last_name", "email")}
    assert kept == {"first_name": "Maya", "last_name": "Tremblay", "email": "maya@example.org"}
    assert "checked" in field(page, "cover_fee")
    assert "checked" in field(page, "anonymous")
    assert "For Lina’s lamp" in page.words
    if typed.strip() and "\0" not in typed:
        assert (
            html.escape(typed, quote=False) in answer.text
            or typed in field(page, "amount")["value"]
        )


@pytest.mark.parametrize(("typed", "minor"), ACCEPTED.items())
def test_what_can_mean_one_amount_only_is_taken(campaign, form, made, typed, minor):
    assert form(amount=typed).status_code == 303
    assert made(lambda: db.one("SELECT intended_minor AS n FROM gifts").n) == minor


def test_the_comma_of_french_readers_is_theirs(campaign, form, made):
    assert form(address=f"{GIVE}?lang=fr", amount="19,99").status_code == 303
    assert made(lambda: db.one("SELECT intended_minor AS n FROM gifts").n) == 1999


@pytest.mark.parametrize("amount", ["999999.99", "100000000"])
def test_too_much_says_what_can_be_given(campaign, form, amount):
    words = is_refused_beside(form(amount=amount), "amount").words
    assert "The most that can be given here at once is" in words


def test_too_little_says_the_least(campaign, form):
    words = is_refused_beside(form(amount="0.99"), "amount").words
    assert "The least that can be given here is $1." in words


def test_an_amount_sent_many_times_counts_once(campaign, form, client, made):
    token = TOKEN.search(client.get(GIVE).text)[1]
    answer = client.post(GIVE, data={"csrf_token": token, "amount": ["5", "6"], "amount[]": "7",
                                     "form_key": "a", "frequency": "once", "first_name": ["A", "B"],
                                     "last_name": "C", "email": ["a@example.org",
        "b@example.org"]})  # fmt: skip
    assert answer.status_code == 303
    assert made(lambda: db.one("SELECT intended_minor AS n FROM gifts").n) == 500


NAMES = ["<script>alert(1)</script>", "'; DROP TABLE gifts; --", "{{ 7*7 }}", "%(name)s",
         "Ægir Ñandú",
         "李", "O’Brien-Śmith", "=cmd|' /C calc'!A0", "\u202eevil", "a\r\nBcc: x@example.org", "%s",
         "x" * 80, "👩‍👩‍👧", "a\x00b"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_taken_as_words(campaign, form, made, browse, name):
    answer = form(first_name=name, last_name=name, review="1")
    assert answer.status_code == 303
    page = browse(answer.location.replace("/review", "/"))
    assert "<script>alert" not in page.html
    stored = made(lambda: db.one("SELECT first_name AS name FROM gifts").name)
    assert not any(sign in stored for sign in "\r\n\x00\u202e")


@pytest.mark.parametrize(("name", "typed"), [
    ("first_name", ""), ("first_name", " \u200b\t"), ("last_name", "\x00"), ("first_name",
        "x" * 81),
    ("last_name", "y" * 10_000), ("email", ""), ("email", "maya"), ("email", "maya@"),
    ("email", "a@b@c.org"), ("email", "a b@example.org"), ("email",
        "a@example.org\r\nBcc: b@x.org"),
    ("email", "a@example.org,b@example.org"), ("email", "<a@example.org>"), ("email",
        "a" * 300 + "@x.org"),
    ("email", "maya@exam\x00ple.org"), ("email", "maya@-.org"), ("email", "🙂@example.org\n"),
    ("email", HUGE), ("message", "m" * 501), ("message", "🙂" * 5_000),
])  # fmt: skip
def test_what_cannot_be_used_is_said_beside_its_field(campaign, form, made, name, typed):
    answer = form(**{name: typed})
    if answer.status_code == 303:
        assert name == "email"
        pytest.fail(
            f"{typed!r} was taken as {made(lambda: db.one('SELECT email FROM gifts').email)!r}"
        )
    page = is_refused_beside(answer, name)
    assert field(page, "amount")["value"] == "50" or any(
        "checked" in radio for radio in page.all("input") if radio.get("type") == "radio"
    )


@pytest.mark.parametrize("message", ["<script>alert(1)</script>", "a\r\n.\r\nQUIT", "\x00\x07",
                                     "é" * 500,
                                     "{{ config }}", "\u2028\u2029", "💛"])  # fmt: skip
def test_any_short_message_is_taken(campaign, form, message):
    assert form(message=message).status_code == 303


@pytest.mark.parametrize(("change", "said"), [
    ({"frequency": "monthly"}, "Gifts can be made once for now."),
    ({"frequency": ""}, "Gifts can be made once for now."),
    ({"website": "https://spam.example"}, "Leave this field empty."),
])  # fmt: skip
def test_what_no_person_could_send_is_refused_with_one_word(campaign, form, change, said):
    answer = form(**change)
    assert answer.status_code == 422
    assert answer.page.words.count(said) == 1


@pytest.mark.parametrize("change", [
    {"story": "\x00"}, {"story": "../../etc/passwd"}, {"story": "x" * 5000}, {"page": "\x00'"},
    {"form_key": "\x00"}, {"form_key": "k" * 5000}, {"form_key": ""}, {"amount_tile": "25"},
    {"cover_fee": "maybe"}, {"anonymous": "\x00"}, {"review": "\x00"}, {"extra": HUGE},
])  # fmt: skip
def test_hidden_fields_changed_by_hand_break_nothing(campaign, form, change):
    assert form(**change).status_code in (303, 422)


@pytest.mark.parametrize("name", ["amount", "first_name", "email", "message", "story", "form_key"])
@pytest.mark.parametrize("raw", ["%ED%A0%80", "%FF%FE", "%00", "%C0%80", "%F0%9F%92"])
def test_bytes_that_are_no_text_break_nothing(campaign, client, name, raw):
    token = TOKEN.search(client.get(GIVE).text)[1]
    fields = {"csrf_token": token, "form_key": "a", "frequency": "once", "amount": "5",
              "first_name": "A", "last_name": "B", "email": "a@example.org"}  # fmt: skip
    fields.pop(name, None)
    body = "&".join(f"{key}={quote_plus(value)}" for key, value in fields.items())
    answer = client.post(GIVE, data=f"{body}&{name}={raw}".encode(),
                         content_type="application/x-www-form-urlencoded")  # fmt: skip
    assert answer.status_code in (303, 422)


def test_a_form_sent_as_something_else_breaks_nothing(campaign, client):
    for content_type, body in (("application/json", b"{}"), ("multipart/form-data", b"--"), ("",
                               b"\xff"),
                               ("multipart/form-data; boundary=a", b"--a\r\nbroken"),
                               ("application/x-www-form-urlencoded", b"&&==&%")):  # fmt: skip
        assert client.post(GIVE, data=body, content_type=content_type).status_code in (400, 422)
