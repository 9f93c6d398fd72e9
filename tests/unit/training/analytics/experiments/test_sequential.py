"""The confidence sequence: Johari's interval, and when it is tight. Its errors: test_experiment_report.py."""

import numpy as np
import pytest

from training.analytics.experiments.sequential import always_valid_radius


def test_it_inverts_the_mixture_likelihood_ratio():
    """At the radius, the likelihood of a difference from N(0, hope²) is 1 / level times that of no difference."""
    error, hope, level = 0.3, 0.7, 0.05
    difference = always_valid_radius(error, hope, level)
    variance = error**2 + hope**2
    ratio = error / variance**0.5 * np.exp(difference**2 / 2 * (1 / error**2 - 1 / variance))
    assert ratio == pytest.approx(1 / level)


def test_it_is_wider_than_the_interval_for_one_look():
    errors = np.geomspace(0.001, 10, 50)
    assert (always_valid_radius(errors, 0.1, 0.05) > 2.7 * errors).all()


def test_it_is_tightest_about_where_the_hope_can_be_found():
    ratios = np.geomspace(0.01, 100, 400)
    widths = always_valid_radius(1.0, ratios, 0.05)
    assert 2 < ratios[widths.argmin()] < 4


@pytest.mark.parametrize(("error", "hope"), [(0.0, 1.0), (1.0, 0.0), (np.nan, 1.0), (1.0, np.nan)])
def test_without_spread_or_hope_there_is_none(error, hope):
    assert np.isnan(always_valid_radius(error, hope, 0.05))
