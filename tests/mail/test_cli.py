"""The mail commands: what stands where, and failed letters tried again."""

from __future__ import annotations

import pytest

from donorhub import mail


@pytest.fixture
def failed(post, queued):
    post.conduct.change({"reject": 2})
    letter_ids = [queued() for _ in range(3)]
    for letter_id in letter_ids:
        mail.send_letter(letter_id)
    return letter_ids[:2]


@pytest.fixture
def run(app, post):
    def invoke(*words):
        return app.test_cli_runner().invoke(mail.commands, words)

    return invoke


def test_letters_are_listed_without_anybodys_address(failed, run):
    shown = run("list")
    assert shown.exit_code == 0
    assert "3 letters." in shown.output
    assert "never SMTPRecipientsRefused 550" in shown.output
    assert "example.org" not in shown.output


def test_the_list_can_be_narrowed(failed, run):
    assert "2 letters." in run("list", "--state", "failed").output
    assert "1 letters." in run("list", "--limit", "1").output


def test_a_dry_run_names_the_letters_and_leaves_them(failed, run):
    shown = run("retry", "--all", "--dry-run")
    assert "2 letters would be queued again." in shown.output
    assert mail.send_due() == 0


def test_failed_letters_are_tried_again_all_or_by_name(failed, run):
    assert "1 letters are queued again." in run("retry", str(failed[0])).output
    assert mail.send_due() == 1
    assert "1 letters are queued again." in run("retry", "--all").output
    assert mail.send_due() == 1
    assert "0 letters are queued again." in run("retry", "--all").output


def test_trying_again_asks_which(failed, run):
    assert run("retry").exit_code == 2
    assert run("retry", "1", "--all").exit_code == 2
