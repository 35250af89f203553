"""Verbs about checkouts and the money behind them."""

from donorhub.payments.service.checkouts import (
    Checkout,
    CheckoutWish,
    act_on,
    adopt,
    close_checkout,
    facts_of,
    find,
    latest,
    open_checkout,
    prepare_checkout,
    read_facts,
    register_verb,
    request_refund,
)
from donorhub.payments.service.recording import Standing, record

__all__ = [
    "Checkout",
    "CheckoutWish",
    "Standing",
    "act_on",
    "adopt",
    "close_checkout",
    "facts_of",
    "find",
    "latest",
    "open_checkout",
    "prepare_checkout",
    "read_facts",
    "record",
    "register_verb",
    "request_refund",
]
