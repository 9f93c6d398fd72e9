"""Intervals: reproducible, paired, and about as wide as they should be."""

import numpy as np
import polars as pl
import pytest

from training.evaluation.bootstrap import Resampled
from training.evaluation.scores import CustomerScores


def scores_of(values: list[float], first: int = 0) -> CustomerScores:
    ids = pl.Series("customer_id", [f"C{first + i:05}" for i in range(len(values))])
    return CustomerScores(ids, ("recall@10",), np.array(values, dtype=np.float64)[:, None])


@pytest.fixture
def noise() -> list[float]:
    return np.random.default_rng(7).normal(0.5, 0.2, 2_000).tolist()


def test_an_interval_is_two_standard_errors_to_each_side(noise):
    interval = Resampled({"ours": [scores_of(noise)]}, seed=0).interval("ours", "recall@10")
    assert interval.mean == pytest.approx(np.mean(noise))
    error = 1.96 * np.std(noise) / np.sqrt(len(noise))
    assert interval[1:] == pytest.approx((interval.mean - error, interval.mean + error), abs=0.1 * error)


def test_differences_are_paired(noise):
    """Who is always better by .01 is so in every draw, however much customers differ."""
    better = [each + 0.01 for each in noise]
    resampled = Resampled({"ours": [scores_of(better)], "theirs": [scores_of(noise)]}, seed=0)
    assert resampled.difference("ours", "theirs", "recall@10") == pytest.approx((0.01, 0.01, 0.01))


def test_the_same_seed_gives_the_same_interval(noise):
    first, again, other = (
        Resampled({"ours": [scores_of(noise)]}, seed).interval("ours", "recall@10") for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_a_customer_is_drawn_with_all_windows(noise):
    """The same window twice tells nothing new; the mean of two windows counts every list once."""
    once = Resampled({"ours": [scores_of(noise)]}, seed=0).interval("ours", "recall@10")
    twice = Resampled({"ours": [scores_of(noise), scores_of(noise)]}, seed=0).interval("ours", "recall@10")
    assert twice == pytest.approx(once)
    both = Resampled({"ours": [scores_of([1.0, 1.0, 1.0]), scores_of([0.0], first=9)]}, seed=0)
    assert both.interval("ours", "recall@10").mean == 3 / 4


def test_who_is_not_in_the_slice_does_not_count():
    resampled = Resampled({"ours": [scores_of([np.nan, 1.0, np.nan])]}, seed=0)
    assert resampled.interval("ours", "recall@10") == (1, 1, 1)


def test_a_slice_without_anybody_is_nan():
    assert np.isnan(Resampled({"ours": [scores_of([np.nan, np.nan])]}, seed=0).interval("ours", "recall@10")).all()
