"""Every page as a person meets it: open to all, nothing from elsewhere, nothing cut off."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
PAGES = ("/", "/stories/", "/stories/the-bus-that-waited/", "/stories/eleven-chairs/",
         "/campaigns/someone-is-awake/", "/campaigns/two-more-kitchens/",
         "/campaigns/two-more-kitchens/give", "/fundraise/", "/press/",
         "/nothing-here")  # fmt: skip


@pytest.mark.parametrize("locale", ["en-CA", "fr-CA"])
def test_every_page_is_open_to_everyone(visit, locale):
    reader = visit(locale=locale)
    for address in PAGES:
        reader.go(address)
        expect(reader.page.locator("html")).to_have_attribute("lang", locale[:2])


def test_the_critical_eye_sees_what_is_wrong(visit):
    reader = visit()
    reader.page.goto("/press/")
    reader.page.evaluate(SPOILED)
    reader.look()
    found, reader.complaints[:] = "\n".join(reader.complaints), []
    for fault in ("color contrast", "alternative text", "have labels", "scrolls sideways",
                  "asked for http://127.0.0.1:9/"):  # fmt: skip
        assert fault in found


SPOILED = """() => {
  document.title = "Spoiled";
  const add = (tag, marks) => document.querySelector("main").append(
      Object.assign(document.createElement(tag), marks));
  add("p", { textContent: "Grey on grey", id: "grey" });
  document.getElementById("grey").style.cssText = "color: #999; background: #888; width: 2000px";
  add("input", { type: "text" });
  add("img", { src: "http://127.0.0.1:9/x.png" });
}"""


def test_every_page_works_on_a_narrow_phone(visit):
    reader = visit(width=320, height=640)
    for address in PAGES:
        reader.go(address)
        small = reader.page.evaluate(TOO_SMALL)
        assert small == [], f"{address}: too small to touch: {small}"


TOO_SMALL = """() => [...document.querySelectorAll(
    "button, .button, input:not([type=hidden]):not(.visually-hidden), select, textarea, summary")]
  .filter((one) => one.checkVisibility() && !one.closest(".trap") && !one.closest("label"))
  .map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, box]) => box.height && box.height < 43.5)
  .map(([html, box]) => `${html} ${box.height}`)"""


def test_the_trap_for_programs_is_out_of_sight(visit):
    for width in (320, 360, 1280):
        reader = visit(width=width)
        reader.page.goto("/campaigns/two-more-kitchens/give")
        box = reader.page.locator(".trap").bounding_box()
        assert box["x"] + box["width"] < 0


def test_text_enlarged_twice_stays_whole(visit):
    reader = visit(width=640, height=900)
    for address in PAGES[:7]:
        reader.page.goto(address)
        reader.page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
        wide = reader.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, address


def test_a_story_can_be_shared_without_anybody_elses_script(visit):
    reader = visit().go("/stories/the-bus-that-waited/")
    links = reader.page.locator(".share-row a")
    assert {link.get_attribute("href").partition(":")[0] for link in links.all()} == {
        "mailto",
        "https",
    }
    assert reader.page.locator("script").count() == 1


def test_pages_obey_the_wish_for_little_motion(visit):
    reader = visit().go("/campaigns/someone-is-awake/")
    moving = reader.page.evaluate(
        "() => document.getAnimations().filter((a) => a.playState === 'running').length"
    )
    assert moving == 0
