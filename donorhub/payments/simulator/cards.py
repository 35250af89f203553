"""The test cards that the hosted page takes, and what a typed card must look like."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PAYS = "4242424242424242"
DECLINED = "4000000000000002"
INSUFFICIENT = "4000000000009995"
AUTHENTICATES = "4000002760003184"
DISPUTED = "4000000000000259"

#: card number -> (decline code, failure code, message to the donor)
DECLINES = {
    DECLINED: ("generic_decline", "card_declined", "Your card was declined."),
    INSUFFICIENT: ("insufficient_funds", "card_declined", "Your card has insufficient funds."),
    "4000000000009987": ("lost_card", "card_declined", "Your card was declined."),
    "4000000000000069": ("expired_card", "expired_card", "Your card has expired."),
    "4000000000000119": (
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
}
_ACCEPTED = {PAYS: "visa", "5555555555554444": "mastercard", "4000001240000000": "visa"}
BRANDS = {**_ACCEPTED, **dict.fromkeys((*DECLINES, AUTHENTICATES, DISPUTED), "visa")}

_EXPIRY = re.compile(r"(\d{1,2})\s*[/ -]?\s*(\d{4}|\d{2})")
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Card:
    """A card that the simulator knows; nothing but its last four digits is ever kept."""

    number: str
    month: int
    year: int

    @property
    def brand(self) -> str:
        """Stripe's word for the network."""
        return BRANDS[self.number]


def plain_card(number: str = PAYS) -> Card:
    """A card for paying without the page; raises KeyError for one that is not a test card."""
    digits = re.sub(r"[\s-]", "", number)
    if digits not in BRANDS:
        raise KeyError(number)
    return Card(number=digits, month=12, year=time.gmtime().tm_year + 4)


def read_card(form: Mapping[str, str]) -> tuple[Card | None, dict[str, str]]:
    """The card a donor typed, or the name of what is wrong with each field."""
    number = re.sub(r"[\s-]", "", form.get("cardNumber", ""))
    month, year = _read_expiry(form.get("cardExpiry", ""))
    found = {
        "email": _wrong_email(form.get("email", "").strip()),
        "cardNumber": _wrong_number(number),
        "cardExpiry": _wrong_expiry(form.get("cardExpiry", "").strip(), month, year),
        "cardCvc": _wrong_code(form.get("cardCvc", "").strip()),
        "billingName": "" if form.get("billingName", "").strip() else "name_empty",
    }
    wrong = {name: code for name, code in found.items() if code}
    return (None if wrong else Card(number, month, year)), wrong


def _wrong_email(email: str) -> str:
    if not email:
        return "email_empty"
    return "" if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email) else "email_wrong"


def _wrong_number(number: str) -> str:
    if not number:
        return "number_empty"
    if not passes_luhn(number):
        return "number_wrong"
    return "" if number in BRANDS else "number_not_test"


def _wrong_expiry(typed: str, month: int, year: int) -> str:
    if not typed:
        return "expiry_empty"
    if not 1 <= month <= _MONTHS:
        return "expiry_wrong"
    today = time.gmtime()
    return "expiry_past" if (year, month) < (today.tm_year, today.tm_mon) else ""


def _wrong_code(code: str) -> str:
    if not code:
        return "cvc_empty"
    return "" if re.fullmatch(r"\d{3,4}", code) else "cvc_wrong"


def passes_luhn(number: str) -> bool:
    """Whether the digits could be a card number at all."""
    if not (number.isascii() and number.isdecimal() and 12 <= len(number) <= 19):  # noqa: PLR2004
        return False
    doubled = [int(digit) * 2 for digit in number[-2::-2]]
    total = sum(int(digit) for digit in number[-1::-2])
    return (total + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0  # noqa: PLR2004


def _read_expiry(text: str) -> tuple[int, int]:
    found = _EXPIRY.fullmatch(text.strip())
    if not found:
        return 0, 0
    year = int(found[2])
    return int(found[1]), year + 2000 if len(found[2]) == 2 else year  # noqa: PLR2004
