"""Match by example: reserved, confirmed, released, kept in part, limited, and told as it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from donorhub import campaigns, ledger, matching
from donorhub.kit import Money, clock, db, now, unit_of_work
from tests.builders import a_campaign, a_match
from tests.matching.holding import (
    broken,
    cad,
    confirm,
    granted,
    keep_at_most,
    pools,
    release,
    reserve,
)


@pytest.fixture
def campaign(context):
    return a_campaign()


def per_slot(campaign):
    return [row.reserved_minor for row in db.rows("SELECT * FROM match_pools ORDER BY id")]


def test_without_an_offer_nothing_is_wished_and_nothing_granted(campaign):
    grant = reserve(1, 5000, campaign)
    assert (grant.offer, grant.wished, grant.granted) == (None, cad(0), cad(0))


def test_what_is_reserved_is_confirmed_and_owed_by_the_sponsor(campaign):
    a_match(campaign, cap="100")
    assert granted(1, 3000, campaign) == 3000
    assert pools() == (10_000, 3000, 0)
    assert confirm(1, 3000, campaign) == 3000
    assert pools() == (10_000, 0, 3000)
    assert ledger.balance("sponsors-owe", "CAD") == cad(3000)
    assert ledger.balance("match-earned", "CAD") == cad(-3000)
    assert broken() == []


def test_confirming_again_changes_nothing(campaign):
    a_match(campaign, cap="100")
    granted(1, 3000, campaign)
    assert [confirm(1, 3000, campaign) for _ in range(3)] == [3000] * 3
    assert pools() == (10_000, 0, 3000)
    assert broken() == []


def test_a_release_gives_back_once_and_earned_match_is_taken_out_of_the_ledger(campaign):
    a_match(campaign, cap="100")
    granted(1, 3000, campaign)
    granted(2, 2000, campaign)
    confirm(2, 2000, campaign)
    assert [release(1), release(1), release(2), release(2)] == [3000, 0, 2000, 0]
    assert pools() == (10_000, 0, 0)
    assert ledger.balance("sponsors-owe", "CAD") == cad(0)
    assert broken() == []


def test_less_than_wished_is_granted_when_less_is_left_and_nothing_when_nothing_is(campaign):
    a_match(campaign, cap="50", slots=1)
    assert granted(1, 3000, campaign) == 3000
    grant = reserve(2, 3000, campaign)
    assert (grant.wished, grant.granted) == (cad(3000), cad(2000))
    assert granted(3, 3000, campaign) == 0
    assert broken() == []


def test_a_gift_takes_the_rest_of_every_slot_before_it_is_told_that_little_is_left(campaign):
    a_match(campaign, cap="100", slots=4)
    assert granted(1, 9000, campaign) == 9000
    assert sum(per_slot(campaign)) == 9000
    assert granted(2, 9000, campaign) == 1000
    assert pools() == (10_000, 10_000, 0)
    assert confirm(1, 9000, campaign) == 9000
    assert release(1) == 9000
    assert broken() == []


def test_a_late_payment_takes_match_again_as_far_as_there_is_any(campaign):
    a_match(campaign, cap="50", slots=1)
    granted(1, 3000, campaign)
    release(1)
    granted(2, 4000, campaign)
    assert confirm(1, 3000, campaign) == 1000
    assert [confirm(1, 3000, campaign) for _ in range(2)] == [1000, 1000]
    assert broken() == []


def test_a_payment_that_never_had_match_gets_none_later(campaign):
    a_match(campaign, cap="50", slots=1)
    granted(1, 5000, campaign)
    granted(2, 5000, campaign)
    release(1)
    assert confirm(2, 5000, campaign) == 0
    assert broken() == []


@pytest.mark.parametrize(
    ("most", "kept"), [(10_000, 9000), (9000, 9000), (8999, 8999), (2501, 2501), (1, 1), (0, 0)]
)
def test_after_a_partial_refund_only_the_match_of_the_rest_is_kept(campaign, most, kept):
    a_match(campaign, cap="100", slots=4)
    granted(1, 9000, campaign)
    confirm(1, 9000, campaign)
    assert keep_at_most(1, most) == kept
    assert keep_at_most(1, most) == kept
    assert pools() == (10_000, 0, kept)
    assert ledger.balance("sponsors-owe", "CAD") == cad(kept)
    assert broken() == []
    assert release(1) == kept
    assert broken() == []


def test_a_cap_for_each_donor_counts_all_their_gifts_until_they_are_released(campaign):
    a_match(campaign, cap="1000", per_donor_cap=cad(5000))
    assert granted(1, 3000, campaign, donor="maya") == 3000
    confirm(1, 3000, campaign, donor="maya")
    assert granted(2, 3000, campaign, donor="maya") == 2000
    assert granted(3, 3000, campaign, donor="maya") == 0
    assert granted(4, 3000, campaign, donor="noor") == 3000
    release(2)
    assert granted(5, 3000, campaign, donor="maya") == 2000
    assert broken() == []


def test_a_cap_for_each_gift_and_a_ratio(campaign):
    a_match(campaign, cap="1000", ratio_num=3, ratio_den=2, per_gift_cap=cad(4000))
    assert [granted(n, minor, campaign) for n, minor in enumerate((1001, 2000, 9000))] == [
        1501, 3000, 4000,
    ]  # fmt: skip


def test_one_sender_holds_no_more_than_a_share_and_paying_frees_their_hands(strict, campaign):
    a_match(campaign, cap="100", slots=1)
    first = reserve(1, 9000, campaign, sender="a")
    assert (first.granted, first.is_share_limited) == (cad(2500), True)
    assert granted(2, 1000, campaign, sender="a") == 0
    assert granted(3, 1000, campaign, sender="b") == 1000
    confirm(1, 2500, campaign, sender="a")
    assert granted(4, 9000, campaign, sender="a") == 1875
    assert broken() == []


def test_a_grant_that_is_whole_is_not_called_limited(strict, campaign):
    a_match(campaign, cap="1000")
    assert not reserve(1, 5000, campaign).is_share_limited


@pytest.mark.parametrize("away", [timedelta(days=-2), timedelta(days=11)])
def test_before_and_after_its_time_an_offer_grants_nothing(campaign, away):
    a_match(campaign, cap="100")
    with clock.stopped(now() + away):
        assert granted(1, 1000, campaign) == 0
        assert matching.match_of(campaign, "en").state == ("upcoming" if away.days < 0 else "ended")


def test_a_paused_offer_grants_nothing_and_keeps_what_is_reserved(campaign):
    offer = a_match(campaign, cap="100")
    granted(1, 1000, campaign)
    assert matching.pause_offer(offer)
    assert matching.match_of(campaign, "en").state == "paused"
    assert granted(2, 1000, campaign) == 0
    assert confirm(1, 1000, campaign) == 1000
    assert matching.pause_offer(offer, paused=False)
    assert granted(3, 1000, campaign) == 1000
    assert not matching.pause_offer(999)


def test_a_page_may_promise_only_what_is_left(campaign):
    assert matching.match_of(campaign, "en") is None
    a_match(campaign, cap="100", slots=1)
    granted(1, 3000, campaign)
    confirm(1, 3000, campaign)
    granted(2, 2000, campaign)
    match = matching.match_of(campaign, "fr")
    assert (match.cap, match.confirmed, match.reserved, match.remaining) == tuple(
        map(cad, (10_000, 3000, 2000, 5000))
    )
    assert (match.sponsor, match.ratio_text, match.doubles) == ("Le Fonds Alder", "1:1", True)
    assert match.becomes(cad(700)) == cad(1400)
    granted(3, 5000, campaign)
    assert matching.match_of(campaign, "en").state == "exhausted"


def test_only_one_offer_runs_for_a_campaign(campaign):
    a_match(campaign)
    with pytest.raises(IntegrityError):
        a_match(campaign)


def test_a_gift_in_another_currency_is_not_matched(campaign):
    a_match(campaign)
    with unit_of_work():
        grant = matching.reserve(
            1, campaign_id=campaign, gift=Money(100, "USD"), sender="s", donor="d"
        )
    assert grant.granted == Money.zero("USD")


def test_a_gift_of_another_campaign_takes_nothing_from_this_one(campaign):
    a_match(campaign, cap="100")
    other = a_campaign("other-lights")
    assert granted(1, 1000, other) == 0
    assert campaigns.campaign_page("other-lights", "en").id == other
    assert matching.matched_total(other, "CAD") == cad(0)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE match_allocations SET state = 'reserved'",
        "UPDATE match_allocations SET amount_minor = amount_minor + 1",
        "UPDATE match_allocations SET gift_id = gift_id + 1",
        "UPDATE match_pools SET confirmed_minor = cap_minor + 1",
        "UPDATE match_pools SET reserved_minor = -1",
    ],
)
def test_the_database_itself_refuses_a_move_that_may_not_be(campaign, change):
    a_match(campaign, cap="100", slots=1)
    granted(1, 3000, campaign)
    confirm(1, 3000, campaign)
    with pytest.raises(DBAPIError, match=r"allocation|ck_match_pools"), unit_of_work():
        db.run(change)
    assert broken() == []


def test_every_public_change_of_a_match_changes_its_mark(campaign):
    offer = a_match(campaign, cap="100", slots=1)
    steps = [
        lambda: granted(1, 3000, campaign),
        lambda: confirm(1, 3000, campaign),
        lambda: granted(2, 1000, campaign),
        lambda: release(2),
        lambda: matching.pause_offer(offer),
    ]
    marks = [matching.fingerprint()]
    for step in steps:
        step()
        marks.append(matching.fingerprint())
    with clock.stopped(now() + timedelta(days=30)):
        marks.append(matching.fingerprint())
    assert len(set(marks)) == len(marks), "a page that shows an older figure would be kept"
