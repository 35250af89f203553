"""The journal: every cent has two sides, and nothing that was written changes."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from donorhub import ledger
from donorhub.kit import Money, clock, db, now, session, unit_of_work
from donorhub.ledger.service import Unbalanced
from tests.builders import a_campaign

CAD = "CAD"


def entry(key="k", *, minor=500, other=-500, currency=CAD):
    sides = [
        ledger.Posting("stripe-balance", Money(minor, CAD)),
        ledger.Posting("gifts-received", Money(other, currency)),
    ]
    return ledger.post(key, kind="charge", subject="gift:x", at=now(), postings=sides)


def attempt(sql):
    with unit_of_work():
        db.run(sql)


def test_an_entry_has_two_sides_and_moves_the_balance(context):
    with unit_of_work():
        assert entry()
    assert ledger.balance("stripe-balance", CAD) == Money(500, CAD)
    assert ledger.balance("gifts-received", CAD) == Money(-500, CAD)
    assert ledger.balance("stripe-balance", "USD") == Money.zero("USD")


def test_the_same_key_posts_once(context):
    with unit_of_work():
        assert entry()
        assert not entry(minor=900, other=-900)
    with unit_of_work():
        assert not entry()
    assert ledger.balance("stripe-balance", CAD).minor == 500


@pytest.mark.parametrize(("minor", "other", "currency"), [(500, -499, CAD), (500, -500, "USD")])
def test_sides_that_do_not_sum_to_zero_are_refused_at_once(context, minor, other, currency):
    with pytest.raises(Unbalanced), unit_of_work():
        entry(minor=minor, other=other, currency=currency)
    assert db.one("SELECT count(*) AS n FROM ledger_entries").n == 0


def test_sides_of_nothing_are_left_out(context):
    with unit_of_work():
        assert not entry(minor=0, other=0)
    assert db.one("SELECT count(*) AS n FROM ledger_entries").n == 0


def test_the_database_itself_refuses_an_unbalanced_entry_at_commit(context):
    with unit_of_work():
        entry()
    side = "(SELECT max(id) FROM ledger_entries), 'stripe-balance', {}, '{}'"
    insert = "INSERT INTO ledger_postings (entry_id, account_code, amount_minor, currency) SELECT "
    with pytest.raises(IntegrityError, match="does not sum to zero"):
        attempt(insert + side.format(1, CAD))
    both = f"{side.format(1, CAD)} UNION ALL SELECT {side.format(-1, 'USD')}"
    with pytest.raises(IntegrityError, match="does not sum to zero"):
        attempt(insert + both)
    attempt(insert + f"{side.format(7, 'USD')} UNION ALL SELECT {side.format(-7, 'USD')}")
    assert ledger.balance("stripe-balance", CAD).minor == 500


def test_the_database_itself_refuses_an_entry_without_sides_at_commit(context):
    with pytest.raises(IntegrityError, match="has no postings"):
        attempt(
            "INSERT INTO ledger_entries (key, kind, subject, occurred_at) "
            "VALUES ('k', 'x', 'x', now())"
        )


@pytest.mark.parametrize("table", ["ledger_entries", "ledger_postings"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {} SET id = DEFAULT",
        "DELETE FROM {}",
        "DELETE FROM {} WHERE false",
        "TRUNCATE {} CASCADE",
    ],
)
def test_what_was_written_can_neither_be_changed_nor_deleted(context, table, change):
    with unit_of_work():
        entry()
    with pytest.raises(DBAPIError, match="append-only"):
        attempt(change.format(table))
    assert ledger.balance("stripe-balance", CAD).minor == 500


@pytest.mark.parametrize("change", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_match_journal_is_append_only_too(context, change):
    with pytest.raises(DBAPIError, match="append-only"):
        attempt(change.format("match_journal"))


def test_an_account_that_is_not_in_the_plan_is_refused(context):
    sides = [
        ledger.Posting("pocket", Money(1, CAD)),
        ledger.Posting("gifts-received", Money(-1, CAD)),
    ]
    with pytest.raises(IntegrityError, match="account"), unit_of_work():
        ledger.post("k", kind="x", subject="x", at=now(), postings=sides)


def test_an_entry_vanishes_with_the_unit_it_was_posted_in(context):
    with pytest.raises(LookupError):
        fail_after_posting()
    assert ledger.balance("stripe-balance", CAD).minor == 0


def fail_after_posting():
    with unit_of_work():
        entry()
        raise LookupError


def test_the_check_exits_0_and_says_one_line_for_each_promise(app):
    result = app.test_cli_runner().invoke(args=["ledger", "check"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert len(lines) > 20
    assert all(line.startswith("holds  I") for line in lines)
    assert {line.split()[1] for line in lines} >= {"I1", "I2", "I3", "I4", "I5", "I6", "I7"}


def test_the_check_exits_1_and_names_the_rows(app):
    with app.app_context():
        campaign = a_campaign()
        with unit_of_work():
            db.run(
                "INSERT INTO gift_tallies (campaign_id, slot, currency, raised_minor, gifts) "
                "VALUES (:campaign, 0, 'CAD', 1, 0)",
                campaign=campaign,
            )
    result = app.test_cli_runner().invoke(args=["ledger", "check"])
    assert result.exit_code == 1
    assert "BROKEN I7   each campaign's figures are the sum of its gifts" in result.output
    assert f"campaign {campaign}: 1 and 0 gifts shown" in result.output
    assert result.output.count("BROKEN") == 1


def test_a_long_list_of_broken_rows_is_cut_and_counted(app):
    with app.app_context(), unit_of_work():
        session.connection().exec_driver_sql("SET LOCAL session_replication_role = replica")
        for number in range(25):
            db.run(
                "INSERT INTO ledger_entries (key, kind, subject, occurred_at) "
                "VALUES (:key, 'x', 'x', :now)",
                key=str(number),
                now=clock.now(),
            )
    result = app.test_cli_runner().invoke(args=["ledger", "check"])
    assert result.exit_code == 1
    assert "and 5 more" in result.output
