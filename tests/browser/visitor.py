"""Somebody who uses the site in a browser, and notices everything that is not as it should be."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from tests.browser.house import House

STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
IN_THE_DARK = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
AXE = Axe()
NARROWEST = 320
CARD = "4242 4242 4242 4242"
DECLINED = "4000 0000 0000 0002"
ASKS_THE_BANK = "4000 0027 6000 3184"
LABELS = {
    "en": {"first": "First name", "last": "Last name", "email": "E-mail"},
    "fr": {"first": "Prénom", "last": "Nom", "email": "Adresse courriel"},
}
_looked_at: set[tuple[str, ...]] = set()


class Visitor:
    """One browser window, with a critical eye."""

    def __init__(self, page: Page, house: House, *, javascript: bool) -> None:
        self.page = page
        self.house = house
        self.javascript = javascript
        self.complaints: list[str] = []
        self.is_looking = True
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self._complain(f"{page.url}: {error}"))
        page.on("request", self._asked)

    def go(self, address: str) -> Visitor:
        """Open a page and look at it."""
        self.page.goto(address)
        return self.look()

    def reads(self, *words: str) -> Visitor:
        """Find these words on the page, in whatever order, and look at the whole page."""
        for text in words:
            expect(self.page.locator("body")).to_contain_text(text)
        return self.look()

    def look(self) -> Visitor:
        """Check the page as it is now: for everyone, in light and dark, on a narrow screen."""
        if self.page.url.startswith(self.house.url):
            self._look_at_the_page()
        return self

    def fill_in(self, *, email: str, amount: str | None = None, **words: str) -> Visitor:
        """Fill in the giving form by the names of its fields."""
        values = {"first_name": "Maya", "last_name": "Tremblay", "email": email} | words
        for name, value in values.items():
            self.page.locator(f"[name={name}]").fill(value)
        if amount is not None:
            self.page.locator("[name=amount]").fill(amount)
        return self

    def choose(self, amount: str) -> Visitor:
        """Choose one of the suggested amounts."""
        tile = self.page.locator(f"[name=amount_tile][value='{amount}']")
        self.page.locator("label", has=tile).click()
        return self

    def pay(self, card: str = CARD) -> Visitor:
        """Fill in the bank's page, which must be open, and send it."""
        self.page.wait_for_url(f"{self.house.bank}/c/pay/**")
        for name, value in {
            "cardNumber": card,
            "cardExpiry": "12 / 34",
            "cardCvc": "123",
            "billingName": "Maya Tremblay",
        }.items():
            self.page.locator(f"[name={name}]").fill(value)
        self.page.locator("form button[type=submit]").click()
        return self

    def press(self, words: str) -> Visitor:
        """Press a button or follow a link by its exact words."""
        both = self.page.get_by_role("button", name=words, exact=True)
        both.or_(self.page.get_by_role("link", name=words, exact=True)).first.click()
        return self

    def _look_at_the_page(self) -> None:
        self.page.wait_for_load_state()
        place = (urlsplit(self.page.url).path.split("/")[1], self.page.title())
        wide = self.page.viewport_size or {}
        mark = (*place, str(wide.get("width")), str(self.page.locator(".error-summary").count()))
        if mark in _looked_at or not self.javascript:
            return
        _looked_at.add(mark)
        self.is_looking = False
        for scheme, rules in (("light", STANDARD), ("dark", IN_THE_DARK)):
            self.page.emulate_media(color_scheme=scheme)
            options: dict[str, Any] = {"runOnly": rules, "resultTypes": ["violations"]}
            for fault in AXE.run(self.page, options=options).response["violations"]:
                places = [node["html"][:160] for node in fault["nodes"]]
                self._complain(
                    f"{self.page.url} ({scheme}): {fault['help']}: {places}", always=True
                )
        self.page.emulate_media(color_scheme="light")
        self._look_on_a_narrow_screen(wide)
        self.is_looking = True

    def _look_on_a_narrow_screen(self, wide: Any) -> None:
        self.page.set_viewport_size({"width": NARROWEST, "height": 700})
        measured = self.page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        if measured[0] > measured[1]:
            self._complain(f"{self.page.url} scrolls sideways: {measured}", always=True)
        self.page.set_viewport_size(wide)

    def _heard(self, message: ConsoleMessage) -> None:
        ours = self.page.url.startswith(self.house.url) or "Content Security" in message.text
        expected = "the server responded with a status of 4" in message.text
        if message.type in ("error", "warning") and ours and not expected:
            self._complain(f"{self.page.url} says: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.house.url, self.house.bank, "data:")):
            self._complain(f"{self.page.url} asked for {request.url}", always=True)

    def _complain(self, words: str, *, always: bool = False) -> None:
        if always or self.is_looking:
            self.complaints.append(words)
