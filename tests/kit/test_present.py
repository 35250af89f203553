"""How money and time are written, in English and in French."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask_babel import force_locale

from donorhub.kit import Money, clock, present

LATE = datetime(2026, 12, 1, 4, 59, tzinfo=UTC)  # 23:59 in Toronto, the day before
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def written(built_app):
    """Write with a filter in a language; spaces that do not break are shown as "_"."""

    def write(function, value, locale):
        with built_app.test_request_context(), force_locale(locale):
            return str(function(value)).replace("\u00a0", "_").replace("\u202f", "_")

    return write


@pytest.mark.parametrize(
    ("minor", "currency", "english", "french"),
    [
        (5000, "CAD", "$50", "50_$"),
        (5050, "CAD", "$50.50", "50,50_$"),
        (1, "CAD", "$0.01", "0,01_$"),
        (0, "CAD", "$0", "0_$"),
        (123_456_700, "CAD", "$1,234,567", "1_234_567_$"),
        (123_456_789, "CAD", "$1,234,567.89", "1_234_567,89_$"),
        (500, "JPY", "JP¥500", "500_¥"),
    ],
)
def test_an_amount_in_both_languages(written, minor, currency, english, french):
    found = [written(present.money_text, Money(minor, currency), loc) for loc in ("en", "fr")]
    assert found == [english, french]


def test_an_exact_amount_keeps_its_cents(written):
    money = Money(5000, "CAD")
    assert written(present.money_exact, money, "en") == "$50.00"
    assert written(present.money_exact, money, "fr") == "50,00_$"


@pytest.mark.parametrize("minor", [1, 10, 99, 100, 12345, 99_999_999])
def test_no_cent_is_lost_in_writing(written, minor):
    for locale in ("en", "fr"):
        text = written(present.money_exact, Money(minor, "CAD"), locale).replace("_", " ")
        assert Money.parse(text, "CAD", locale).minor == minor


def test_a_deadline_names_day_time_and_zone_of_the_charity(written):
    assert written(present.deadline_text, LATE, "en") == "November 30, 2026, 11:59_p.m._EST"
    french = written(present.deadline_text, LATE, "fr").replace(" ", "_")
    assert french.startswith("30_novembre_2026,_23_h_59_")
    assert french.endswith(("HNE", "EST"))


def test_a_day_in_words(written):
    assert written(present.date_text, date(2026, 11, 30), "en") == "November 30, 2026"
    assert written(present.date_text, date(2026, 11, 30), "fr") == "30 novembre 2026"


@pytest.mark.parametrize(
    ("left", "english"),
    [
        (timedelta(days=8), "8 days left"),
        (timedelta(days=8, seconds=-1), "7 days left"),
        (timedelta(days=1), "1 day left"),
        (timedelta(hours=23), "last day"),
        (timedelta(days=-3), "last day"),
    ],
)
def test_days_left_are_never_rounded_up(written, left, english):
    with clock.stopped(NOON):
        assert written(present.days_left, NOON + left, "en") == english


def test_a_share_for_drawing_stays_between_nothing_and_all():
    def percent(part, whole):
        return str(present.percent(Money(part, "CAD"), Money(whole, "CAD")))

    found = [percent(1, 3), percent(5, 1), percent(0, 1), percent(1, 0)]
    assert found == ["33.33", "100.00", "0.00", "0"]
