"""A long random walk over match: whatever is done in whatever order, every promise holds."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from donorhub.kit import db, session
from tests.builders import a_campaign, a_match
from tests.matching.holding import (
    broken,
    cad,
    confirm,
    granted,
    keep_at_most,
    pools,
    release,
)

CAP = 20_000
STEPS = 90


@dataclass
class Expected:
    """What should stand where, kept in plain numbers beside the database."""

    reserved: dict[int, int] = field(default_factory=dict)
    confirmed: dict[int, int] = field(default_factory=dict)
    wished: dict[int, int] = field(default_factory=dict)
    released: set[int] = field(default_factory=set)

    @property
    def left(self) -> int:
        return CAP - sum(self.reserved.values()) - sum(self.confirmed.values())


@dataclass
class Walk:
    """One step after the other, each checked against what is expected."""

    campaign: int
    dice: random.Random
    expected: Expected = field(default_factory=Expected)
    last: int = 0

    def step(self) -> None:
        getattr(self, self.dice.choices(list(ACTS), weights=list(ACTS.values()))[0])()

    def reserve(self) -> None:
        self.last += 1
        wish = self.dice.choice([1, 99, 500, 2500, 6000, 30_000])
        found = granted(self.last, wish, self.campaign)
        assert found == min(wish, self.expected.left)
        self.expected.wished[self.last] = wish
        if found:
            self.expected.reserved[self.last] = found

    def confirm(self) -> None:
        gift = self.any_of(self.expected.reserved)
        if gift:
            found = confirm(gift, self.expected.wished[gift], self.campaign)
            self.expected.confirmed[gift] = self.expected.reserved.pop(gift)
            assert found == self.expected.confirmed[gift]

    def confirm_again(self) -> None:
        gift = self.any_of(self.expected.confirmed)
        if gift:
            wish = self.expected.wished[gift]
            assert confirm(gift, wish, self.campaign) == self.expected.confirmed[gift]

    def release(self) -> None:
        held = self.expected.reserved | self.expected.confirmed
        gift = self.any_of(held)
        if gift:
            assert release(gift) == held[gift]
            assert release(gift) == 0
            if gift in self.expected.reserved:
                self.expected.released.add(gift)
            self.expected.reserved.pop(gift, None)
            self.expected.confirmed.pop(gift, None)

    def confirm_late(self) -> None:
        gift = self.any_of(self.expected.released)
        if gift:
            wish = self.expected.wished[gift]
            found = confirm(gift, wish, self.campaign)
            assert found == min(wish, self.expected.left)
            if found:
                self.expected.released.discard(gift)
                self.expected.confirmed[gift] = found

    def refund_part(self) -> None:
        gift = self.any_of(self.expected.confirmed)
        if gift:
            most = self.dice.randrange(self.expected.confirmed[gift] + 2)
            kept = min(most, self.expected.confirmed[gift])
            assert keep_at_most(gift, most) == kept
            self.expected.confirmed[gift] = kept
            if not kept:
                self.expected.confirmed.pop(gift)

    def any_of(self, gifts) -> int | None:
        return self.dice.choice(sorted(gifts)) if gifts else None


ACTS = {
    "reserve": 6, "confirm": 4, "release": 3, "refund_part": 2, "confirm_late": 2,
    "confirm_again": 1,
}  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_done_every_promise_holds_after_each_step(context, seed):
    campaign = a_campaign()
    a_match(campaign, cap=cad(CAP).typed, slots=3)
    walk = Walk(campaign, random.Random(seed))
    for _ in range(STEPS):
        walk.step()
        reserved, confirmed = walk.expected.reserved, walk.expected.confirmed
        assert pools() == (CAP, sum(reserved.values()), sum(confirmed.values()))
        assert broken() == []
    moves = {row.kind for row in db.rows("SELECT DISTINCT kind FROM match_journal")}
    session.rollback()
    assert moves == {"reserved", "confirmed", "released"}
