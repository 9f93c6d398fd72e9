"""When a campaign is sent."""

from datetime import UTC, datetime, timedelta

import pytest

from recommender.errors import UsageError
from training.commands.campaigns.schedule import parse_schedule, wait_for


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-12-01 09:00", "Europe/Berlin", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("2026-07-01T09:00", "Europe/Berlin", datetime(2026, 7, 1, 7, tzinfo=UTC)),
        ("2026-12-01 09:00", "Asia/Tehran", datetime(2026, 12, 1, 5, 30, tzinfo=UTC)),
        ("2026-12-01 09:00", "UTC", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01 09:00+05:00", "Europe/Berlin", datetime(2026, 12, 1, 4, tzinfo=UTC)),
        ("2026-10-25 02:30", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first of two
    ],
)
def test_a_time_is_of_the_clocks_of_its_zone(text, zone, moment):
    assert parse_schedule(text, zone) == moment


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("tomorrow", "UTC", "'2026-12-01 09:00'"),
        ("2026-12-01", "UTC", "no date with a time of day"),
        ("2026-12-01 25:00", "UTC", "no date with a time of day"),
        ("2026-12-01 09:00", "Berlin", "'Berlin' is not known"),
        ("2026-12-01 09:00", "../etc", "is not known"),
        ("2026-03-29 02:30", "Europe/Berlin", "clocks in Europe/Berlin skip 02:30"),
    ],
)
def test_what_is_no_time_is_refused(text, zone, said):
    with pytest.raises(UsageError, match=said):
        parse_schedule(text, zone)


def test_it_waits_until_then_also_where_the_clock_is_set_meanwhile():
    now, slept = [datetime(2026, 12, 1, 8, tzinfo=UTC)], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += timedelta(seconds=seconds)
        if len(slept) == 3:
            now[0] -= timedelta(minutes=1)  # set back

    wait_for(now[0] + timedelta(seconds=100), lambda: now[0], sleep)
    assert sum(slept) == 160
    assert max(slept) == 30
    wait_for(now[0] - timedelta(days=1), lambda: now[0], pytest.fail)
