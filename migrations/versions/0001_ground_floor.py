"""The ground floor: every table that a gift through the house needs."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parent.parent / "sql"
PARTS = ("kit", "ledger", "payments", "mail", "stories", "campaigns", "matching", "giving")
TABLES = (
    "gift_tallies, gifts, donors, match_journal, match_allocations, match_pools, match_offers, "
    "campaign_stories, campaign_texts, campaigns, protected_names, story_edition, "
    "story_pictures, story_texts, stories, letters, reconciliations, stripe_payments, "
    "stripe_events, checkouts, ledger_postings, ledger_entries, ledger_accounts, rate_limits"
)
FUNCTIONS = (
    "story_edition_moves, match_journal_is_append_only, match_allocation_moves, "
    "ledger_is_append_only, ledger_entry_has_postings, ledger_entry_balances"
)
DROP_PROCRASTINATE = """
DO $$ DECLARE item record; BEGIN
  FOR item IN SELECT format('DROP TABLE %I CASCADE', tablename) AS command
      FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate\\_%'
  LOOP EXECUTE item.command; END LOOP;
  FOR item IN SELECT format('DROP FUNCTION %s CASCADE', p.oid::regprocedure) AS command
      FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace
      AND p.proname LIKE 'procrastinate\\_%'
  LOOP EXECUTE item.command; END LOOP;
  FOR item IN SELECT format('DROP TYPE %I CASCADE', t.typname) AS command
      FROM pg_type t WHERE t.typnamespace = current_schema()::regnamespace
      AND t.typname LIKE 'procrastinate\\_%' AND t.typtype IN ('e', 'c')
  LOOP EXECUTE item.command; END LOOP;
END $$
"""


def upgrade() -> None:
    """Create the tables of each package, lowest first, and the job queue's own."""
    connection = op.get_bind()
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    for part in PARTS:
        sql = (SQL / f"0001_{part}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(sql.replace("%", "%%"))


def downgrade() -> None:
    """Drop everything, highest first."""
    op.execute(f"DROP TABLE {TABLES}")
    op.execute(f"DROP FUNCTION {FUNCTIONS}")
    op.get_bind().exec_driver_sql(DROP_PROCRASTINATE.replace("%", "%%"))
