"""Several workers at once, on connections of their own: each letter goes once."""

from __future__ import annotations

import threading

from donorhub import mail
from donorhub.kit import db


def at_once(app, *pieces):
    """Run every piece in a thread and an app context of its own; return what each gave."""
    start = threading.Barrier(len(pieces))
    answers = []

    def run(piece):
        with app.app_context():
            start.wait()
            answers.append(piece())

    threads = [threading.Thread(target=run, args=(piece,)) for piece in pieces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_two_workers_never_send_the_same_letter(app, post, queued):
    for _ in range(25):
        letter_id = queued()
        answers = at_once(app, *[lambda: mail.send_letter(letter_id)] * 4)  # noqa: B023
        assert sorted(answers) == ["left", "left", "left", "sent"]
    assert [caught.copies for caught in post.caught()] == [1] * 25


def test_workers_share_what_is_due_and_send_each_letter_once(app, post, queued):
    for _ in range(60):
        queued()
    sent = at_once(app, *[mail.send_due] * 4)
    assert sum(sent) == 60
    assert [caught.copies for caught in post.caught()] == [1] * 60
    assert db.one("SELECT count(*) AS n FROM letters WHERE attempts <> 1").n == 0


def test_a_letter_is_shown_to_its_gate_by_one_worker_only(app, post, queued):
    asked = []
    mail.register_gate(app, lambda letter: asked.append(letter.key))
    letter_id = queued()
    at_once(app, *[lambda: mail.send_letter(letter_id)] * 6)
    assert len(asked) == 1
