"""Covering the fee: the charity nets the whole gift, and not a cent more is asked."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorhub.kit import Money
from donorhub.payments import FeeRule

rules = st.builds(
    FeeRule, st.decimals(0, 10, places=3).map(lambda rate: rate.normalize()), st.integers(0, 100)
)
gifts = st.builds(Money, st.integers(1, 10**7), st.just("CAD"))


def net(rule: FeeRule, charged: Money) -> int:
    return charged.minor - rule.fee(charged).minor


@given(rules, gifts)
def test_the_whole_gift_is_left_after_the_fee_and_one_cent_less_would_not_do(rule, gift):
    charged = gift + rule.cover(gift)
    assert net(rule, charged) >= gift.minor
    assert net(rule, Money(charged.minor - 1, "CAD")) < gift.minor


@given(rules, gifts)
def test_covering_never_costs_less_than_nothing(rule, gift):
    assert rule.cover(gift).minor >= 0


@pytest.mark.parametrize(
    ("gift", "cover"), [(5000, 180), (100, 34), (1, 31), (2500, 106), (100_000, 3017), (9999, 330)]
)
def test_the_usual_fee_on_usual_gifts(gift, cover):
    rule = FeeRule(Decimal("2.9"), 30)
    assert rule.cover(Money(gift, "CAD")) == Money(cover, "CAD")


def test_where_nothing_is_taken_nothing_is_asked():
    assert FeeRule(Decimal(0), 0).cover(Money(5000, "CAD")) == Money.zero("CAD")


def test_the_fee_is_rounded_half_up():
    rule = FeeRule(Decimal("2.9"), 30)
    assert rule.fee(Money(5000, "CAD")).minor == 175
    assert rule.fee(Money(500, "CAD")).minor == 45  # 14.5 + 30
