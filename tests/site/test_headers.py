"""What every answer carries: the exact policy, cookies nobody else reads, an id to ask about."""

from __future__ import annotations

import dataclasses

import pytest

from donorhub.wiring import create_app
from tests.builders import a_campaign, a_gift

SITE = "https://give.keeplight.example.org"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'{form}; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'; {upgrade}report-uri /csp-report; report-to csp"
)
EVERYWHERE = {
    "Reporting-Endpoints": 'csp="/csp-report"',
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Frame-Options": "DENY",
}
ADDRESSES = ("/", "/nothing-here", "/stories/feed.atom", "/robots.txt", "/sitemap.xml", "/healthz",
             "/readyz", "/metrics", "/api/openapi.json", "/campaigns/winter-lights/",
             "/campaigns/winter-lights/give?lang=fr", "/stories/?page=0",
        "/gifts/none/")  # fmt: skip
OFF = ("camera", "geolocation", "microphone", "payment", "usb", "autoplay", "fullscreen")


@pytest.fixture(scope="module")
def production(built_app, settings):
    """The app as a charity serves it: https, a host name, no simulator of anything."""
    real = dataclasses.replace(
        settings,
        environment="production",
        public_url=SITE,
        trusted_hosts=("give.keeplight.example.org",),
    )
    app = create_app(real)
    app.config["TESTING"] = True
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def visitor(app, production):
    client = production.test_client()
    return lambda path, **options: client.get(path, base_url=SITE, **options)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_the_exact_headers(stripe_simulator, made, client, address):
    made(a_campaign)
    answer = client.get(address)
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    bank = f" {stripe_simulator.url}" if "/give" in address else ""
    assert answer.headers["Content-Security-Policy"] == POLICY.format(form=bank, upgrade="")
    assert answer.headers["Referrer-Policy"] in ("strict-origin-when-cross-origin", "same-origin")
    assert all(f"{feature}=()" in answer.headers["Permissions-Policy"] for feature in OFF)
    assert "Strict-Transport-Security" not in answer.headers
    assert "Server" not in answer.headers
    assert len(answer.headers["X-Request-Id"]) == 22


def test_only_pages_with_a_gift_in_hand_may_send_a_form_to_the_bank(
    app, stripe_simulator, made, client
):
    public_id = made(lambda: a_gift(a_campaign()))
    bank = POLICY.format(form=f" {stripe_simulator.url}", upgrade="")
    for address in ("/campaigns/winter-lights/give", f"/gifts/{public_id}/review"):
        assert client.get(address).headers["Content-Security-Policy"] == bank
    for address in ("/", "/campaigns/winter-lights/", f"/gifts/{public_id}/"):
        assert stripe_simulator.url not in client.get(address).headers["Content-Security-Policy"]


def test_gift_pages_give_their_address_to_nobody(made, client):
    public_id = made(lambda: a_gift(a_campaign()))
    for address in (f"/gifts/{public_id}/", f"/gifts/{public_id}/review"):
        assert client.get(address).headers["Referrer-Policy"] == "same-origin"


def test_every_request_has_an_id_of_its_own_and_an_error_shows_it(browse, client):
    first, second = client.get("/"), client.get("/")
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    answer = client.get("/nothing-here")
    assert answer.headers["X-Request-Id"] in answer.page.words


def test_over_https_browsers_are_told_to_stay_there(visitor):
    answer = visitor("/")
    assert answer.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    upgrade = "upgrade-insecure-requests; "
    assert answer.headers["Content-Security-Policy"] == POLICY.format(form="", upgrade=upgrade)


def test_in_production_every_cookie_is_ours_alone(made, visitor):
    made(a_campaign)
    answer = visitor("/campaigns/winter-lights/give?lang=fr")
    cookies = answer.headers.getlist("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-dh", "__Host-lang"}
    for cookie in cookies:
        parts = {part.strip() for part in cookie.split(";")[1:]}
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= parts
        assert "Domain" not in cookie


def test_a_language_once_chosen_is_remembered_in_production(visitor):
    assert visitor("/?lang=fr").status_code == 200
    assert '<html lang="fr">' in visitor("/").text


def test_public_pages_set_no_cookie(made, client):
    made(a_campaign)
    for address in ("/", "/stories/", "/campaigns/winter-lights/", "/press/", "/nothing-here"):
        assert "Set-Cookie" not in client.get(address).headers


def test_static_files_may_do_nothing_and_are_kept_for_a_year(app, client):
    with app.test_request_context():
        address = app.extensions["asset"]("css/site.css")
    answer = client.get(address, buffered=True)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "max-age=315360000" in answer.headers["Cache-Control"]
    assert "immutable" in answer.headers["Cache-Control"]
