"""Alembic's environment: one connection, short locks, one transaction a revision."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=True, target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
