"""What Stripe says about a payment, written into our mirror and the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from donorhub import ledger
from donorhub.kit import Money, db, now
from donorhub.payments.rules import LOST, Dispute, PaymentFacts, check_against
from donorhub.payments.service.checkouts import find, move


@dataclass(frozen=True, slots=True)
class Standing:
    """What has gone back of one payment, by all that Stripe ever said about it."""

    refunded: Money
    lost: Money


def record(facts: PaymentFacts) -> Standing | None:
    """Write what Stripe says into our mirror and the ledger, inside the open unit of work.

    Returns how the payment stands by all that Stripe ever said about it (these facts may be
    older than others that were recorded before), or None if nothing was paid. Raises
    FactsDisagree, and writes nothing, unless amount, currency and mode are ours.
    """
    checkout = find(facts.checkout_id)
    check_against(facts, amount=checkout.amount, livemode=checkout.livemode)
    if facts.is_over:
        move(checkout.id, "expired", was=("created", "open"))
    if not facts.is_paid or facts.intent_reference is None:
        return None
    move(checkout.id, "paid", was=("created", "open", "expired", "refused"), facts=facts)
    _post(facts)
    return _mirror(facts)


_GONE = (
    "SELECT coalesce(-sum(p.amount_minor) FILTER (WHERE e.kind IN ('refund', 'refund-failed')), 0)"
    "::bigint AS refunded, coalesce(-sum(p.amount_minor) FILTER (WHERE e.kind IN "
    "('dispute-withdrawn', 'dispute-reinstated')), 0)::bigint AS disputed, "
    "coalesce(-sum(p.amount_minor) FILTER (WHERE e.kind = 'dispute-fee'), 0)::bigint AS fees, "
    "coalesce(-sum(p.amount_minor) FILTER (WHERE e.kind = 'dispute-withdrawn' AND EXISTS "
    "(SELECT FROM ledger_entries l WHERE l.key = replace(e.key, 'withdrawn', 'lost'))), 0)"
    "::bigint AS lost FROM ledger_entries e JOIN ledger_postings p ON p.entry_id = e.id "
    "WHERE e.subject = :subject AND p.account_code = 'stripe-balance'"
)


def _mirror(facts: PaymentFacts) -> Standing:
    """Note how the payment stands: each movement counts once, however late it is told."""
    gone = db.one(_GONE, subject=facts.subject)
    states = [dispute.state for dispute in facts.disputes]
    db.run(
        "INSERT INTO stripe_payments (intent_reference, checkout_id, charge_reference, currency, "
        "amount_minor, fee_minor, refunded_minor, disputed_minor, dispute_fee_minor, "
        "dispute_state, seen_at) VALUES (:intent, :checkout, :charge, :currency, :amount, :fee, "
        ":refunded, :disputed, :dispute_fee, :dispute_state, :now) "
        "ON CONFLICT (intent_reference) DO UPDATE SET "
        "charge_reference = coalesce(stripe_payments.charge_reference, excluded.charge_reference), "
        "fee_minor = coalesce(stripe_payments.fee_minor, excluded.fee_minor), "
        "refunded_minor = excluded.refunded_minor, disputed_minor = excluded.disputed_minor, "
        "dispute_fee_minor = excluded.dispute_fee_minor, "
        "dispute_state = CASE WHEN stripe_payments.dispute_state IN ('won', 'lost') "
        "THEN stripe_payments.dispute_state "
        "ELSE coalesce(excluded.dispute_state, stripe_payments.dispute_state) END, "
        "seen_at = excluded.seen_at",
        intent=facts.intent_reference,
        checkout=facts.checkout_id,
        charge=facts.charge_reference,
        currency=facts.amount.currency,
        amount=facts.amount.minor,
        fee=facts.fee.minor if facts.fee else None,
        refunded=gone.refunded,
        disputed=gone.disputed,
        dispute_fee=gone.fees,
        dispute_state=LOST if LOST in states else next(iter(states), None),
        now=now(),
    )
    currency = facts.amount.currency
    return Standing(refunded=Money(gone.refunded, currency), lost=Money(gone.lost, currency))


def _post(facts: PaymentFacts) -> None:
    _entry(
        f"charge:{facts.intent_reference}",
        "charge",
        facts,
        _sides(("stripe-balance", facts.amount), ("gifts-received", _less(facts.amount))),
    )
    if facts.fee is not None:
        _entry(
            f"fee:{facts.intent_reference}",
            "fee",
            facts,
            _sides(("processing-fees", facts.fee), ("stripe-balance", _less(facts.fee))),
        )
    for refund in facts.refunds:
        _entry(
            f"refund:{refund.reference}",
            "refund",
            facts,
            _sides(("gifts-received", refund.amount), ("stripe-balance", _less(refund.amount))),
        )
        if refund.came_back:
            _entry(
                f"refund:{refund.reference}:failed",
                "refund-failed",
                facts,
                _sides(("stripe-balance", refund.amount), ("gifts-received", _less(refund.amount))),
            )
    for dispute in facts.disputes:
        _post_dispute(facts, dispute)


def _post_dispute(facts: PaymentFacts, dispute: Dispute) -> None:
    key = f"dispute:{dispute.reference}"
    if dispute.withdrawn:
        _entry(
            f"{key}:withdrawn",
            "dispute-withdrawn",
            facts,
            _sides(("disputed-funds", dispute.amount), ("stripe-balance", _less(dispute.amount))),
        )
    for movement, fee in dispute.fees:
        _entry(
            f"{key}:fee:{movement}",
            "dispute-fee",
            facts,
            _sides(("dispute-fees", fee), ("stripe-balance", _less(fee))),
        )
    if dispute.reinstated:
        _entry(
            f"{key}:reinstated",
            "dispute-reinstated",
            facts,
            _sides(("stripe-balance", dispute.amount), ("disputed-funds", _less(dispute.amount))),
        )
    if dispute.state == LOST and dispute.withdrawn:
        _entry(
            f"{key}:lost",
            "dispute-lost",
            facts,
            _sides(("gifts-received", dispute.amount), ("disputed-funds", _less(dispute.amount))),
        )


def _entry(key: str, kind: str, facts: PaymentFacts, sides: list[ledger.Posting]) -> None:
    ledger.post(key, kind=kind, subject=facts.subject, at=now(), postings=sides)


def _sides(*sides: tuple[str, Money]) -> list[ledger.Posting]:
    return [ledger.Posting(account, amount) for account, amount in sides]


def _less(amount: Money) -> Money:
    return Money(-amount.minor, amount.currency)
