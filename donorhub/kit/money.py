"""Money: an integer of minor units and the currency it is counted in.

ISO 4217 exponents; the zero-decimal and three-decimal lists follow
https://docs.stripe.com/currencies.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_ZERO_DECIMAL = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".split()  # noqa: SIM905
)
_THREE_DECIMAL = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_SPACES = re.compile(r"[\u0020\u00a0\u2009\u202f']")
_SYMBOLS = re.compile(r"\A(?:CA|US|C)?\$\s*|\s*\$(?:\s*CA)?\Z|\A[€£]\s*|\s*[€£]\Z")
_PLAIN = re.compile(r"\A\d+(?:[.,]\d+)?\Z", re.ASCII)
_GROUPED = re.compile(
    r"\A\d{1,3}(?P<sep>[ .,])\d{3}(?:(?P=sep)\d{3})*(?:(?!(?P=sep))[.,]\d+)?\Z", re.ASCII
)
LONGEST_AMOUNT = 24  # fewer digits than Decimal keeps: nothing is rounded away in silence


class CurrencyMismatch(ValueError):
    """Two amounts in different currencies were put together."""


class NotAnAmount(ValueError):
    """What was typed cannot be read as exactly one amount of money."""


def exponent(currency: str) -> int:
    """Return how many decimals the currency has (CAD 2, JPY 0, KWD 3)."""
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """So many minor units of one currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse anything but a whole number of minor units of an ISO currency."""
        if type(self.minor) is not int:
            message = f"minor units are whole numbers, not {type(self.minor).__name__}"
            raise TypeError(message)
        if not _CURRENCY.match(self.currency):
            message = f"{self.currency!r} is not an ISO 4217 code"
            raise ValueError(message)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Return nothing at all of a currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str, locale: str = "en") -> Money:
        """Read what a person typed; raise NotAnAmount unless it can mean one amount only."""
        number = _decimal_text(text, currency, locale)
        scaled = Decimal(number).scaleb(exponent(currency))
        if scaled != scaled.to_integral_value():
            message = f"{text!r} is not a whole number of minor units"
            raise NotAnAmount(message)
        return cls(int(scaled), currency)

    def __add__(self, other: Money) -> Money:
        """Add two amounts of one currency."""
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Take one amount from another of the same currency."""
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        """Compare two amounts of one currency."""
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        """Compare two amounts of one currency."""
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        """Tell whether this is any money at all."""
        return self.minor != 0

    def share(self, rate: Decimal) -> Money:
        """Return a part of this amount, rounded half up to a minor unit."""
        exact = Decimal(self.minor) * rate
        return Money(int(exact.to_integral_value(ROUND_HALF_UP)), self.currency)

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Divide by weights without losing a minor unit; early parts that weigh take the rest."""
        whole = sum(weights)
        if whole <= 0 or min(weights) < 0:
            message = "weights must be at least zero and not all zero"
            raise ValueError(message)
        parts = [self.minor * weight // whole for weight in weights]
        takers = [index for index, weight in enumerate(weights) if weight]
        for turn in range(self.minor - sum(parts)):
            parts[takers[turn % len(takers)]] += 1
        return [Money(part, self.currency) for part in parts]

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @property
    def typed(self) -> str:
        """The amount as a person would type it in English: ``50`` or ``50.25``."""
        decimals = exponent(self.currency)
        text = f"{self.decimal:.{decimals}f}"
        return text.removesuffix("." + "0" * decimals) if decimals else text

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            message = f"{self.currency} and {other.currency} do not add up"
            raise CurrencyMismatch(message)


def _decimal_text(text: str, currency: str, locale: str) -> str:
    """Turn typed digits, separators and a currency sign into ``digits[.digits]``."""
    typed = text.strip()
    if len(typed) > LONGEST_AMOUNT:
        message = "too long for an amount"
        raise NotAnAmount(message)
    typed = _SPACES.sub(" ", _SYMBOLS.sub("", typed)).strip()
    if _PLAIN.match(typed):
        return _plain(typed, currency, locale)
    if not (grouped := _GROUPED.match(typed)):
        message = f"{text!r} is not an amount"
        raise NotAnAmount(message)
    return typed.replace(grouped["sep"], "").replace(",", ".")


def _plain(typed: str, currency: str, locale: str) -> str:
    """Read digits with at most one mark: a decimal mark, or English thousands (1,000)."""
    if locale == "en" and "," in typed and _GROUPED.match(typed):
        return typed.replace(",", "")
    decimals = typed.replace(",", ".").partition(".")[2]
    if len(decimals) > exponent(currency):
        message = f"{typed!r} has too many decimals"
        raise NotAnAmount(message)
    return typed.replace(",", ".")
