"""Tokens nobody can guess or change, languages, and logs that know nobody."""

from __future__ import annotations

import io
import json

import pytest
import structlog
from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from donorhub.kit import locales, logs, tokens


@pytest.fixture
def tiny():
    app = Flask("tiny")
    app.secret_key = "a secret of the tests, long enough for anyone"
    with app.app_context():
        yield app


def test_public_ids_are_long_random_and_safe_in_an_address():
    found = {tokens.public_id() for _ in range(2000)}
    assert len(found) == 2000
    assert {len(one) for one in found} == {22}
    assert all(sign.isalnum() or sign in "-_" for one in found for sign in one)


def test_a_token_comes_back_for_its_own_purpose_only(tiny):
    token = tokens.sign("again", {"gift": "x"})
    assert tokens.read("again", token, max_age=60) == {"gift": "x"}
    assert tokens.read("cancel-gift", token, max_age=60) is None


def test_a_changed_foreign_or_old_token_is_nothing(tiny):
    token = tokens.sign("again", {"gift": "x"})
    for wrong in (token[:-1], token[1:], "", ".", "a.b.c", "é", token + "A", token.swapcase()):
        assert tokens.read("again", wrong, max_age=60) is None
    assert tokens.read("again", token, max_age=-1) is None
    tiny.secret_key = "another secret"
    assert tokens.read("again", token, max_age=60) is None


def test_a_token_that_carries_no_mapping_is_nothing(tiny):
    other = URLSafeTimedSerializer(tiny.secret_key, salt="donorhub.again").dumps(["x"])
    assert tokens.read("again", other, max_age=60) is None


def test_a_fingerprint_is_stable_keyed_and_tells_purposes_apart(tiny):
    first = tokens.fingerprint("donor", "maya@example.org")
    assert first == tokens.fingerprint("donor", "maya@example.org")
    assert "maya" not in first
    assert first != tokens.fingerprint("sender", "maya@example.org")
    tiny.secret_key = "another secret"
    assert first != tokens.fingerprint("donor", "maya@example.org")


@pytest.mark.parametrize(
    ("asked", "cookie", "header", "chosen"),
    [
        ("fr", "en", "en", "fr"), ("", "fr", "en", "fr"), ("de", "xx", "fr-CA,fr;q=0.9", "fr"),
        ("", "", "fr;q=0.1,en;q=0.9", "en"), ("", "", "de", "en"), ("", "", "", "en"),
        ("", "", "x" * 10_000, "en"), ("", "", "fr;q=2;;,,=", "en"), ("<b>", "'", "\x00", "en"),
    ],
)  # fmt: skip
def test_a_language_is_asked_for_then_remembered_then_the_browsers(asked, cookie, header, chosen):
    assert locales.preferred(asked, cookie, header, "en") == chosen


def test_a_text_is_shown_in_the_wished_the_original_or_any_language():
    both = {"en": "Yes", "fr": "Oui"}
    assert locales.text_for(both, "fr") == ("fr", "Oui")
    assert locales.text_for({"fr": "Oui"}, "en") == ("fr", "Oui")
    assert locales.text_for(both | {"cr": "Ehe"}, "xx", "cr") == ("cr", "Ehe")
    with pytest.raises(LookupError):
        locales.text_for({}, "en")


@pytest.mark.parametrize("name", sorted(logs.PERSONAL))
def test_a_field_named_after_people_is_withheld(name):
    found = logs.without_personal_data(None, "info", {"event": "x", name: "maya@example.org"})
    assert found == {"event": "x", name: "withheld"}


def test_what_is_logged_is_short_plain_and_on_one_line():
    event = {"event": "x", "reason": "a\nb\x1b[31m" + "y" * 999, "row": {"email": "m@x"}, "n": 3}
    found = logs.without_personal_data(None, "info", event)
    assert found["reason"].startswith("a\\nb\\x1b[31my")
    assert len(found["reason"]) < 400
    assert (found["row"], found["n"]) == ("dict", 3)


def test_production_logs_are_one_json_object_a_line(monkeypatch):
    before, out = structlog.get_config(), io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    try:
        logs.configure(production=True)
        structlog.get_logger().info("gift.received", gift_id=7, email="maya@example.org")
    finally:
        structlog.configure(**before)
    line = json.loads(out.getvalue())
    assert (line["event"], line["gift_id"], line["email"]) == ("gift.received", 7, "withheld")
    assert "maya" not in out.getvalue()
