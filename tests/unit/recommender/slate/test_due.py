from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.publication.lists import Own
from recommender.slate.due import HORIZONS_DAYS, Due, due

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2026, 11, 13, tzinfo=UTC)


def own(*, gap_days: float = 7.0, sd: float = 0.3, share: float = 0.9, last: datetime = LAST) -> Own:
    return Own(
        product_index=0,
        score=float("nan"),
        last_day=(last - EPOCH).days,
        purchases=5,
        log_gap=float(np.float16(np.log(gap_days))),
        log_gap_sd=float(np.float16(sd)),
        return_share=float(np.float16(share)),
    )


def after(days: float) -> datetime:
    return LAST + timedelta(days=days)


def test_weekly_milk_is_due_a_week_after_the_last_carton():
    milk = due(own(gap_days=7, sd=0.3), after(1))
    assert milk.at == date(2026, 11, 20)
    assert (milk.from_, milk.to) == (date(2026, 11, 19), date(2026, 11, 22))
    assert milk.interval_days == 7


def test_float16_keeps_a_yearly_interval_within_a_day():
    yearly = due(own(gap_days=365), after(1))
    assert abs(yearly.interval_days - 365) <= 1
    assert abs((yearly.at - date(2027, 11, 13)).days) <= 1


def test_half_of_those_who_return_have_done_so_by_the_median_gap():
    # 0.6 / 2 in rhythm, and of the late ones 0.8 √0.6 0.4 Φ(-ln 7 / √1.09)
    assert due(own(share=0.6), after(0)).probability[7] == pytest.approx(0.3 + 0.0077, abs=0.001)


def test_bayes_by_hand_at_the_median_gap():
    # Of 1 buyer 0.25 is back in rhythm and 0.0088 late; in 30 days come the other 0.25 in rhythm and 0.1026 late
    assert due(own(share=0.5), after(7)).probability[30] == pytest.approx(0.3526 / 0.7412, abs=0.002)


def test_probability_rises_towards_the_due_day_and_falls_after_a_long_silence():
    week = [due(own(), after(days)).probability[7] for days in (0, 3, 6)]
    assert week == sorted(week)
    silent = [due(own(), after(days)).probability[7] for days in (20, 40, 80, 400)]
    assert silent == sorted(silent, reverse=True)
    assert silent[-1] < 0.01


def test_who_misses_a_turn_may_still_come_late():
    # four usual gaps are 14 standard deviations: nobody in rhythm is still to come
    assert due(own(gap_days=7, sd=0.1, share=0.9), after(28)).probability[30] > 0.1


def test_a_product_that_nobody_buys_again_is_never_likely():
    assert set(due(own(share=0.0), after(7)).probability.values()) == {0.0}


def test_no_spread_is_a_step_on_the_due_day():
    clockwork = own(gap_days=10, sd=0.0, share=0.5)
    # the late ones, 0.8 √0.5 0.5 of all, are spread around 70 days
    expected = {7: 0.003, 14: 0.5 + 0.0152, 30: 0.5 + 0.0561}
    assert due(clockwork, after(0)).probability == pytest.approx(expected, abs=1e-3)
    result = due(clockwork, after(0))
    assert result.from_ == result.at == result.to


def test_a_moment_before_the_last_purchase_counts_as_no_time_gone():
    assert due(own(), LAST - timedelta(days=400)) == due(own(), LAST)


def test_certain_return_and_endless_silence_do_not_divide_by_zero():
    assert due(own(share=1.0, sd=0.1), after(100_000)).probability[30] == pytest.approx(0.0)


def test_an_endless_gap_stays_within_the_calendar():
    endless = Own(0, 0.5, 65_535, 1, float("inf"), 60_000.0, 0.5)
    assert due(endless, after(0)).to.year < 2300


def test_hours_count():
    assert due(own(), after(3.5)).probability[7] > due(own(), after(3)).probability[7]


owns = st.builds(
    Own,
    product_index=st.just(0),
    score=st.just(0.5),
    last_day=st.integers(0, 65_535),
    purchases=st.integers(1, 65_535),
    log_gap=st.floats(min_value=-60_000, width=16, allow_nan=False),
    log_gap_sd=st.floats(min_value=0, max_value=60_000, width=16),
    return_share=st.floats(0, 1, width=16),
)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(owns, moments)
def test_probabilities_are_probabilities_and_never_fall_with_the_horizon(published: Own, as_of: datetime):
    probability = due(published, as_of).probability
    assert tuple(probability) == HORIZONS_DAYS
    values = list(probability.values())
    assert values == sorted(values)
    assert all(0.0 <= value <= 1.0 for value in values)


@given(owns, moments)
def test_the_window_holds_the_due_day_after_the_last_purchase(published: Own, as_of: datetime):
    result: Due = due(published, as_of)
    last = EPOCH.date() + timedelta(days=published.last_day)
    assert last <= result.from_ <= result.at <= result.to
    assert result.interval_days >= 1
