"""An effect on numbers that can be checked by hand, and beside scipy's tests."""

from dataclasses import astuple

import numpy as np
import pytest
from scipy.stats import ttest_ind

from training.analytics.experiments.effects import compare, holm
from training.analytics.experiments.estimates import Estimate, estimate_mean
from training.analytics.experiments.sequential import always_valid_radius


def test_an_effect_by_hand():
    """11 ± 0.3 against 10 ± 0.4: errors add up to 0.5."""
    effect = compare(Estimate(11.0, 0.3), Estimate(10.0, 0.4), hoped_lift=0.05)
    assert (effect.difference, effect.lift) == pytest.approx((1.0, 0.1))
    assert (effect.low, effect.high) == pytest.approx((1 - 1.96 * 0.5, 1 + 1.96 * 0.5), abs=1e-4)
    assert effect.p == pytest.approx(0.0455, abs=1e-4)
    lift_error = (0.3**2 + (1.1 * 0.4) ** 2) ** 0.5 / 10
    assert effect.lift_high - effect.lift == pytest.approx(1.96 * lift_error, abs=1e-4)
    assert effect.detectable_lift == pytest.approx(2.8016 * 0.5 / 10, abs=1e-4)


def test_p_is_that_of_welch():
    rng = np.random.default_rng(0)
    treated, control = rng.normal(1.05, 1, 3_000), rng.normal(1, 2, 2_000)
    effect = compare(estimate_mean(treated), estimate_mean(control), hoped_lift=0.05)
    assert effect.p == pytest.approx(ttest_ind(treated, control, equal_var=False).pvalue, rel=0.02)


def test_the_always_valid_interval_is_wider_and_wider_still_for_several_variants():
    one, three = (compare(Estimate(11, 0.3), Estimate(10, 0.4), hoped_lift=0.05, n_variants=n) for n in (1, 3))
    assert three.always_low < one.always_low < one.low
    assert one.high < one.always_high < three.always_high
    assert three.low == one.low
    assert one.always_high - 1 == pytest.approx(always_valid_radius(0.5, 0.5, 0.05))


@pytest.mark.parametrize("control", [Estimate(np.nan, np.nan), Estimate(0.0, 0.0)])
def test_what_cannot_be_told_is_nan(control):
    effect = compare(Estimate(0.0, 0.0), control, hoped_lift=0.05)
    assert np.isnan(effect.p)
    assert np.isnan(effect.lift)
    assert np.isnan(effect.always_low)
    assert np.isnan(astuple(effect)).sum() >= 6


def test_holm():
    """The smallest of three counts three times, the next twice, and none may fall below one before it."""
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_holm_passes_over_what_cannot_be_told():
    assert holm([0.02, np.nan, 0.04]) == pytest.approx([0.04, np.nan, 0.04], nan_ok=True)
