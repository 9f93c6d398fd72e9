"""Means, ratios and CUPED on numbers that can be checked by hand."""

import numpy as np
import pytest

from training.analytics.experiments.estimates import adjust_by_past, estimate_mean, estimate_ratio


def test_a_mean_and_its_standard_error():
    """1, 2, 3: variance 1, so the mean of three has a standard error of √(1/3)."""
    assert estimate_mean(np.array([1.0, 2.0, 3.0])) == pytest.approx((2.0, 3**-0.5))


@pytest.mark.parametrize(("values", "mean"), [([], np.nan), ([4.0], 4.0)])
def test_one_customer_has_no_spread(values, mean):
    assert estimate_mean(np.array(values)) == pytest.approx((mean, np.nan), nan_ok=True)


def test_a_ratio_of_means_is_not_a_mean_of_ratios():
    """30 in 1 order and 30 in 3: 60 / 4 = 15 per order. Away from 15 per order: +15 and -15, over 2 orders each."""
    estimate = estimate_ratio(np.array([30.0, 30.0]), np.array([1.0, 3.0]))
    assert estimate == pytest.approx((15.0, np.std([7.5, -7.5], ddof=1) / 2**0.5))


def test_the_delta_method_agrees_with_drawing_customers_again_and_again():
    rng = np.random.default_rng(0)
    orders = rng.poisson(rng.gamma(1.0, 2.0, 3_000)).astype(float)
    revenue = rng.gamma(2 * orders, rng.lognormal(2.0, 0.5, 3_000))
    draws = rng.integers(3_000, size=(2_000, 3_000))
    ratios = revenue[draws].sum(axis=1) / orders[draws].sum(axis=1)
    assert estimate_ratio(revenue, orders).standard_error == pytest.approx(ratios.std(), rel=0.06)


def test_a_ratio_over_nothing_is_nan():
    assert np.isnan(estimate_ratio(np.array([0.0, 0.0]), np.array([0.0, 0.0]))).all()
    assert np.isnan(estimate_ratio(np.array([]), np.array([]))).all()


def test_cuped_leaves_only_what_the_past_did_not_foretell():
    """Who had 1, 2 or 3 has twice as many, and one more if treated: what is left is the 1."""
    before, variant = np.array([1.0, 2, 3, 1, 2, 3]), np.array([0, 0, 0, 1, 1, 1])
    adjusted = adjust_by_past(2 * before + variant, before, variant)
    assert adjusted == pytest.approx(4 + variant)


def test_cuped_keeps_the_expected_difference_and_narrows_it():
    rng = np.random.default_rng(0)
    before, variant = rng.normal(10, 2, 20_000), rng.integers(2, size=20_000)
    after = before + rng.normal(0, 1, 20_000) + 0.5 * variant
    adjusted = adjust_by_past(after, before, variant)
    plain, sharp = (estimate_mean(values[variant == 1]) for values in (after, adjusted))
    assert sharp.standard_error < 0.5 * plain.standard_error
    assert adjusted[variant == 1].mean() - adjusted[variant == 0].mean() == pytest.approx(0.5, abs=0.05)


def test_cuped_needs_a_past():
    assert adjust_by_past(np.array([1.0, 2.0]), np.zeros(2), np.array([0, 1])) is None
