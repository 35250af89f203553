"""Every request that changes something is refused without a token of this site; two are not."""

from __future__ import annotations

import pytest

from donorhub.kit import db, web
from tests.builders import a_gift

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
EXEMPT = {"payments.stripe_webhook", "site.csp_report"}
COUNTED = ("gifts", "checkouts", "letters", "match_allocations", "ledger_entries", "stripe_events")


def unsafe_rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.methods & UNSAFE]


@pytest.fixture
def addresses(app, campaign, made):
    values = {"slug": "winter-lights", "public_id": made(a_gift, campaign)}

    def build():
        bound = app.url_map.bind("127.0.0.1")
        return {
            rule.endpoint: bound.build(
                rule.endpoint, {k: values[k] for k in rule.arguments}, "POST"
            )
            for rule in unsafe_rules(app)
        }

    return build()


@pytest.fixture
def everything(made):
    """How many rows there are of all that matters."""

    def count():
        return [db.one(f"SELECT count(*) AS n FROM {table}").n for table in COUNTED]

    return lambda: made(count)


def test_exactly_two_requests_need_no_token(app):
    exempt = {name.rpartition(".")[2] for name in web.csrf._exempt_views}
    assert exempt == {endpoint.rpartition(".")[2] for endpoint in EXEMPT}
    assert {rule.endpoint for rule in unsafe_rules(app)} >= EXEMPT


FORGERIES = {
    "no token": {"data": {"amount": "50", "choice": "cancel"}},
    "a wrong token": {"data": {"csrf_token": "IjEi.x.y", "amount": "50", "choice": "cancel"}},
    "an empty token": {"data": {"csrf_token": "", "choice": "pay"}},
    "a token in the address": {
        "query_string": {"csrf_token": "IjEi.x.y"},
        "data": {"choice": "pay"},
    },
    "plain text": {"data": "csrf_token=x&amount=50", "content_type": "text/plain"},
    "JSON": {"json": {"amount": "50", "choice": "pay"}},
    "another site": {"data": {"choice": "pay"}, "headers": {"Sec-Fetch-Site": "cross-site"}},
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_request_is_refused_and_changes_nothing(addresses, everything, client, kind):
    before = everything()
    for endpoint in set(addresses) - EXEMPT:
        answer = client.post(addresses[endpoint], **FORGERIES[kind])
        assert answer.status_code in (400, 403, 422), endpoint
    assert everything() == before


def test_a_token_of_somebody_else_is_refused(app, addresses, everything, form, client):
    theirs = app.test_client()
    token = theirs.get("/campaigns/winter-lights/give").text.partition(
        'csrf_token" type="hidden" value="'
    )[2]
    before = everything()
    answer = form(csrf_token=token.partition('"')[0])
    assert answer.status_code == 422
    assert everything() == before


def test_a_good_token_from_another_site_is_refused(form, client, campaign):
    page = client.get("/campaigns/winter-lights/give")
    fields = {field.get("name"): field.get("value", "") for field in page.page.all("input")}
    answer = client.post(
        "/campaigns/winter-lights/give", data=fields, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_a_stale_form_keeps_what_was_typed(form, campaign):
    answer = form(csrf_token="stale", first_name="Maya Inès", message="For the lamps.")
    assert answer.status_code == 422
    assert "Everything you typed is still here" in answer.page.words
    values = [field.get("value") for field in answer.page.all("input")]
    assert "Maya Inès" in values
    assert "50" in values
    assert "For the lamps." in answer.page.words


def test_reading_changes_nothing(app, addresses, everything, client):
    before = everything()
    for address in ("/", "/stories/", "/campaigns/winter-lights/", "/campaigns/winter-lights/give",
                    addresses["giving.review_submit"],
                    addresses["giving.review_submit"].replace("review", "cancelled"),
                    addresses["giving.review_submit"].replace("review", "state")):  # fmt: skip
        client.get(address)
        client.head(address)
    assert everything() == before
