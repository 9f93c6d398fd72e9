import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.publication.profile import SEGMENT_NAMES, SEGMENTS, STATES, UNKNOWN_SEGMENT, lifecycle_state
from tests.support.profiles import make_newcomer, make_profile
from training.analytics.customer_value.segments import lifecycle_states, name_segments

REGULAR = make_profile("ann", last_day=100, orders=3, usual_gap_days=10.0)


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (100, "active"),
        (107, "active"),
        (108, "due"),
        (115, "due"),
        (116, "at_risk"),
        (130, "at_risk"),
        (131, "lapsed"),
        (90, "active"),  # a clock that is behind
    ],
)
def test_a_customer_with_a_gap_of_ten_days(day, state):
    assert REGULAR.lifecycle(day) == state
    assert state in STATES


def test_an_order_since_moves_the_lifecycle_and_counts_once():
    assert REGULAR.lifecycle(131) == "lapsed"
    assert REGULAR.lifecycle(131, last_day=130) == "loyal"  # the fourth order
    assert REGULAR.lifecycle(131, last_day=120) == "due"
    assert REGULAR.lifecycle(131, last_day=100) == REGULAR.lifecycle(131, last_day=5) == "lapsed"
    assert make_newcomer("new").lifecycle(20_400) == "new"
    assert make_newcomer("new").lifecycle(20_400, last_day=20_399) == "active"


def test_orders_that_are_known_change_nothing_and_later_ones_move_the_expected_day():
    assert REGULAR.expected_day == 110
    assert REGULAR.after([]) is REGULAR.after([100, 7]) is REGULAR
    moved = REGULAR.after([104, 7, 103, 104])
    assert (moved.last_day, moved.orders, moved.expected_day, moved.first_day) == (104, 5, 114, REGULAR.first_day)


def test_where_nobody_comes_back_no_order_is_expected():
    assert make_newcomer("new").expected_day is None


def test_value_so_far_and_to_come():
    assert make_profile("ann", spent=100.0, predicted_clv=20.0).total_clv == 120
    assert make_profile("ann", spent=math.nan, predicted_clv=20.0).total_clv == 20
    assert math.isnan(make_profile("ann", predicted_clv=math.nan).total_clv)


def test_segments():
    assert SEGMENTS[0] == "champion"
    assert {name for row in SEGMENT_NAMES for name in row} == set(SEGMENTS)
    assert make_profile("ann", rfm_recency=1, rfm_frequency=5).segment == "cannot_lose"
    assert make_profile("ann", rfm_recency=0).segment == UNKNOWN_SEGMENT
    assert make_profile("ann", rfm_frequency=0).segment == UNKNOWN_SEGMENT


@given(orders=st.integers(1, 9), silent=st.integers(0, 400), gap=st.floats(1, 400) | st.just(math.nan))
def test_the_training_says_the_same_of_many_customers_at_once(orders, silent, gap):
    many = lifecycle_states(*(np.array([float(one)]) for one in (orders, silent, gap)))
    assert many.tolist() == [lifecycle_state(orders, silent, gap)]


@given(recency=st.integers(1, 5), frequency=st.integers(1, 5))
def test_the_training_names_segments_alike(recency, frequency):
    many = name_segments(np.array([recency], np.uint8), np.array([frequency], np.uint8))
    assert many.tolist() == [make_profile("ann", rfm_recency=recency, rfm_frequency=frequency).segment]
