"""Sending: one letter each, whatever the mail server does in between."""

from __future__ import annotations

import socket
import time
from datetime import timedelta

import pytest
from flask_mail import email_dispatched
from structlog.testing import capture_logs

from donorhub import mail
from donorhub.kit import clock, db, now, unit_of_work
from donorhub.mail import model
from donorhub.mail.catcher import smtp
from donorhub.mail.service import outbox

OUTAGE = timedelta(minutes=10)


def row(letter_id):
    return db.one("SELECT * FROM letters WHERE id = :id", id=letter_id)


def keys_sent():
    sent = db.rows("SELECT key FROM letters WHERE state = 'sent' ORDER BY sent_at, id")
    return [letter.key for letter in sent]


def test_a_queued_letter_is_sent_and_says_so(post, queued):
    letter_id = queued(to="ann@example.org", to_name="Ann Ö.", context={"who": "Ann"})
    assert mail.send_letter(letter_id) is mail.Outcome.SENT
    (caught,) = post.caught()
    kept = row(letter_id)
    assert caught.recipients == ("ann@example.org",)
    assert caught.message_id == kept.message_id
    assert (kept.state, kept.attempts, kept.error) == ("sent", 1, None)
    assert kept.sent_at is not None


def test_a_sent_letter_is_not_sent_again(post, queued):
    letter_id = queued()
    mail.send_letter(letter_id)
    assert mail.send_letter(letter_id) is mail.Outcome.LEFT
    assert mail.send_due() == 0
    assert [caught.copies for caught in post.caught()] == [1]


def test_the_job_sends_the_letter(post, queued):
    letter_id = queued()
    mail.jobs.send_letter(letter_id=letter_id)
    mail.jobs.send_due()
    assert row(letter_id).state == "sent"


def test_a_gate_can_stop_a_letter_for_good(app, post, queued):
    mail.register_gate(app, lambda _letter: None)
    mail.register_gate(app, lambda letter: "withdrawn" if letter.context.get("story") else None)
    stopped, free = queued(context={"story": 7}), queued()
    assert mail.send_letter(stopped) is mail.Outcome.SUPPRESSED
    assert mail.send_due() == 1
    assert (row(stopped).state, row(stopped).suppressed_reason) == ("suppressed", "withdrawn")
    assert row(stopped).sent_at is None
    assert row(free).state == "sent"
    assert len(post.caught()) == 1


def test_a_gate_that_fails_holds_its_letter_back_and_no_other(app, post, queued):
    def ask_a_missing_table(letter):
        return db.one("SELECT * FROM nowhere") if letter.context.get("story") else None

    mail.register_gate(app, ask_a_missing_table)
    held, free = queued(context={"story": 7}), queued()
    assert mail.send_due() == 1
    assert (row(held).state, row(held).error) == ("queued", "ours ProgrammingError")
    assert row(free).state == "sent"


def test_a_temporary_refusal_is_tried_again_later(post, queued):
    post.conduct.change({"tempfail": 1})
    letter_id = queued()
    with clock.stopped(now()) as time_now:
        assert mail.send_letter(letter_id) is mail.Outcome.DELAYED
        assert row(letter_id).error == "later SMTPDataError 451"
        assert mail.send_due() == 0
        time_now.advance(seconds=5)
        assert mail.send_due() == 1
    assert row(letter_id).attempts == 2
    assert [caught.copies for caught in post.caught()] == [1]


def test_a_refused_recipient_is_final(post, queued):
    post.conduct.change({"reject": 1})
    letter_id = queued()
    assert mail.send_letter(letter_id) is mail.Outcome.FAILED
    assert (row(letter_id).state, row(letter_id).error) == (
        "failed",
        "never SMTPRecipientsRefused 550",
    )


def test_a_failed_letter_can_be_queued_again(post, queued):
    post.conduct.change({"reject": 1})
    letter_id = queued()
    mail.send_letter(letter_id)
    assert mail.retry(dry_run=True) == [letter_id]
    assert row(letter_id).state == "failed"
    assert mail.retry([letter_id + 1]) == []
    assert mail.retry([letter_id]) == [letter_id]
    assert mail.send_due() == 1


@pytest.mark.parametrize("fault", [{"down": True}, {"refuse_rate": 1}])
def test_after_an_outage_each_letter_arrives_once(post, queued, fault):
    letter_ids = [queued() for _ in range(30)]
    with clock.stopped(now()) as time_now:
        post.conduct.change(fault)
        end = time_now.at + OUTAGE
        for letter_id in letter_ids:
            mail.send_letter(letter_id)
        while time_now.at < end:
            assert mail.send_due() == 0
            time_now.advance(seconds=10)
        post.conduct.change({"down": False, "refuse_rate": 0})
        for _ in range(31):
            mail.send_due()
            time_now.advance(seconds=10)
    assert [caught.copies for caught in post.caught()] == [1] * 30
    assert {row(letter_id).state for letter_id in letter_ids} == {"sent"}


