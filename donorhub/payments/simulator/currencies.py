"""What Stripe takes in each currency, in minor units."""

from __future__ import annotations

from .errors import bad_parameter

#: the smallest charge; 50 where it is not listed
MINIMUM = {
    "cad": 50,
    "usd": 50,
    "eur": 50,
    "gbp": 30,
    "aud": 50,
    "chf": 50,
    "nzd": 50,
    "sgd": 50,
    "dkk": 250,
    "nok": 300,
    "sek": 300,
    "hkd": 400,
    "jpy": 50,
    "mxn": 1000,
    "pln": 200,
    "ron": 200,
    "czk": 1500,
    "huf": 17500,
}
ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
KNOWN = frozenset(MINIMUM) | ZERO_DECIMAL | {"brl", "inr", "ils", "zar", "thb", "php", "myr"}
LARGEST = 99_999_999


def refuse_unknown_currency(currency: str, param: str) -> None:
    """Raise ApiError for a currency that the simulator does not take."""
    if currency not in KNOWN:
        message = f"Invalid currency: {currency}. The simulator takes {', '.join(sorted(KNOWN))}"
        raise bad_parameter(name=param, message=message)


def amount_text(amount: int, currency: str, *, french: bool) -> str:
    """An amount as people of the language write it: `$50.00 CAD`, `50,00 $ CAD`."""
    if currency in ZERO_DECIMAL:
        whole, cents = amount, ""
    else:
        whole, rest = divmod(amount, 100)
        cents = f"{',' if french else '.'}{rest:02d}"
    grouped = f"{whole:,}".replace(",", "\u00a0" if french else ",") + cents
    code = currency.upper()
    dollar = currency in {"cad", "usd", "aud", "nzd", "sgd", "hkd"}
    if french:
        return f"{grouped}\u00a0$\u00a0{code}" if dollar else f"{grouped}\u00a0{code}"
    return f"${grouped} {code}" if dollar else f"{grouped} {code}"
