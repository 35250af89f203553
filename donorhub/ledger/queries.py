"""Reading the journal."""

from __future__ import annotations

from donorhub.kit import Invariant, Money, by_sql, db


def balance(account: str, currency: str) -> Money:
    """Return what an account holds: debits less credits."""
    row = db.one(
        "SELECT coalesce(sum(amount_minor), 0)::bigint AS minor FROM ledger_postings "
        "WHERE account_code = :account AND currency = :currency",
        account=account,
        currency=currency,
    )
    return Money(row.minor, currency)


def invariants() -> list[Invariant]:
    """Return the journal's own promises (I5)."""
    return [
        by_sql(
            "I5",
            "every journal entry sums to zero per currency",
            "SELECT format('entry %s: %s %s', entry_id, sum(amount_minor), currency) "
            "FROM ledger_postings GROUP BY entry_id, currency HAVING sum(amount_minor) <> 0",
        ),
        by_sql(
            "I5",
            "every journal entry has postings",
            "SELECT format('entry %s has none', e.id) FROM ledger_entries e WHERE NOT EXISTS "
            "(SELECT FROM ledger_postings p WHERE p.entry_id = e.id)",
        ),
        by_sql(
            "I5",
            "entries and postings cannot be updated or deleted",
            "SELECT format('%s is not protected', t.name) "
            "FROM (VALUES ('ledger_entries'), ('ledger_postings')) AS t(name) WHERE NOT EXISTS "
            "(SELECT FROM pg_trigger g WHERE g.tgrelid = t.name::regclass "
            "AND g.tgname = t.name || '_append_only' AND g.tgenabled IN ('O', 'A'))",
        ),
    ]
