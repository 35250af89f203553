"""Match under real concurrent connections: never over, never stranded, never stuck."""

from __future__ import annotations

import random
from functools import partial

import pytest
from sqlalchemy import text

from donorhub.kit import db, unit_of_work
from tests.builders import a_campaign, a_match
from tests.matching.holding import at_once, broken, cad, confirm, granted, pools, release

ROUNDS = 30


@pytest.fixture
def campaign(context):
    return a_campaign()


def begin_afresh(app, cap):
    """Give the pool back as it was, without a new database for each round."""
    with app.extensions["engine"].begin() as connection:
        for line in (
            "SET LOCAL session_replication_role = replica",
            "DELETE FROM match_journal",
            "DELETE FROM match_allocations",
            "UPDATE match_pools SET reserved_minor = 0, confirmed_minor = 0, last_grant_minor = 0",
        ):
            connection.execute(text(line))
    assert pools() == (cap, 0, 0)


def test_64_donors_on_the_last_100_dollars_never_take_more_and_never_strand_a_cent(app, campaign):
    a_match(campaign, cap="100", slots=4)
    dice = random.Random(7)
    for number in range(ROUNDS):
        begin_afresh(app, 10_000)
        wishes = [dice.choice([100, 333, 500, 2500, 9999]) for _ in range(64)]
        acts = [partial(granted, gift, wish, campaign) for gift, wish in enumerate(wishes, start=1)]
        answers = at_once(app, acts)
        assert [answer for answer in answers if not isinstance(answer, int)] == []
        assert sum(answers) == min(10_000, sum(wishes)), f"round {number}"
        assert pools() == (10_000, sum(answers), 0)
        for answer, wish in zip(answers, wishes, strict=True):
            assert 0 <= answer <= wish
        if number % 10 == 0:
            assert broken() == []


def test_one_senders_requests_at_once_never_hold_more_than_the_share(app, strict, campaign):
    a_match(campaign, cap="100", slots=4)
    acts = [partial(granted, gift, 1000, campaign, sender="one") for gift in range(1, 17)]
    assert sum(at_once(app, acts)) == 2500
    assert granted(99, 1000, campaign, sender="another") == 1000
    assert broken() == []


def test_eight_senders_use_the_pool_to_the_last_cent(app, strict, campaign):
    a_match(campaign, cap="99.99", slots=4)
    acts = [
        partial(granted, gift, 600, campaign, sender=f"sender {gift % 8}") for gift in range(1, 33)
    ]
    answers = at_once(app, acts)
    assert [answer for answer in answers if not isinstance(answer, int)] == []
    assert sum(answers) == 9999
    assert pools() == (9999, 9999, 0)
    assert broken() == []


def test_one_donor_at_many_places_at_once_stays_within_their_cap(app, campaign):
    a_match(campaign, cap="1000", slots=8, per_donor_cap=cad(5000))
    acts = [
        partial(granted, gift, 1200, campaign, donor="maya", sender=f"s{gift}")
        for gift in range(1, 17)
    ]
    assert sum(at_once(app, acts)) == 5000
    assert broken() == []


def test_confirming_and_releasing_the_same_gift_at_once_has_exactly_one_outcome(app, campaign):
    """Without the gift's own lock, which callers hold: the allocation decides by itself."""
    a_match(campaign, cap="100", slots=2)
    outcomes = set()
    for gift in range(1, 25):
        granted(gift, 300, campaign)
        confirmed, released = at_once(
            app, [partial(move_only, gift, "confirmed"), partial(move_only, gift, "released")]
        )
        assert {confirmed, released} == {300, 0}
        outcomes.add(confirmed)
        release(gift)
    assert pools() == (10_000, 0, 0)
    assert broken() == []


def move_only(gift: int, to: str) -> int:
    from donorhub.matching.service import _move

    with unit_of_work():
        return _move(gift, was="reserved", to=to, reason=None)


def test_confirming_at_once_from_many_sides_confirms_once(app, campaign):
    a_match(campaign, cap="100", slots=4)
    granted(1, 9000, campaign)
    assert at_once(app, [partial(confirm, 1, 9000, campaign)] * 8) == [9000] * 8
    assert pools() == (10_000, 0, 9000)
    assert db.one("SELECT count(*) AS n FROM match_journal WHERE kind = 'confirmed'").n == 4
    assert broken() == []


def test_gifts_over_many_slots_never_wait_for_each_other_in_a_circle(app, campaign):
    a_match(campaign, cap="100", slots=8)

    def whole_life(gift):
        with_match = granted(gift, 4000, campaign)
        if gift % 3:
            confirm(gift, 4000, campaign)
        release(gift)
        return with_match

    for wave in range(3):
        gifts = range(wave * 24 + 1, wave * 24 + 25)
        answers = at_once(app, [partial(whole_life, gift) for gift in gifts])
        assert all(isinstance(answer, int) for answer in answers), answers
    assert pools() == (10_000, 0, 0)
    assert broken() == []


def test_what_is_released_while_others_ask_is_granted_or_left_never_lost(app, campaign):
    a_match(campaign, cap="100", slots=4)
    for gift in range(1, 11):
        granted(gift, 1000, campaign)
    releases = [partial(release, gift) for gift in range(1, 6)]
    asks = [partial(granted, gift, 700, campaign) for gift in range(20, 40)]
    answers = at_once(app, [*releases, *asks])
    assert answers[:5] == [1000] * 5
    assert pools() == (10_000, 5000 + sum(answers[5:]), 0)
    assert broken() == []


def test_small_gifts_beside_huge_ones_never_wait_for_each_other_in_a_circle(app, campaign):
    """A slot that has ample room for a small gift is poor as soon as a huge one was quicker."""
    a_match(campaign, cap="400", slots=8)
    dice = random.Random(11)
    for number in range(ROUNDS):
        begin_afresh(app, 40_000)
        wishes = [dice.choice([10, 70, 4990, 5000, 39_000]) for _ in range(48)]
        acts = [partial(granted, gift, wish, campaign) for gift, wish in enumerate(wishes, start=1)]
        answers = at_once(app, acts)
        assert [answer for answer in answers if not isinstance(answer, int)] == []
        assert sum(answers) == min(40_000, sum(wishes)), f"round {number}"
    assert broken() == []
