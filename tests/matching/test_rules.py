"""What a sponsor adds, over how many rows a pool is spread, and what one sender may hold."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorhub.kit import Money, clock
from donorhub.matching import Offer
from donorhub.matching.rules import allowed_hold, slots_for

NOW = clock.now()
caps = st.none() | st.integers(1, 10**6)
shares = st.decimals(0, 1, places=3)
minors = st.integers(0, 10**8)


def an_offer(*, num=1, den=1, per_gift=None, currency="CAD"):
    return Offer(
        id=1, campaign_id=1, sponsor_names={"en": "The Alder Fund", "fr": "Le Fonds Alder"},
        ratio_num=num, ratio_den=den, currency=currency, cap_minor=10**6,
        per_gift_cap_minor=per_gift, per_donor_cap_minor=None, starts_at=NOW,
        ends_at=NOW + timedelta(days=1), pool_ids=(1,),
    )  # fmt: skip


@given(minors, st.integers(1, 9), st.integers(1, 9), caps)
def test_a_match_is_the_rate_rounded_down_and_never_past_the_cap(minor, num, den, per_gift):
    match = an_offer(num=num, den=den, per_gift=per_gift).match_for(Money(minor, "CAD"))
    assert match.minor * den <= minor * num
    assert per_gift is None or match.minor <= per_gift
    if per_gift is None or match.minor < per_gift:
        assert (match.minor + 1) * den > minor * num


@given(minors, minors, st.integers(1, 9), st.integers(1, 9), caps)
def test_more_is_never_matched_with_less(one, other, num, den, per_gift):
    offer = an_offer(num=num, den=den, per_gift=per_gift)
    less, more = sorted((one, other))
    assert offer.match_for(Money(less, "CAD")) <= offer.match_for(Money(more, "CAD"))


@given(st.integers(1, 10**7), st.integers(1, 9), st.integers(1, 9))
def test_the_part_of_a_gift_that_is_matched_in_full_takes_all_that_is_held(held, num, den):
    part = Money(-(-held * den // num), "CAD")
    assert an_offer(num=num, den=den).match_for(part).minor >= held


def test_another_currency_is_not_matched():
    assert an_offer().match_for(Money(5000, "USD")) == Money.zero("USD")


def test_a_sponsor_is_named_in_the_readers_language():
    assert [an_offer().sponsor(locale) for locale in ("en", "fr", "xx")] == [
        "The Alder Fund", "Le Fonds Alder", "The Alder Fund",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cap", "slots"),
    [(1, 1), (49_999, 1), (50_000, 1), (100_000, 2), (800_000, 16), (10**9, 16)],
)
def test_a_pool_is_spread_over_one_row_to_sixteen(cap, slots):
    assert slots_for(Money(cap, "CAD")) == slots


@given(minors, minors, shares)
def test_a_sender_never_gets_past_the_share_and_never_less_than_nothing(unconfirmed, held, share):
    more = allowed_hold(unconfirmed_minor=unconfirmed, held_minor=held, share=share)
    most = Decimal(unconfirmed) * share
    assert more >= 0
    assert more == 0 or held + more - 1 < most <= held + more


@given(st.integers(1, 10**8), st.decimals("0.01", 1, places=2))
def test_enough_senders_can_hold_a_pool_to_the_last_cent(cap, share):
    senders = -(-100 // int(share * 100))
    left = cap
    for _ in range(senders):
        left -= min(left, allowed_hold(unconfirmed_minor=cap, held_minor=0, share=share))
    assert left == 0


def test_the_last_cents_can_be_held_by_somebody():
    assert allowed_hold(unconfirmed_minor=1, held_minor=0, share=Decimal("0.25")) == 1
