"""A donor reads a story, gives to its matched campaign, and comes back to the truth."""

from __future__ import annotations

import zlib
from email import message_from_bytes, policy
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


@pytest.fixture
def email(request):
    """An address of this test's own."""
    return f"maya.{zlib.crc32(request.node.name.encode())}@example.org"


@pytest.fixture
def figures(house):
    """What the campaign has moved, in cents: given, gifts, matched, and match left."""

    def read():
        found = house.app.test_client().get("/api/campaigns/someone-is-awake").json
        return tuple(found[name] for name in ("raised_minor", "gifts", "matched_minor")) + (
            found["match"]["remaining_minor"],
        )

    return read


def thanked(house, email, *words):
    """One letter came, and it says this."""
    (letter,) = house.letters_to(email)
    assert letter.copies == 1
    text = message_from_bytes(letter.raw, policy=policy.default).get_body(("plain",)).get_content()
    for word in words:
        assert word in text


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
    thanked(house, email, "$50", "$100", "The bus that waited")
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
    thanked(house, email, "$50", "$100")
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
  const shown = (one) => { const s = getComputedStyle(one);
    return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== "none"; };
  const at = document.activeElement;
  return shown(at) || shown(at.closest("label") ?? at) || [...(at.parentElement?.children ?? [])].some(shown);
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
    thanked(house, email, "Merci")
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
    thanked(house, email)
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
    thanked(house, email, "$100")
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


def test_errors_stand_beside_their_fields_and_the_summary_has_the_focus(visit):
    donor = visit().go(GIVE)
    donor.page.locator("[name=amount]").fill("1e3")
    donor.page.locator("[name=message]").fill("For the line.")
    donor.page.locator("[data-part=submit]").click()
    expect(donor.page.locator("#errors")).to_be_focused()
    donor.reads("4 things to look at", "Enter an amount like 25 or 25.50.")
    expect(donor.page.locator("[name=amount]")).to_have_value("1e3")
    expect(donor.page.locator("[name=message]")).to_have_value("For the line.")
    donor.page.locator("#errors a", has_text="Enter your first name.").click()
    expect(donor.page.locator("[name=first_name]")).to_be_focused()


def test_covering_the_fee_costs_what_the_label_says_to_the_cent(visit, house, email):
    donor = visit().go(f"{GIVE}?amount=50").fill_in(email=email)
    donor.reads("Add $1.80 so that all $50 reaches the work")
    donor.page.locator("[name=cover_fee]").check()
    donor.reads("Your card is charged $51.80.").press("Give $51.80")
    donor.page.wait_for_url(f"{house.bank}/**")
    expect(donor.page.locator(".lines__total dd")).to_contain_text("51.80")
    donor.pay().reads("Thank you, Maya", "$51.80")
    expect(donor.page.locator(".gift-figure .is-match dd")).to_have_text("$50")
    thanked(house, email, "$51.80", "$50")


def test_the_form_says_what_every_amount_becomes_as_it_is_typed(visit):
    donor = visit().go(GIVE)
    own, button = donor.page.locator("[name=amount]"), donor.page.locator("[data-part=submit]")
    for typed, said in (("19.99", "Give $19.99"), ("1,000", "Give $1,000"), ("1000.5", "Give $1,000.50"),
                        ("$5", "Give $5"), ("1e3", "Continue"), ("0", "Continue"), ("", "Continue"),
                        ("-5", "Continue"), ("7,5", "Give $7.50")):  # fmt: skip
        own.fill(typed)
        expect(button).to_have_text(said)
    donor.choose("25")
    expect(own).to_have_value("")
    own.fill("30")
    assert donor.page.locator("[name=amount_tile]:checked").count() == 0
