"""What a person sees when something goes wrong: what happened, and what to do next."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from tests.builders import a_campaign

MAZES = ("/", "/stories/", "/campaigns/winter-lights/", "/campaigns/winter-lights/give")


def test_a_page_that_is_not_there_shows_the_way_back(browse):
    for address in ("/nothing", "/stories/none/", "/campaigns/none/", "/campaigns/none/give",
                    "/gifts/none/", "/gifts/none/review", "/gifts/none/cancelled"):  # fmt: skip
        page = browse(address, status=404)
        assert "We could not find this page" in page.words
        assert any(link.get("href") == "/stories/" for link in page.all("a"))


def test_an_error_page_speaks_the_readers_language(browse):
    page = browse("/nothing?lang=fr", status=404)
    assert page.all("html")[0]["lang"] == "fr"


def test_a_page_used_the_wrong_way_says_how_to_open_it(client):
    answer = client.put("/press/", headers={"X-CSRFToken": "x"})
    assert answer.status_code in (400, 405)


def test_an_unforeseen_failure_shows_a_calm_page_and_nothing_of_the_inside(
    app, browse, monkeypatch
):
    def broken():
        secret = "SELECT * FROM donors"
        raise RuntimeError(secret)

    monkeypatch.setitem(app.view_functions, "site.press", broken)
    page = browse("/press/", status=500)
    assert "Something went wrong on our side" in page.words
    for leak in ("SELECT", "RuntimeError", "Traceback", "donors", "/work"):
        assert leak not in page.html


def test_a_database_that_is_away_is_said_calmly(app, made, browse, monkeypatch):
    made(a_campaign)

    statement = "SELECT 1"

    def away(*_args, **_kwargs):
        cause = ConnectionError("no route to 10.0.0.1")
        raise OperationalError(statement, {}, cause)

    monkeypatch.setattr("donorhub.campaigns.campaign_page", away)
    page = browse("/campaigns/winter-lights/", status=500)
    assert "10.0.0.1" not in page.html


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "", "a b"]
)
def test_a_foreign_host_name_is_refused_and_never_repeated(made, client, host):
    made(a_campaign)
    for address in MAZES:
        answer = client.get(address, headers={"Host": host})
        assert answer.status_code == 400
        assert "evil.example" not in answer.text


def test_a_forwarded_host_name_changes_no_link(made, client):
    made(a_campaign)
    text = client.get("/", headers={"X-Forwarded-Host": "evil.example"}).text
    assert "evil.example" not in text


@pytest.mark.parametrize("address", ["/campaigns/winter-lights/give", "/webhooks/stripe"])
def test_a_body_that_is_too_large_is_refused_unread(made, client, address):
    made(a_campaign)
    answer = client.post(
        address, data=b"x=" + b"a" * (256 * 1024), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 413


def test_a_form_of_too_many_parts_is_refused(made, client):
    made(a_campaign)
    parts = {f"field{number}": (None, "x") for number in range(200)}
    answer = client.post("/campaigns/winter-lights/give", data=dict.fromkeys(parts, "x"),
                         content_type="multipart/form-data")  # fmt: skip
    assert answer.status_code == 413


def test_addresses_made_of_anything_never_break_a_page(made, client):
    made(a_campaign)
    for address in MAZES:
        for query in ("?lang=%00", "?lang=fr&lang=en", "?page=%FF", "?amount=%F0%9F%92%B6",
                      "?again=a.b.c", "?story=%00", "?amount[]=5", "?" + "x" * 4000,
                      "?story=%27%3B--", "?amount=%ED%A0%80"):  # fmt: skip
            assert client.get(address + query).status_code < 500, (address, query)
    for path in ("/stories/%00/", "/gifts/%00/", "/gifts/%ED%A0%80/", "/%FF",
                 "/campaigns/%F0%9F%92%B6/", "/campaigns/" + "a" * 3000 + "/"):  # fmt: skip
        assert client.get(path).status_code in (400, 404, 414), path
