"""What happened to gifts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GiftReceived:
    """A gift's money arrived."""

    gift_id: int


@dataclass(frozen=True, slots=True)
class GiftRestored:
    """A refund, whole or partial, failed at the donor's bank: the money is ours again."""

    gift_id: int


@dataclass(frozen=True, slots=True)
class GiftReversed:
    """A gift, or part of it, was given back or taken back by a bank."""

    gift_id: int
