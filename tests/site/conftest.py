"""What the tests of pages share: things made outside a request, and a form filled in."""

from __future__ import annotations

import re

import pytest

from donorhub import campaigns
from tests.builders import a_campaign, a_match, a_story

TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')
FORM_KEY = re.compile(r'name="form_key" value="([^"]+)"')
GIVE = "/campaigns/winter-lights/give"


@pytest.fixture
def made(app):
    """Run something in the app's context, closed again before the next request."""

    def make(build, *args, **kwargs):
        with app.app_context():
            return build(*args, **kwargs)

    return make


@pytest.fixture
def campaign(made):
    """A campaign with a match of $1,000 and one story; its id."""

    def build():
        found = a_campaign()
        a_match(found, slots=1)
        a_story()
        campaigns.link_story("winter-lights", "the-open-door")
        return found

    return made(build)


@pytest.fixture
def form(client):
    """Fill in the giving form as a browser does: `form(amount="50")` is its answer."""

    def fill(client=client, address=GIVE, **typed):
        page = client.get(address).text
        values = {
            "csrf_token": TOKEN.search(page)[1],
            "form_key": FORM_KEY.search(page)[1],
            "frequency": "once",
            "amount": "50",
            "first_name": "Maya",
            "last_name": "Tremblay",
            "email": "maya@example.org",
        }
        wanted = {name: value for name, value in (values | typed).items() if value is not None}
        return client.post(address, data=wanted)

    return fill
