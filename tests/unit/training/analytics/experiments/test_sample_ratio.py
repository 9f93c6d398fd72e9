import math

import pytest

from recommender.errors import UsageError
from training.analytics.experiments.sample_ratio import check_sample_ratio

HALVES = {"control": 0.5, "six": 0.5}


def test_a_fair_split_passes():
    found = check_sample_ratio({"control": 5_030, "six": 4_970}, HALVES)
    assert found.expected == {"control": 5_000, "six": 5_000}
    assert found.p == pytest.approx(0.5485, abs=1e-4)  # chi-square 0.36, one degree of freedom
    assert not found.mismatch


def test_lost_customers_are_noticed():
    assert check_sample_ratio({"control": 5_000, "six": 4_600}, HALVES).mismatch


def test_a_variant_that_lost_all_is_noticed():
    found = check_sample_ratio({"control": 50}, HALVES)
    assert found.observed == {"control": 50, "six": 0}
    assert found.mismatch


def test_without_customers_nothing_can_be_told():
    found = check_sample_ratio({}, HALVES)
    assert math.isnan(found.p)
    assert not found.mismatch


def test_a_variant_without_a_share_is_refused():
    with pytest.raises(UsageError, match="no weight is given for twelve; there are weights for control, six"):
        check_sample_ratio({"control": 5, "twelve": 5}, HALVES)
