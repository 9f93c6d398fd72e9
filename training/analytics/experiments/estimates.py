"""Estimates of one variant with standard errors: means, ratios of means, and CUPED."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """An estimate of one variant; the standard error is NaN with fewer than two customers."""

    value: float
    standard_error: float


def estimate_mean(values: Floats) -> Estimate:
    """The mean of (n,) values, one per customer; NaN without any."""
    n = len(values)
    if n < 2:
        return Estimate(float(values[0]) if n else np.nan, np.nan)
    return Estimate(float(values.mean()), float(values.std(ddof=1) / np.sqrt(n)))


def estimate_ratio(numerator: Floats, denominator: Floats) -> Estimate:
    """The mean of `numerator` over the mean of `denominator`, such as revenue per order; (n,) each, one per customer.

    Customers were assigned, not orders, so orders of one customer are not independent: the delta method takes the
    standard error over customers (Deng, Knoblich, Lu 2018, "Applying the Delta Method in Metric Analytics:
    A Practical Guide with Novel Ideas"). NaN where the denominator is 0 in sum.
    """
    below = float(denominator.mean()) if len(denominator) else 0.0
    if not below:
        return Estimate(np.nan, np.nan)
    ratio = float(numerator.mean()) / below
    return Estimate(ratio, estimate_mean((numerator - ratio * denominator) / below).standard_error)


def adjust_by_past(values: Floats, before: Floats, variant: NDArray[np.integer]) -> Floats | None:
    """CUPED: each customer's figure less what the same figure before the start predicts.

    Source: Deng, Xu, Kohavi, Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
    Pre-Experiment Data". The slope is one for all variants and is learned within them, so that a
    treatment cannot bend it.

    Args:
        values: (n,) figures during the experiment.
        before: (n,) figures before it.
        variant: (n,) index of each customer's variant.

    Returns:
        (n,) adjusted figures with the same expected differences; None where all are equal before, variant by variant.
    """
    away = before - _means_of(before, variant)
    if not (square := float(away @ away)):
        return None
    slope = float(away @ (values - _means_of(values, variant))) / square
    adjusted: Floats = values - slope * (before - before.mean())
    return adjusted


def _means_of(values: Floats, variant: NDArray[np.integer]) -> Floats:
    """(n,) the mean of each one's variant."""
    sums, counts = np.bincount(variant, weights=values), np.bincount(variant)
    means: Floats = (sums / np.maximum(counts, 1))[variant]
    return means
