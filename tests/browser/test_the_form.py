"""The giving form under a donor's hands: what it says, where it points, what it keeps."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
GIVE = "/campaigns/someone-is-awake/give"


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
    house.thanked(email, "$51.80", "$50")


def test_the_form_says_what_every_amount_becomes_as_it_is_typed(visit):
    donor = visit().go(GIVE)
    own, button = donor.page.locator("[name=amount]"), donor.page.locator("[data-part=submit]")
    for typed, said in (("19.99", "Give $19.99"), ("1,000", "Give $1,000"), ("1000.5",
                        "Give $1,000.50"),
                        ("$5", "Give $5"), ("1e3", "Continue"), ("0", "Continue"), ("", "Continue"),
                        ("-5", "Continue"), ("7,5", "Give $7.50")):  # fmt: skip
        own.fill(typed)
        expect(button).to_have_text(said)
    donor.choose("25")
    expect(own).to_have_value("")
    own.fill("30")
    assert donor.page.locator("[name=amount_tile]:checked").count() == 0
