"""Append-only double-entry journal: every cent has two sides."""

from donorhub.ledger.queries import balance, invariants
from donorhub.ledger.service import Posting, post

__all__ = ["Posting", "balance", "invariants", "post"]
