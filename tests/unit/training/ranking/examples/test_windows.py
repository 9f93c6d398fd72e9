from datetime import UTC, datetime, timedelta

import pytest

from training.ranking.examples.windows import learning_cuts, past_cuts

AS_OF = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=5_000)


def cuts(first=LONG_AGO, as_of=AS_OF, horizon=30, n_purchases=1_000):
    return learning_cuts(first, as_of, horizon, n_purchases)


def test_windows_are_over_have_a_past_and_lie_a_week_apart():
    latest = cuts(first=AS_OF - timedelta(days=75))
    assert latest == [datetime(2026, 10, 15, tzinfo=UTC), datetime(2026, 10, 15, tzinfo=UTC) - timedelta(days=7)]
    assert cuts(first=AS_OF - timedelta(days=59)) == []


@pytest.mark.parametrize("later_days", [1, 3, 6, 7])
def test_a_training_some_days_later_shares_all_but_one_of_them(later_days):
    assert len(set(cuts(as_of=AS_OF + timedelta(days=later_days))[:-1]) - set(cuts())) <= 1


def test_the_season_of_a_year_ago_is_learned_where_it_had_a_past():
    season = datetime(2025, 11, 20, tzinfo=UTC)
    assert cuts()[-1] == season
    assert len(cuts()) == 18
    assert cuts(first=season - timedelta(days=180))[-1] == season
    assert len(cuts(first=season - timedelta(days=179))) == 17


def test_a_large_shop_has_fewer_windows_on_the_same_grid():
    few = cuts(n_purchases=1_000_001)
    assert few == [cuts()[i] for i in (0, 4, 8, -1)]


def test_a_long_horizon_has_no_window_twice():
    long = cuts(horizon=300)
    assert len(set(long)) == len(long) == 17


def test_past_windows_follow_each_other():
    assert past_cuts(AS_OF - timedelta(days=100), AS_OF, 30, 5) == [AS_OF - timedelta(days=each) for each in (30, 60)]
    assert past_cuts(AS_OF - timedelta(days=59), AS_OF, 30, 5) == []
