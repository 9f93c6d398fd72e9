from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from recommender.days import date_of, day_of, midnight_of, to_iso, to_moment, to_us


@pytest.mark.parametrize("day", [-1, 0, 1, 20_787, 65_535 + 36_525])
def test_a_day_is_from_midnight_to_midnight_in_utc(day):
    midnight = midnight_of(day)
    assert midnight.utcoffset() == timedelta(0)
    assert midnight.date() == date_of(day) == date(1970, 1, 1) + timedelta(days=day)
    assert day_of(midnight.timestamp()) == day_of(midnight.timestamp() + 86_399.9) == day
    assert day_of(midnight.timestamp() - 1e-6) == day - 1


def test_dates_are_written_in_iso_8601():
    assert to_iso(date(2026, 3, 9)) == "2026-03-09"


def test_moments_are_exact_to_the_microsecond_whatever_their_zone():
    moment = datetime(2026, 11, 30, 1, 2, 3, 456_789, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert to_moment(to_us(moment)) == moment
    assert to_us(to_moment(1)) == 1
    assert to_moment(0) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("us", [10**20, -(10**20)])
def test_there_is_no_date_beyond_all_dates(us):
    with pytest.raises(OverflowError):
        to_moment(us)
