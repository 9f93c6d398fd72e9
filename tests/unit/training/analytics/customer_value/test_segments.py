import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.publication.profile import SEGMENTS, STATES
from training.analytics.customer_value.segments import lifecycle_states, name_segments, quintile_scores


def test_fifths():
    assert quintile_scores(np.arange(10.0)).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_equal_values_share_the_score_of_their_middle_however_they_stand():
    orders = np.array([1.0, 3, 1, 1, 2, 1, 2, 1, 2, 9])
    assert quintile_scores(orders).tolist() == [2, 5, 2, 2, 4, 2, 4, 2, 4, 5]


@pytest.mark.parametrize("n_customers", [5, 6, 39, 40])
def test_where_all_are_equal_nobody_is_best_or_worst(n_customers):
    assert quintile_scores(np.full(n_customers, 7.0)).tolist() == [3] * n_customers
    assert quintile_scores(np.full(n_customers, np.nan)).tolist() == [3] * n_customers


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60))
def test_equals_score_between_what_the_two_in_their_middle_would_score_alone(values):
    scores, ordered = quintile_scores(np.array(values, dtype=float)), sorted(values)
    alone = quintile_scores(np.arange(len(values), dtype=float))
    for value, score in zip(values, scores, strict=True):
        places = [place for place, other in enumerate(ordered) if other == value]
        assert alone[places[(len(places) - 1) // 2]] <= score <= alone[places[len(places) // 2]]


def test_an_unknown_value_is_the_lowest():
    assert quintile_scores(np.array([5.0, np.nan, 7.0, 0.0, 1.0])).tolist() == [4, 1, 5, 2, 3]


def test_one_customer_and_none():
    assert quintile_scores(np.array([7.0])).tolist() == [1]
    assert quintile_scores(np.zeros(0)).tolist() == []


@pytest.mark.parametrize(
    ("recency", "frequency", "name"),
    [
        (5, 5, "champion"),
        (5, 1, "recent"),
        (1, 5, "cannot_lose"),
        (1, 1, "hibernating"),
        (3, 4, "frequent"),
        (2, 3, "previously_loyal"),
    ],
)
def test_names(recency, frequency, name):
    assert name_segments(np.array([recency], np.uint8), np.array([frequency], np.uint8)).tolist() == [name]


def test_every_score_has_a_name():
    recency, frequency = np.divmod(np.arange(25, dtype=np.uint8), np.uint8(5))
    assert set(name_segments(recency + 1, frequency + 1)) == set(SEGMENTS)


@pytest.mark.parametrize(
    ("orders", "silent_days", "state"),
    [
        (1, 0, "new"),
        (1, 7, "new"),
        (2, 7, "active"),
        (3, 7, "active"),
        (4, 7, "loyal"),
        (1, 7.5, "due"),
        (9, 15, "due"),
        (9, 15.1, "at_risk"),
        (1, 30, "at_risk"),
        (9, 30.1, "lapsed"),
    ],
)
def test_a_customer_with_a_gap_of_ten_days(orders, silent_days, state):
    assert lifecycle_states(*(np.array([float(x)]) for x in (orders, silent_days, 10))).tolist() == [state]
    assert state in STATES


def test_where_nobody_ever_came_back_all_are_new():
    assert lifecycle_states(np.ones(2), np.array([1.0, 900.0]), np.full(2, np.nan)).tolist() == ["new", "new"]


def test_no_name_is_both_of_a_segment_and_of_a_state():
    assert set(SEGMENTS) & set(STATES) == set()
