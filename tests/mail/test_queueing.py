"""Queueing: a letter commits or vanishes with what it tells, and a key makes it one."""

from __future__ import annotations

import threading

import pytest

from donorhub import mail
from donorhub.kit import db, events, unit_of_work


def a_letter(**parts):
    given = {"to": "ann@example.org", "template": "tests/note", "key": "note:1"}
    return mail.Letter(**{**given, **parts})


def letters_and_jobs():
    letters = db.one("SELECT count(*) AS n FROM letters").n
    jobs = "SELECT count(*) AS n FROM procrastinate_jobs WHERE task_name = 'mail.send_letter'"
    return letters, db.one(jobs).n


def test_a_letter_and_its_job_are_kept_together(post):
    with unit_of_work():
        assert mail.queue(a_letter())
    assert letters_and_jobs() == (1, 1)


def test_a_letter_and_its_job_vanish_together(post):
    with pytest.raises(ZeroDivisionError), unit_of_work():
        assert mail.queue(a_letter()) / 0
    assert letters_and_jobs() == (0, 0)


def test_a_key_is_queued_once(post):
    for expected in (True, False):
        with unit_of_work():
            assert mail.queue(a_letter()) is expected
    assert letters_and_jobs() == (1, 1)


def test_a_letter_is_queued_inside_a_unit_of_work_only(post):
    with pytest.raises(RuntimeError, match="inside a unit of work"):
        mail.queue(a_letter())
    assert letters_and_jobs() == (0, 0)


def test_a_key_is_queued_once_by_two_at_the_same_moment(app, post):
    start = threading.Barrier(8)
    answers = []

    def queue():
        with app.app_context():
            start.wait()
            with unit_of_work():
                answers.append(mail.queue(a_letter()))

    threads = [threading.Thread(target=queue) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 7 + [True]
    assert letters_and_jobs() == (1, 1)


@pytest.mark.parametrize(
    "parts",
    [
        {"to": "ann@example.org, eve@example.org"},
        {"to_name": "Ann\r\nBcc: eve@example.org"},
        {"key": "thanks:ann@example.org"},
        {"template": "../../etc/passwd"},
        {"locale": "xx"},
    ],
)
def test_what_may_not_go_out_is_not_even_a_letter(parts):
    with pytest.raises(mail.UnsafeHeader):
        a_letter(**parts)


def test_the_refusal_of_a_letter_does_not_repeat_the_address():
    with pytest.raises(mail.UnsafeHeader) as refusal:
        a_letter(to="zebedee at example.org")
    assert "zebedee" not in str(refusal.value)


def test_the_jobs_of_the_post_are_registered():
    assert {"mail.send_letter", "mail.send_due"} <= set(events.job_names())
