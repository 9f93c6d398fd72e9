"""Power analysis: the number of customers that an experiment needs.

Source: Kohavi, Tang, Xu 2020, Trustworthy Online Controlled Experiments, chapter 17.
"""

import math

from scipy.stats import norm

from recommender.errors import UsageError
from training.analytics.experiments.effects import LEVEL, POWER


def customers_needed(
    baseline: float,
    lift: float,
    *,
    sd: float | None = None,
    correlation: float = 0.0,
    power: float = POWER,
    holdout: float | None = None,
) -> int:
    """Customers per variant, of two equally large ones, to find a lift in one look at the end; or of both together.

    Args:
        baseline: the control's mean: a share of customers, or orders or revenue per customer; above 0.
        lift: as a share of the baseline, not 0.
        sd: standard deviation between the control's customers; taken to grow with the mean, as it does where each
            customer does 5 % more. None: the figure is a share of customers.
        correlation: of a customer's figure with the one before the start, which CUPED makes use of, -1 to 1.
        power: chance to find the lift, between the level of 0.05 and 1.
        holdout: share of the customers that is held out, as from a campaign; what is returned are all customers then,
            the hold-out among them. None: two equal variants, of which the size of one is returned.

    Raises:
        UsageError: a number is out of its range, or the shares are not between 0 and 1.
    """
    _check(baseline, lift, sd, correlation, power)
    if holdout is not None and not 0 < holdout < 1:
        raise UsageError(f"a hold-out of {holdout:g} compares nobody; give a share such as 5%")
    treated = baseline * (1 + lift)
    variance, of_treated = (
        (baseline * (1 - baseline), treated * (1 - treated)) if sd is None else (sd**2, (sd * (1 + lift)) ** 2)
    )
    share = 1.0 if holdout is None else holdout
    variances = variance / share + of_treated / (1.0 if holdout is None else 1 - holdout)
    z = norm.ppf(1 - LEVEL / 2) + norm.ppf(power)
    return math.ceil(float(z**2) * variances * (1 - correlation**2) / (baseline * lift) ** 2)


def _check(baseline: float, lift: float, sd: float | None, correlation: float, power: float) -> None:
    if not baseline > 0:
        raise UsageError(f"a baseline of {baseline:g} has no lift; give what the control's customers do on average")
    if lift == 0:
        raise UsageError("a lift of 0 is never found; give the smallest that would matter, such as 5%")
    if sd is None and not (baseline < 1 and 0 <= baseline * (1 + lift) <= 1):
        raise UsageError(f"{baseline:g} lifted by {lift:.1%} is no share of customers; give --sd for a mean")
    if sd is not None and not sd > 0:
        raise UsageError(f"a standard deviation of {sd:g} is no spread; give one above 0")
    if not abs(correlation) < 1:
        raise UsageError(f"a correlation of {correlation:g} cannot be; give one between -1 and 1, such as 0.5")
    if not LEVEL < power < 1:
        raise UsageError(f"a power of {power:g} cannot be had; give one between {LEVEL:g} and 1, such as {POWER:g}")
