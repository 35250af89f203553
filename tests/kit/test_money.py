"""Money: what people type, exact to the cent, in English and French."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorhub.kit import CurrencyMismatch, Money, NotAnAmount, exponent

CURRENCIES = ["CAD", "JPY", "KWD"]
WRONG = [
    "", " ", ".", ",", "-5", "−5", "+5", "1e3", "1E3", "NaN", "nan", "inf", "Infinity", "0x10",
    "١٠", "५०", "５０", "½", "²", "ten", "🎁", "50🎁", "50.123", "50,123,45", "1,00,000", "1..0",
    "1.2.3", "1,2,3", "12 34", "1 00", "50-", "50%", "5 0", "1_000", "50\x0020", "50;DROP TABLE",
    "50 CAD CAD", "$", "$$50", "=50+1", "9" * 33, "1,000." + "0" * 40 + "1",
    "1,000." + "0" * 25 + "1", "\u202e50", "50\n60",
    ".5", "5.", "1,0000", "0,0,0", "--", "1/2", "(50)",
]  # fmt: skip
RIGHT = {
    "en": {
        "50": 5000, "50.5": 5050, "50.50": 5050, "19.99": 1999, "0.01": 1, "0": 0, "007": 700,
        "1,000": 100_000, "1,000.50": 100_050, "1,234,567.89": 123_456_789, "1,23": 123,
        "1.024,20": 102_420, "1 000": 100_000, "1\u00a0000,50": 100_050, "1'000.50": 100_050,
        "$50": 5000, "$ 50.00": 5000, "50 $": 5000, "CA$50": 5000, "C$50": 5000, " 50 ": 5000,
        "\u00a050\u00a0": 5000, "123456789": 12_345_678_900, "1,000.100": 100_010,
    },
    "fr": {
        "50": 5000, "50,5": 5050, "50,50": 5050, "19,99": 1999, "19.99": 1999, "0,01": 1,
        "1 000": 100_000, "1\u202f000,50": 100_050, "1\u00a0234\u00a0567,89": 123_456_789,
        "1.024,20": 102_420, "1,024.20": 102_420, "50 $": 5000, "50,00\u00a0$": 5000,
        "50 $ CA": 5000, "123456789": 12_345_678_900,
    },
}  # fmt: skip
AMBIGUOUS = [("1.024", "en"), ("1.024", "fr"), ("1,024", "fr")]


def amounts(most=10**12):
    return st.builds(Money, st.integers(0, most), st.sampled_from(CURRENCIES))


def test_every_price_from_a_cent_to_a_thousand_dollars_is_exact():
    for minor in range(1, 100_001):
        text = f"{minor // 100}.{minor % 100:02}"
        assert Money.parse(text, "CAD").minor == minor, text


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_one_amount_is_refused(text, locale):
    with pytest.raises(NotAnAmount):
        Money.parse(text, "CAD", locale)


@pytest.mark.parametrize(("text", "locale"), AMBIGUOUS)
def test_what_could_be_two_amounts_is_refused_rather_than_guessed(text, locale):
    with pytest.raises(NotAnAmount):
        Money.parse(text, "CAD", locale)


@pytest.mark.parametrize(
    ("text", "locale", "minor"), [(t, lang, m) for lang in RIGHT for t, m in RIGHT[lang].items()]
)
def test_what_people_type_is_understood(text, locale, minor):
    assert Money.parse(text, "CAD", locale) == Money(minor, "CAD")


@given(text=st.text(max_size=40), locale=st.sampled_from(["en", "fr"]))
def test_any_text_is_an_amount_or_a_clear_refusal(text, locale):
    try:
        found = Money.parse(text, "CAD", locale)
    except NotAnAmount:
        return
    assert found.minor >= 0
    assert any(sign in "0123456789" for sign in text)


@given(text=st.from_regex(r"\A[0-9]{1,3}(,[0-9]{3}){0,6}\.[0-9]{1,30}\Z"))
def test_not_even_the_thirtieth_decimal_is_dropped_in_silence(text):
    whole, _, part = text.partition(".")
    exact = Decimal(whole.replace(",", ""))
    try:
        found = Money.parse(text, "CAD")
    except NotAnAmount:
        return
    assert not part[2:].strip("0")
    assert found.minor == int(exact) * 100 + int(part[:2].ljust(2, "0"))


@given(amounts())
def test_an_amount_as_typed_is_read_back(money):
    assert Money.parse(money.typed, money.currency) == money
    if exponent(money.currency) != 3:
        assert Money.parse(money.typed.replace(".", ","), money.currency, "fr") == money


@given(amounts(), st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any))
def test_splitting_loses_nothing_and_gives_nothing_for_no_weight(money, weights):
    parts = money.split(weights)
    assert sum(part.minor for part in parts) == money.minor
    for part, weight in zip(parts, weights, strict=True):
        exact = Decimal(money.minor) * weight / sum(weights)
        assert part.minor == 0 if weight == 0 else abs(part.minor - exact) <= len(weights)


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1]])
def test_weights_that_divide_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        Money(100, "CAD").split(weights)


@pytest.mark.parametrize(
    ("minor", "rate", "part"),
    [(100, "0.005", 1), (100, "0.0049", 0), (5180, "0.029", 150), (1, "0.5", 1), (3, "0.5", 2)],
)
def test_a_share_is_rounded_half_up(minor, rate, part):
    assert Money(minor, "CAD").share(Decimal(rate)).minor == part


@given(amounts(10**9), st.integers(0, 1000))
def test_a_share_is_never_further_than_half_a_cent_from_the_truth(money, thousandths):
    share = money.share(Decimal(thousandths) / 1000)
    assert abs(share.minor * 1000 - money.minor * thousandths) <= 500


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("500", "JPY", 500), ("1,000", "JPY", 1000), ("1.234", "KWD", 1234), ("5", "KWD", 5000)],
)
def test_currencies_without_cents_and_with_three_decimals(text, currency, minor):
    assert Money.parse(text, currency).minor == minor


@pytest.mark.parametrize(("text", "currency"), [("500.50", "JPY"), ("1.2345", "KWD")])
def test_more_decimals_than_a_currency_has_are_refused(text, currency):
    with pytest.raises(NotAnAmount):
        Money.parse(text, currency)


def test_two_currencies_do_not_add_up():
    dollars, yen = Money(1, "CAD"), Money(1, "JPY")
    for together in (dollars.__add__, dollars.__sub__, dollars.__lt__, dollars.__le__):
        with pytest.raises(CurrencyMismatch):
            together(yen)
    assert dollars != yen


@pytest.mark.parametrize("minor", [True, 1.0, Decimal(1), "1", None])
def test_minor_units_are_whole_numbers_only(minor):
    with pytest.raises(TypeError):
        Money(minor, "CAD")


@pytest.mark.parametrize("currency", ["cad", "", "CA", "CADX", "C D", "ÇAD", "CAD\n"])
def test_a_currency_is_three_capital_letters(currency):
    with pytest.raises(ValueError, match="ISO"):
        Money(1, currency)


def test_money_is_a_value():
    assert len({Money(1, "CAD"), Money(1, "CAD"), Money(2, "CAD")}) == 2
    assert Money(3, "CAD") + Money(2, "CAD") - Money(1, "CAD") == Money(4, "CAD")
    assert not Money.zero("CAD")
    assert Money(5, "CAD") > Money(4, "CAD") >= Money(4, "CAD")