def test_while_the_server_is_down_no_worker_waits_for_it(post, queued):
    letter_ids = [queued() for _ in range(3)]
    post.conduct.change({"down": True})
    outcomes = [mail.send_letter(letter_id) for letter_id in letter_ids]
    assert outcomes == [mail.Outcome.UNREACHABLE, mail.Outcome.LEFT, mail.Outcome.LEFT]
    assert [row(letter_id).attempts for letter_id in letter_ids] == [1, 0, 0]


def test_when_the_server_answers_again_all_that_waited_go_at_once_in_order(post, queued):
    for _ in range(12):
        queued()
    with clock.stopped(now()) as time_now:
        post.conduct.change({"down": True})
        for _ in range(60):
            mail.send_due()
            time_now.advance(seconds=10)
        post.conduct.change({"down": False})
        queued()
        assert mail.send_due() == 13
    assert keys_sent() == [f"note:{number}" for number in range(13)]


def test_a_server_that_refuses_connections_is_an_outage_too(app, post, queued, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = probe.getsockname()[1]
    monkeypatch.setattr(app.extensions["mail"], "port", closed)
    letter_id = queued()
    assert mail.send_letter(letter_id) is mail.Outcome.UNREACHABLE
    assert row(letter_id).error == "server ConnectionRefusedError"


def test_a_silent_server_is_given_up_in_time(app, post, queued, monkeypatch):
    monkeypatch.setattr(outbox, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(app.extensions["mail"], "port", silent.getsockname()[1])
        began = time.monotonic()
        assert mail.send_letter(queued()) is mail.Outcome.UNREACHABLE
    assert time.monotonic() - began < 3


def test_the_time_limit_holds_for_every_answer_of_the_server(post, queued, monkeypatch):
    monkeypatch.setattr(outbox, "TIMEOUT_SECONDS", 0.2)
    post.conduct.change({"latency_ms": 1500})
    assert mail.send_letter(queued()) is mail.Outcome.UNREACHABLE


def test_a_letter_is_never_sent_in_the_clear_when_encryption_is_asked_for(
    app, post, queued, monkeypatch
):
    monkeypatch.setattr(app.extensions["mail"], "use_tls", True)
    letter_id = queued()
    assert mail.send_letter(letter_id) is mail.Outcome.UNREACHABLE
    assert row(letter_id).error == "server SMTPNotSupportedError"
    assert post.caught() == []


def test_a_lost_answer_leads_to_a_second_copy_with_the_same_id(post, queued):
    post.conduct.change({"drop_after_data": 1})
    letter_id = queued()
    with clock.stopped(now()) as time_now:
        assert mail.send_letter(letter_id) is mail.Outcome.UNREACHABLE
        time_now.advance(seconds=10)
        assert mail.send_due() == 1
    (caught,) = post.caught()
    assert (caught.message_id, caught.copies) == (row(letter_id).message_id, 2)


def test_a_message_the_server_lost_arrives_once(post, queued):
    post.conduct.change({"drop_before_store": 1})
    letter_id = queued()
    with clock.stopped(now()) as time_now:
        mail.send_letter(letter_id)
        time_now.advance(seconds=10)
        assert mail.send_due() == 1
    assert [caught.copies for caught in post.caught()] == [1]


class Killed(BaseException):
    """The process ends here, as if by kill -9: nothing after this line runs."""


def test_a_death_between_the_answer_and_our_commit_costs_one_copy_with_the_same_id(post, queued):
    letter_id = queued()

    def die(*_sent, **_parts):
        raise Killed

    with clock.stopped(now()) as time_now:
        with email_dispatched.connected_to(die), pytest.raises(Killed):
            mail.send_letter(letter_id)
        assert row(letter_id).state == "sending"
        assert mail.send_due() == 0
        time_now.advance(minutes=2)
        assert mail.send_due() == 1
        assert mail.send_due() == 0
    (caught,) = post.caught()
    assert (caught.message_id, caught.copies) == (row(letter_id).message_id, 2)
    assert (row(letter_id).state, row(letter_id).attempts) == ("sent", 2)


def test_a_death_before_the_server_was_spoken_to_costs_nothing(app, post, queued):
    deaths = iter([Killed()])

    def builder(context, locale):
        for death in deaths:
            raise death
        return {}

    mail.register_template(app, "tests/note", builder)
    letter_id = queued()
    with clock.stopped(now()) as time_now:
        with pytest.raises(Killed):
            mail.send_letter(letter_id)
        time_now.advance(minutes=2)
        assert mail.send_due() == 1
    assert [caught.copies for caught in post.caught()] == [1]
    assert row(letter_id).attempts == 2


def test_who_slept_too_long_does_not_send_any_more(app, post, queued):
    letter_id = queued()
    with clock.stopped(now()) as time_now:

        def sleep(context, locale):
            time_now.advance(minutes=3)
            assert other_worker_sends() is mail.Outcome.SENT
            return {}

        def other_worker_sends():
            app.extensions["post_office"].builders.clear()
            with app.app_context():
                return mail.send_letter(letter_id)

        mail.register_template(app, "tests/note", sleep)
        assert mail.send_letter(letter_id) is mail.Outcome.LEFT
    assert [caught.copies for caught in post.caught()] == [1]
    assert row(letter_id).state == "sent"


def test_who_was_overtaken_changes_nothing_any_more(post, queued):
    letter_id = queued()
    with clock.stopped(now()) as time_now, unit_of_work():
        stale = model.claim(letter_id, at=now())
        time_now.advance(minutes=2)
        fresh = model.claim(letter_id, at=now())
        assert fresh.attempts == stale.attempts + 1
        assert not model.mark_failed(stale, error="ours KeyError")
        assert not model.mark_sent(stale, at=now())
        assert model.mark_sent(fresh, at=now())


def test_a_letter_that_kills_every_worker_is_given_up_in_the_end(post, queued):
    letter_id = queued()
    with clock.stopped(now()) as time_now:
        for _ in range(48):
            with unit_of_work():
                assert model.claim(letter_id, at=now())
            time_now.advance(minutes=2)
        assert mail.send_letter(letter_id) is mail.Outcome.FAILED
    assert row(letter_id).error == "ours Abandoned"
    assert post.caught() == []


def test_broken_letters_stop_no_other_and_are_given_up_after_twelve_tries(app, post, queued):
    def builder(context, locale):
        return {"who": 1 // context["divisor"]}

    mail.register_template(app, "tests/note", builder)
    letter_ids = [queued(context={"divisor": number % 10}) for number in range(20)]
    broken = [letter_ids[0], letter_ids[10]]
    with clock.stopped(now()) as time_now:
        assert mail.send_due() == 18
        for _ in range(11):
            time_now.advance(minutes=5)
            mail.send_due()
    assert [(row(one).state, row(one).attempts) for one in broken] == [("failed", 12)] * 2
    assert row(broken[0]).error == "ours ZeroDivisionError"
    assert len(post.caught()) == 18


def test_a_builder_that_breaks_the_transaction_stops_no_other(app, post, queued):
    def builder(context, locale):
        return {"who": db.one("SELECT * FROM nowhere") if context.get("broken") else "Ann"}

    mail.register_template(app, "tests/note", builder)
    broken, free = queued(context={"broken": True}), queued()
    assert mail.send_due() == 1
    assert row(broken).error == "ours ProgrammingError"
    assert row(free).state == "sent"


def test_the_log_says_what_happened_and_never_to_whom(post, queued):
    post.conduct.change({"tempfail": 1, "reject": 1})
    with capture_logs() as lines:
        for _ in range(3):
            mail.send_letter(queued(to_name="Zebedee"))
        post.conduct.change({"down": True})
        mail.send_letter(queued(to_name="Zebedee"))
    events = [line["event"] for line in lines]
    assert events == ["letter_failed", "letter_delayed", "letter_sent", "letter_delayed"]
    assert "@" not in str(lines)
    assert "Zebedee" not in str(lines)
    assert "donor" not in str(lines)


def test_no_letter_is_sent_inside_a_unit_of_work(post, queued):
    letter_id = queued()
    with unit_of_work(), pytest.raises(RuntimeError):
        mail.send_letter(letter_id)
    assert post.caught() == []


def test_a_batch_goes_on_after_a_refusal_in_its_middle(post, queued):
    for _ in range(150):
        queued()
    post.conduct.change({"tempfail": 2})
    with clock.stopped(now()) as time_now:
        assert mail.send_due() == 148
        time_now.advance(seconds=5)
        assert mail.send_due() == 2
    assert [caught.copies for caught in post.caught()] == [1] * 150


def test_a_batch_goes_on_when_the_server_closes_an_idle_connection(app, post, queued, monkeypatch):
    monkeypatch.setattr(smtp, "IDLE_SECONDS", 0.1)

    def dawdle(context, locale):
        time.sleep(0.3)
        return {}

    mail.register_template(app, "tests/note", dawdle)
    for _ in range(3):
        queued()
    assert mail.send_due() == 3
    assert [caught.copies for caught in post.caught()] == [1] * 3
