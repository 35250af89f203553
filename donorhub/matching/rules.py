"""What a sponsor adds to a gift: arithmetic with no world attached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal

from donorhub.kit import Money, locales

FEWEST_SLOTS, MOST_SLOTS = 1, 16
MINOR_A_SLOT = 50_000


@dataclass(frozen=True, slots=True)
class Offer:
    """A sponsor's rule for one campaign: so much for so much, within limits."""

    id: int
    campaign_id: int
    sponsor_names: Mapping[str, str]
    ratio_num: int
    ratio_den: int
    currency: str
    cap_minor: int
    per_gift_cap_minor: int | None
    per_donor_cap_minor: int | None
    starts_at: datetime
    ends_at: datetime
    pool_ids: tuple[int, ...]

    def sponsor(self, locale: str) -> str:
        """Return the sponsor's public name in a language."""
        return locales.text_for(self.sponsor_names, locale)[1]

    def match_for(self, gift: Money) -> Money:
        """Return the whole match of a gift by the rule, however much is left; rounded down."""
        if gift.currency != self.currency:
            return Money.zero(gift.currency)
        minor = gift.minor * self.ratio_num // self.ratio_den
        if self.per_gift_cap_minor is not None:
            minor = min(minor, self.per_gift_cap_minor)
        return Money(max(minor, 0), gift.currency)


def slots_for(cap: Money) -> int:
    """Return over how many rows a pool is spread: more for a big one, one for a small one."""
    return max(FEWEST_SLOTS, min(MOST_SLOTS, cap.minor // MINOR_A_SLOT))


def allowed_hold(*, unconfirmed_minor: int, held_minor: int, share: Decimal) -> int:
    """Return how much more one sender may hold unpaid: a share of what is not yet confirmed.

    The share is of all that is unconfirmed, held by others or not, so that a handful of
    senders can use a pool to the last cent while no single one can hold it empty.
    """
    most = int((unconfirmed_minor * share).to_integral_value(ROUND_CEILING))
    return max(most - held_minor, 0)
