"""A donor reads a story, gives to its matched campaign, and comes back to the truth."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import expect

from donorhub.kit import db
from tests.browser.visitor import ASKS_THE_BANK, DECLINED
from tests.builders import a_campaign, a_match

pytestmark = pytest.mark.browser
STORY = "/stories/the-bus-that-waited/"
CAMPAIGN = "/campaigns/someone-is-awake/"
GIVE = f"{CAMPAIGN}give"


def test_a_donor_reads_a_story_gives_50_matched_and_is_thanked(house, visit, email, figures):
    before = figures()
    donor = visit().go("/").go("/stories/").go(STORY)
    donor.press("Give now").reads("Your $50 becomes $100.")
    donor.choose("50")
    donor.fill_in(email=email)
    donor.reads("Your $50 is matched: $100 reaches the work.", "Your card is charged $50.").press(
        "Give $50"
    )
    donor.pay()
    donor.reads("Thank you, Maya", "The bus that waited")
    expect(donor.page.locator(".gift-figure")).to_contain_text("matched with it")
    expect(donor.page.locator(".gift-figure .is-match dd")).to_have_text("$50")
    house.thanked(email, "$50", "$100", "The bus that waited")
    assert figures() == (before[0] + 5000, before[1] + 1, before[2] + 5000, before[3] - 5000)
    donor.go(CAMPAIGN).reads("Maya T.", "+ $50 matched")


def test_the_same_without_javascript_goes_over_the_page_before_paying(house, visit, email, figures):
    before = figures()
    donor = visit(javascript=False).go(STORY).press("Give now")
    donor.choose("50").fill_in(email=email).press("Continue")
    donor.reads("Before you pay", "Your $50 is matched: $100 reaches the work.")
    donor.reads("We are holding $50 of match for you until").press("Give $50")
    donor.pay().reads("Thank you, Maya")
    expect(donor.page.locator(".gift-figure .is-match dd")).to_have_text("$50")
    house.thanked(email, "$50", "$100")
    assert figures() == (before[0] + 5000, before[1] + 1, before[2] + 5000, before[3] - 5000)


def test_the_same_by_keyboard_alone(house, visit, email):
    donor = visit().go(STORY)
    keys = donor.page.keyboard

    def tab_to(selector, *, most=60):
        for _ in range(most):
            keys.press("Tab")
            if donor.page.evaluate("s => document.activeElement.matches(s)", selector):
                assert donor.page.evaluate(SEEN_FOCUS), f"the focus on {selector} cannot be seen"
                return
        pytest.fail(f"{selector} cannot be reached by keyboard")

    tab_to(".skip")
    tab_to(".match-banner a")
    keys.press("Enter")
    donor.page.wait_for_url("**/give?**")
    tab_to("[name=amount_tile]")
    keys.press("ArrowRight")
    expect(donor.page.locator("[name=amount_tile][value='50']")).to_be_checked()
    for name, words in (("first_name", "Maya"), ("last_name", "Tremblay"), ("email", email)):
        tab_to(f"[name={name}]")
        keys.type(words)
    tab_to("[data-part=submit]")
    keys.press("Enter")
    donor.page.wait_for_url(f"{house.bank}/**")
    for name, words in (("cardNumber", "4242424242424242"), ("cardExpiry", "1234"),
                        ("cardCvc", "123"), ("billingName", "Maya Tremblay")):  # fmt: skip
        tab_to(f"[name={name}]")
        keys.type(words)
    keys.press("Enter")
    donor.reads("Thank you, Maya")


SEEN_FOCUS = """() => {
  const shown = (one) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2) || boxShadow !== "none";
  };
  const at = document.activeElement;
  return [at, at.closest("label") ?? at, ...at.parentElement.children].some(shown);
}"""


def test_the_same_in_french_on_a_narrow_phone(house, visit, email, figures):
    before = figures()
    donor = visit(width=320, height=640, locale="fr-CA").go(STORY)
    expect(donor.page.locator("html")).to_have_attribute("lang", "fr")
    donor.page.locator(".match-banner a").click()
    donor.look()
    donor.choose("50")
    donor.fill_in(email=email)
    donor.look().page.locator("[data-part=submit]").click()
    donor.pay()
    expect(donor.page.locator("h1")).to_contain_text("Merci")
    expect(donor.page.locator(".gift-figure .is-match dd")).to_have_text("50\u00a0$")
    donor.look()
    house.thanked(email, "Merci")
    assert figures()[0] == before[0] + 5000


def test_a_declined_card_costs_nothing_and_another_one_pays(visit, email, figures):
    before = figures()
    donor = visit().go(f"{GIVE}?amount=50").fill_in(email=email).press("Give $50")
    donor.pay(DECLINED)
    expect(donor.page.get_by_role("alert")).to_be_visible()
    assert figures()[:3] == before[:3]
    donor.pay().reads("Thank you, Maya")
    assert figures()[0] == before[0] + 5000


@pytest.mark.parametrize("confirms", [True, False])
def test_a_card_that_asks_the_bank_is_charged_only_once_confirmed(visit, email, figures, confirms):
    before = figures()
    donor = (
        visit().go(f"{GIVE}?amount=50").fill_in(email=email).press("Give $50").pay(ASKS_THE_BANK)
    )
    donor.page.wait_for_url("**/challenge")
    donor.page.locator(f"button[value={'complete' if confirms else 'fail'}]").click()
    if confirms:
        donor.reads("Thank you, Maya")
        assert figures()[0] == before[0] + 5000
    else:
        expect(donor.page.get_by_role("alert")).to_be_visible()
        assert figures()[0] == before[0]


def test_turning_back_frees_the_match_and_keeps_everything_typed(house, visit, email, figures):
    before = figures()
    donor = visit().go(GIVE).fill_in(email=email, amount="33.50", message="For the line.")
    donor.page.get_by_label("Give without my name").check()
    donor.page.locator("[name=cover_fee]").check()
    donor.page.locator("[data-part=submit]").click()
    donor.page.wait_for_url(f"{house.bank}/**")
    assert figures()[3] == before[3] - 3350
    donor.page.locator("main a", has_text="Back").click()
    donor.page.wait_for_url("**/give?**")
    for name, value in {"amount": "33.50", "first_name": "Maya", "last_name": "Tremblay",
                        "email": email, "message": "For the line."}.items():  # fmt: skip
        expect(donor.page.locator(f"[name={name}]")).to_have_value(value)
    for name in ("anonymous", "cover_fee"):
        expect(donor.page.locator(f"[name={name}]")).to_be_checked()
    assert figures() == before
    donor.look()


def test_the_back_button_and_another_amount_is_one_gift_of_the_new_amount(
    visit, house, email, figures
):
    before = figures()
    donor = visit().go(f"{GIVE}?amount=50").fill_in(email=email).press("Give $50")
    donor.page.wait_for_url(f"{house.bank}/**")
    donor.page.go_back()
    donor.page.wait_for_url("**/give?**")
    donor.fill_in(email=email, amount="60")
    donor.press("Give $60").pay().reads("Thank you, Maya")
    expect(donor.page.locator(".gift-figure dd").first).to_have_text("$60")
    assert figures()[:3] == (before[0] + 6000, before[1] + 1, before[2] + 6000)


def test_a_double_click_is_one_gift(visit, house, email, figures):
    before = figures()
    donor = visit().go(f"{GIVE}?amount=50").fill_in(email=email)
    donor.page.get_by_role("button", name="Give $50").dblclick()
    donor.pay().reads("Thank you, Maya")
    assert figures() == (before[0] + 5000, before[1] + 1, before[2] + 5000, before[3] - 5000)


def test_reading_the_thank_you_again_and_again_changes_nothing(visit, house, email, figures):
    donor = visit().go(f"{GIVE}?amount=50").fill_in(email=email).press("Give $50").pay()
    donor.reads("Thank you, Maya")
    house.thanked(email)
    before = figures()
    for _ in range(3):
        donor.page.reload()
    donor.reads("Thank you, Maya")
    assert figures() == before
    assert len(house.letters_to(email)) == 1


@pytest.mark.parametrize("javascript", [True, False])
def test_a_page_that_waits_shows_the_thank_you_by_itself(visit, house, email, figures, javascript):
    house.bank_is(hold_webhooks=True)
    donor = visit(javascript=javascript).go(f"{GIVE}?amount=50").fill_in(email=email)
    donor.page.locator("[data-part=submit]").click()
    if not javascript:
        donor.press("Give $50")
    donor.page.wait_for_url(f"{house.bank}/**")
    bank = donor.page.url
    public_id = house.made(lambda: giving_of(email))
    donor.page.goto(f"/gifts/{public_id}/")
    donor.reads("We are waiting for the bank", "We are holding $50 of match for you until")
    before = figures()
    session = urlsplit(bank).path.rpartition("/")[2]
    requests.post(
        f"{house.bank}/_sim/checkout/{session}/pay", json={}, timeout=5
    ).raise_for_status()
    expect(donor.page.locator("h1")).to_have_text("Thank you, Maya", timeout=12_000)
    house.bank_is(hold_webhooks=False)
    house.thanked(email, "$100")
    assert figures()[:3] == (before[0] + 5000, before[1] + 1, before[2] + 5000)
    donor.look()


def giving_of(email):
    """The public id of the newest gift from an address."""
    sql = "SELECT public_id FROM gifts WHERE email = :email ORDER BY id DESC LIMIT 1"
    return db.one(sql, email=email).public_id


def test_with_too_little_match_left_the_donor_chooses_before_paying(visit, house, email):
    def build():
        a_match(a_campaign("last-lamp"), cap="32.10", slots=1)

    house.made(build)
    donor = visit().go("/campaigns/last-lamp/give?amount=50").fill_in(email=email)
    said = "Only $32.10 of the match is left, so $32.10 of your $50 will be matched."
    donor.reads(said).press("Continue")
    donor.reads("Before you pay", said).press("Give $32.10, only the part that is matched")
    donor.pay().reads("Thank you, Maya")
    expect(donor.page.locator(".gift-figure dd").first).to_have_text("$32.10")
    donor.go("/campaigns/last-lamp/give?amount=50").reads("The match is used up")
    donor.fill_in(email="second-" + email).press("Continue")
    donor.reads("Nothing of the match is left. Your $50 still helps, without a match.")
    donor.press("Do not give now").reads("Give to “Winter lights”")
