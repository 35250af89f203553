"""The catcher's pages, its JSON, its faults on demand, and where it may not run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from email.message import EmailMessage
from socket import create_server

import pytest

from donorhub.mail.catcher.store import Store

HOSTILE = '<script>alert(1)</script><p>Hello <a href="https://charity.example/gift">gift</a></p>'


@pytest.fixture
def shown(catcher):
    message = EmailMessage()
    message["From"] = "Cedar Shore <hello@charity.example>"
    message["To"], message["Subject"] = "ann@example.org", "Merci, <b>Zoë</b>"
    message["Message-ID"] = "<one@charity.example>"
    message.set_content("Bonjour <Zoë>")
    message.add_alternative(HOSTILE, subtype="html")
    number = catcher.store.keep(
        sender="hello@charity.example",
        recipients=["ann@example.org"],
        message_id="<one@charity.example>",
        raw=message.as_bytes(),
    )
    return catcher.client.get(f"/messages/{number}")


def test_the_list_of_an_empty_catcher_says_what_to_do(catcher):
    page = catcher.client.get("/")
    assert page.status_code == 200
    assert "No letter has come yet" in page.text


def test_a_letter_shows_its_headers_text_and_html_harmlessly(shown):
    assert "Merci, &lt;b&gt;Zoë&lt;/b&gt;" in shown.text
    assert "Bonjour &lt;Zoë&gt;" in shown.text
    assert "Cedar Shore" in shown.text
    assert "<script" not in shown.text
    assert 'sandbox=""' in shown.text
    assert 'href="https://charity.example/gift"' in shown.text


def test_the_html_part_can_run_nothing_and_load_nothing(shown, catcher):
    part = catcher.client.get(re.search(r'src="([^"]+/html)"', shown.text)[1])
    policy = part.headers["Content-Security-Policy"]
    assert part.text.strip() == HOSTILE
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy


@pytest.mark.parametrize("path", ["/", "/messages/1"])
def test_every_page_has_one_heading_a_language_a_title_and_nothing_inline(shown, catcher, path):
    page = catcher.client.get(path)
    assert page.text.count("<h1") == 1
    assert '<html lang="en">' in page.text
    assert re.search(r"<title>[^<]+</title>", page.text)
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", page.text)
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_the_json_tells_everything(shown, catcher):
    (letter,) = catcher.client.get("/messages.json").json
    assert letter["to"] == ["ann@example.org"]
    assert letter["from"] == "Cedar Shore <hello@charity.example>"
    assert letter["subject"] == "Merci, <b>Zoë</b>"
    assert letter["message_id"] == "<one@charity.example>"
    assert letter["text"].strip() == "Bonjour <Zoë>"
    assert letter["html"].strip() == HOSTILE
    assert letter["copies"] == 1
    assert ["To", "ann@example.org"] in letter["headers"]
    assert letter["received_at"].endswith("+00:00")


def test_the_json_can_be_narrowed_to_one_recipient(shown, catcher):
    assert len(catcher.client.get("/messages.json?to=ann@example.org").json) == 1
    assert catcher.client.get("/messages.json?to=eve@example.org").json == []


def test_clearing_throws_everything_away_and_comes_back_to_the_list(shown, catcher):
    answer = catcher.client.post("/clear")
    assert (answer.status_code, answer.location) == (303, "/")
    assert catcher.client.get("/messages.json").json == []


def test_an_unknown_letter_is_not_found(catcher):
    assert catcher.client.get("/messages/77").status_code == 404


def test_looking_never_clears(shown, catcher):
    assert catcher.client.get("/clear").status_code == 405
    assert len(catcher.caught()) == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no headers at all",
        b"Subject: =?utf-8?q?broken\r\n\r\nx",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/alternative\r\n\r\nno boundary",
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<a href='http://[::1'>x</a>",
        b"From: \xff\xfe\r\nTo: ,,,\r\nSubject: \xff\r\n\r\n\x00",
    ],
)
def test_a_broken_message_is_still_shown(catcher, raw):
    number = catcher.store.keep(sender="", recipients=["a@b.c"], message_id="", raw=raw)
    assert catcher.client.get("/").status_code == 200
    assert catcher.client.get("/messages.json").status_code == 200
    assert catcher.client.get(f"/messages/{number}").status_code == 200


def test_faults_are_set_and_told(catcher):
    wishes = {"down": True, "refuse_rate": 0.25, "tempfail": 3, "drop_after_data": 1}
    answer = catcher.client.post("/behaviour", json=wishes)
    assert answer.status_code == 200
    told = catcher.client.get("/behaviour").json
    assert wishes.items() <= told.items()


@pytest.mark.parametrize(
    "wishes",
    [
        {"dwon": True},
        {"down": 1},
        {"tempfail": -1},
        {"tempfail": True},
        {"tempfail": "3"},
        {"refuse_rate": 1.5},
        {"refuse_rate": True},
        {"latency_ms": 10**9},
        [],
        "down",
    ],
)
def test_a_fault_that_is_not_understood_changes_nothing(catcher, wishes):
    before = catcher.client.get("/behaviour").json
    answer = catcher.client.post("/behaviour", json=wishes)
    assert answer.status_code == 422
    assert answer.json["error"]
    assert catcher.client.get("/behaviour").json == before


def test_a_foreign_host_name_is_refused(catcher):
    assert catcher.client.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_letters_survive_a_restart(tmp_path):
    store = Store(tmp_path / "deep" / "letters.db")
    store.keep(sender="", recipients=["a@b.c"], message_id="<1@x>", raw=b"Subject: x\r\n\r\ny")
    store.close()
    again = Store(tmp_path / "deep" / "letters.db")
    assert [caught.message_id for caught in again.messages()] == ["<1@x>"]
    again.close()


def test_the_catcher_cannot_even_be_imported_in_production():
    for module in ("donorhub.mail.catcher", "donorhub.mail.catcher.web"):
        ended = subprocess.run(
            [sys.executable, "-c", f"import {module}"],
            env={**os.environ, "DONORHUB_ENV": "production"},
            capture_output=True,
            check=False,
        )
        assert ended.returncode != 0
        assert b"cannot be used in production" in ended.stderr


def free_port():
    with create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def test_the_catcher_runs_as_its_own_process_and_stops_when_told(tmp_path):
    smtp, web = free_port(), free_port()
    command = [sys.executable, "-m", "donorhub.mail.catcher", "--store", str(tmp_path / "l.db")]
    command += ["--smtp-port", str(smtp), "--web-port", str(web)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert f":{web}/".encode() in process.stdout.readline()
            with urllib.request.urlopen(f"http://127.0.0.1:{web}/messages.json") as answer:
                assert json.load(answer) == []
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
