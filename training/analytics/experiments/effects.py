"""Effects of a variant against the control: difference and lift with confidence intervals and p-values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from training.analytics.experiments.estimates import Estimate
from training.analytics.experiments.sequential import always_valid_radius

LEVEL = 0.05
"""Chance of a false alarm; intervals hold 1 - LEVEL."""
POWER = 0.8
"""Chance to find a lift that is there, for `detectable_lift`."""


@dataclass(frozen=True)
class Effect:
    """The effect of one variant against the control; NaN where there are too few customers.

    Attributes:
        difference, low, high: in the figure's own unit, with its 95 % interval for one look, at the planned end.
        p: two-sided, of no difference at all, for one look.
        lift, lift_low, lift_high: the same as a share of the control's figure.
        always_low, always_high: 95 % interval of the difference that holds at all looks and for all variants together.
        detectable_lift: the lift that an experiment this precise finds 4 times in 5.
    """

    difference: float
    low: float
    high: float
    p: float
    lift: float
    lift_low: float
    lift_high: float
    always_low: float
    always_high: float
    detectable_lift: float


def compare(treated: Estimate, control: Estimate, *, hoped_lift: float, n_variants: int = 1) -> Effect:
    """The effect of a variant against the control.

    The variants are independent samples, so variances add up (no equal variances are asked for). The lift's standard
    error is the delta method's for a ratio of two independent figures.

    Args:
        treated: the figure in the variant.
        control: the same figure in the control.
        hoped_lift: above 0, chosen before the start; tunes the always-valid interval only.
        n_variants: how many are compared with the control; the always-valid level is divided by it (Bonferroni).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        base, z = np.float64(control.value), float(norm.ppf(1 - LEVEL / 2))
        difference, ratio = treated.value - base, treated.value / base
        error = np.hypot(treated.standard_error, control.standard_error)
        lift_error = np.hypot(treated.standard_error, ratio * control.standard_error) / abs(base)
        always = always_valid_radius(float(error), float(abs(hoped_lift * base)), LEVEL / n_variants)
        return Effect(
            difference=float(difference),
            low=float(difference - z * error),
            high=float(difference + z * error),
            p=float(2 * norm.sf(abs(difference / error))),
            lift=float(ratio - 1),
            lift_low=float(ratio - 1 - z * lift_error),
            lift_high=float(ratio - 1 + z * lift_error),
            always_low=float(difference - always),
            always_high=float(difference + always),
            detectable_lift=float((z + norm.ppf(POWER)) * error / abs(base)),
        )


def holm(p: Sequence[float]) -> list[float]:
    """Holm-corrected p-values, in the order given; NaNs stay and do not count.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    order = sorted((value, place) for place, value in enumerate(p) if not np.isnan(value))
    corrected, largest = [float("nan")] * len(p), 0.0
    for rank, (value, place) in enumerate(order):
        largest = max(largest, min(1.0, value * (len(order) - rank)))
        corrected[place] = largest
    return corrected
