"""Pure decisions about gifts."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from donorhub.kit import Money

# Stripe takes no expires_at less than 30 minutes after it creates the session; a minute
# more lets the call itself, its retries and two clocks that disagree fit in.
HOLD = timedelta(minutes=31)
REOPEN_MARGIN = timedelta(minutes=2)
LONGEST_NAME, LONGEST_MESSAGE, LONGEST_EMAIL = 80, 500, 254
PENDING, RECEIVED, EXPIRED, CANCELLED = "pending", "received", "expired", "cancelled"
REFUNDED, DISPUTED = "refunded", "disputed"
ENDED_UNPAID = (EXPIRED, CANCELLED)


@dataclass(frozen=True, slots=True)
class GiftWish:
    """What a donor asked for on the form."""

    form_key: str
    campaign_id: int
    campaign_title: str
    story_id: int | None
    intended: Money
    fee_cover: Money
    first_name: str
    last_name: str
    email: str
    message: str
    is_anonymous: bool
    locale: str
    sender: str
    wants_review: bool

    @property
    def total(self) -> Money:
        """What the card is charged."""
        return self.intended + self.fee_cover

    @property
    def content(self) -> str:
        """A digest of everything that makes this wish differ from another on the same form."""
        parts = (
            self.campaign_id, self.story_id, self.intended.minor, self.fee_cover.minor,
            self.first_name, self.last_name, self.email.lower(), self.message, self.is_anonymous,
        )  # fmt: skip
        return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]


def needs_review(wish: GiftWish, *, wished: Money, granted: Money) -> bool:
    """Whether the donor must see, before paying, what will be matched.

    True without JavaScript, and whenever less is held than the rule would give.
    """
    return wish.wants_review or granted < wished


def left_to_match(*, intended: Money, amount: Money, refunded: Money) -> Money:
    """Return the part of a gift that is still matched after money went back.

    What the donor added for the fee is given back first; it was never matched.
    """
    return min(intended, amount - refunded)


def part_matched_in_full(gift: Money, held: Money, *, ratio_num: int, ratio_den: int) -> Money:
    """Return the least part of a gift whose whole match is what is held for it, rounded up."""
    return min(gift, Money(-(-held.minor * ratio_den // ratio_num), gift.currency))


def sender_of(address: str) -> str:
    """Return what counts as one sender: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        return str(found.ipv4_mapped)
    prefix = 64 if found.version == 6 else 32  # noqa: PLR2004 - IPv6
    return str(ipaddress.ip_network(f"{found}/{prefix}", strict=False))


def email_hint(email: str) -> str:
    """Return an address that its owner recognises and a stranger cannot use."""
    name, _, host = email.partition("@")
    return f"{name[:1]}…@{host}"
