import numpy as np
import pytest

from recommender.publication.profile import STATES
from training.analytics.customer_value.segments import lifecycle_states


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
