"""A real browser before a running house. Without Chromium these tests are left out, and say so."""

from __future__ import annotations

import shutil
import zlib

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.house import running_house
from tests.browser.visitor import Visitor

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="session")
def house(browser, settings, tmp_path_factory):
    with running_house(settings, tmp_path_factory.mktemp("house")) as found:
        yield found


@pytest.fixture
def visit(browser, house):
    """Send somebody to the site: `visit(javascript=False, width=320, locale="fr-CA")`."""
    contexts = []

    def begin(*, javascript=True, width=1280, height=900, locale="en-CA"):
        context = browser.new_context(
            base_url=house.url,
            java_script_enabled=javascript,
            viewport={"width": width, "height": height},
            locale=locale,
            reduced_motion="reduce",
        )
        context.set_default_timeout(8_000)
        contexts.append(context)
        visitors.append(Visitor(context.new_page(), house, javascript=javascript))
        return visitors[-1]

    visitors: list[Visitor] = []
    yield begin
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for context in contexts:
        context.close()
    house.bank_is()
    assert complaints == []


@pytest.fixture
def email(request):
    """An address of this test's own."""
    return f"maya.{zlib.crc32(request.node.name.encode())}@example.org"


@pytest.fixture
def figures(house):
    """What the campaign has moved, in cents: given, gifts, matched, and match left."""

    def read():
        found = house.app.test_client().get("/api/campaigns/someone-is-awake").json
        given = (found["raised_minor"], found["gifts"], found["matched_minor"])
        return (*given, found["match"]["remaining_minor"])

    return read
