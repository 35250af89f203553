"""The only package that knows Stripe: gateway, webhook inbox, reconciliation."""

from donorhub.payments import jobs
from donorhub.payments.cli import payments_group
from donorhub.payments.gateway import Gateway, StripeRefused, StripeUnreachable, gateway
from donorhub.payments.inbox import handle_event
from donorhub.payments.queries import invariants
from donorhub.payments.reconcile import reconcile
from donorhub.payments.rules import Dispute, FactsDisagree, FeeRule, PaymentFacts, Refund
from donorhub.payments.service import (
    Checkout,
    CheckoutWish,
    Standing,
    close_checkout,
    latest,
    open_checkout,
    prepare_checkout,
    read_facts,
    record,
    register_verb,
    request_refund,
)
from donorhub.payments.views import blueprint

__all__ = [
    "Checkout",
    "CheckoutWish",
    "Dispute",
    "FactsDisagree",
    "FeeRule",
    "Gateway",
    "PaymentFacts",
    "Refund",
    "Standing",
    "StripeRefused",
    "StripeUnreachable",
    "blueprint",
    "close_checkout",
    "gateway",
    "handle_event",
    "invariants",
    "jobs",
    "latest",
    "open_checkout",
    "payments_group",
    "prepare_checkout",
    "read_facts",
    "reconcile",
    "record",
    "register_verb",
    "request_refund",
]
