from datetime import UTC, datetime, timedelta

from training.ranking.examples.windows import learning_cuts, past_cuts, weigh_windows

AS_OF = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=5_000)


def cuts(first=LONG_AGO, as_of=AS_OF, horizon=30, n_purchases=1_000):
    return learning_cuts(first, as_of, horizon, n_purchases)


def day(year, month, of_month):
    return datetime(year, month, of_month, tzinfo=UTC)


def test_windows_are_over_and_have_a_past():
    newest, before = day(2026, 10, 15), day(2026, 10, 8)
    assert cuts()[:3] == [newest, before, before - timedelta(days=14)]
    assert cuts(first=newest - timedelta(days=31)) == [newest]
    assert cuts(first=newest - timedelta(days=29)) == []


def test_trainings_of_a_fortnight_share_all_but_the_newest_and_the_oldest():
    for days in range(14):
        later = cuts(as_of=AS_OF + timedelta(days=days))[:9]
        assert len(set(later[1:-1]) - set(cuts())) == (days >= 8)
        assert AS_OF + timedelta(days=days - 30) - later[0] < timedelta(days=7)


def test_the_season_of_a_year_ago_is_learned_where_it_had_a_past():
    season = day(2025, 11, 20)
    assert cuts()[-1] == season
    assert len(cuts()) == 10
    assert cuts(first=season - timedelta(days=180))[-1] == season
    assert len(cuts(first=season - timedelta(days=179))) == 9


def test_the_season_counts_as_a_third_of_the_others_together():
    assert weigh_windows(cuts(), AS_OF) == [1.0] * 9 + [3.0]
    assert weigh_windows(cuts(n_purchases=1_000_001), AS_OF) == [1.0] * 4
    assert weigh_windows(cuts()[:3], AS_OF) == [1.0] * 3


def test_a_large_shop_has_fewer_windows_on_the_same_grid():
    few = cuts(n_purchases=1_000_001)
    assert len(few) == 4
    assert set(few) <= set(cuts())


def test_a_long_horizon_has_no_window_twice():
    long = cuts(horizon=300)
    assert len(set(long)) == len(long) == 9


def test_past_windows_follow_each_other():
    assert past_cuts(AS_OF - timedelta(days=100), AS_OF, 30, 5) == [AS_OF - timedelta(days=each) for each in (30, 60)]
    assert past_cuts(AS_OF - timedelta(days=59), AS_OF, 30, 5) == []
