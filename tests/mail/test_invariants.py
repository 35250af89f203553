"""What is promised of letters (I8): the database refuses it, and the check finds it."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from donorhub import mail
from donorhub.kit import clock, db, now, session, unit_of_work

A_ROW = {
    "key": "'note:1'",
    "template": "'tests/note'",
    "locale": "'en'",
    "to_address": "'ann@example.org'",
    "to_name": "'Ann'",
    "context": "'{}'",
    "state": "'queued'",
    "attempts": "0",
    "due_at": ":now",
    "lease_until": "NULL",
    "message_id": "'<letter-1@charity.example>'",
    "sent_at": "NULL",
    "suppressed_reason": "NULL",
    "error": "NULL",
    "created_at": ":now",
}
ANOTHER = {"key": "'note:2'", "message_id": "'<letter-2@charity.example>'"}


def insert(**parts):
    row = {**A_ROW, **parts}
    columns, values = ", ".join(row), ", ".join(row.values())
    sql = f"INSERT INTO letters ({columns}) VALUES ({values})"
    db.run(sql, now=now())


def broken():
    return [line for invariant in mail.invariants() for line in invariant.find()]


CORRUPTIONS = [
    ("uq_letters_key", ANOTHER | {"key": A_ROW["key"]}, "share a key"),
    ("uq_letters_message_id", ANOTHER | {"message_id": A_ROW["message_id"]}, "share a Message-ID"),
    ("ck_letters_sent", ANOTHER | {"state": "'sent'", "attempts": "1"}, "is sent without a time"),
    (
        "ck_letters_sent",
        ANOTHER | {"state": "'suppressed'", "suppressed_reason": "'no'", "sent_at": ":now"},
        "is suppressed",
    ),
    ("ck_letters_suppressed", ANOTHER | {"state": "'suppressed'"}, "is suppressed without"),
    ("ck_letters_sent", ANOTHER | {"sent_at": ":now"}, "says otherwise"),
    ("ck_letters_lease", ANOTHER | {"lease_until": ":now"}, "says otherwise"),
    ("ck_letters_lease", ANOTHER | {"state": "'sending'", "attempts": "1"}, "says otherwise"),
]


@pytest.mark.parametrize(("constraint", "corruption", "found"), CORRUPTIONS)
def test_each_corruption_is_refused_and_found_if_it_were_not(post, constraint, corruption, found):
    insert()
    assert broken() == []
    with pytest.raises(IntegrityError, match=constraint), session.begin_nested():
        insert(**corruption)
    db.run(f"ALTER TABLE letters DROP CONSTRAINT {constraint}")
    insert(**corruption)
    lines = broken()
    session.rollback()
    assert len(lines) == 1
    assert found in lines[0]
    assert "example" not in lines[0]


@pytest.mark.parametrize(
    ("constraint", "parts"),
    [
        ("ck_letters_to_name", {"to_name": "E'Ann\\nBcc: eve@example.org'"}),
        ("ck_letters_to_name", {"to_name": "E'Ann\\u2028'"}),
        ("ck_letters_to_address", {"to_address": "'ann@example.org,eve@example.org'"}),
        ("ck_letters_to_address", {"to_address": "E'ann@example.org\\n'"}),
        ("ck_letters_key", {"key": "'thanks:ann@example.org'"}),
        ("ck_letters_template", {"template": "'../x'"}),
        ("ck_letters_error", {"error": "'refused ann@example.org'"}),
        ("ck_letters_failed", {"state": "'failed'"}),
        ("ck_letters_state", {"state": "'lost'"}),
        ("ck_letters_context", {"context": "'[]'"}),
        ("ck_letters_message_id", {"message_id": "E'<a@b>\\r\\nBcc: c'"}),
        ("ck_letters_tried", {"state": "'sent'", "sent_at": ":now"}),
    ],
)
def test_the_database_refuses_what_no_letter_may_be(post, constraint, parts):
    with pytest.raises(IntegrityError, match=constraint):
        insert(**parts)


def test_a_letter_forgotten_for_over_four_hours_is_found(post, queued):
    letter_id = queued()
    with clock.stopped(now()) as time_now:
        time_now.advance(hours=3, minutes=59)
        assert broken() == []
        time_now.advance(minutes=2)
        assert broken() == [f"letter {letter_id} has been due for over four hours"]


def test_a_letter_whose_bearer_is_long_gone_is_found(post, queued):
    letter_id = queued()
    with unit_of_work():
        db.run(
            "UPDATE letters SET state = 'sending', attempts = 1, lease_until = :at WHERE id = :id",
            at=now(),
            id=letter_id,
        )
    with clock.stopped(now()) as time_now:
        time_now.advance(hours=5)
        assert broken() == [f"letter {letter_id} has been due for over four hours"]


def test_letters_in_every_state_keep_all_promises(app, post, queued):
    mail.register_gate(app, lambda letter: "withdrawn" if letter.context.get("story") else None)
    mail.send_letter(queued())
    mail.send_letter(queued(context={"story": 7}))
    post.conduct.change({"reject": 1})
    mail.send_letter(queued())
    post.conduct.change({"down": True})
    mail.send_letter(queued())
    states = {row.state for row in mail.letter_rows()}
    assert states == {"sent", "suppressed", "failed", "queued"}
    assert broken() == []
