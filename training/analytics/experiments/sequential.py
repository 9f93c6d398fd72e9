"""Confidence sequences: intervals that hold at all looks together, so that one may look daily and stop at any time."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def always_valid_radius(
    standard_error: float | Floats, hoped_difference: float | Floats, level: float
) -> float | Floats:
    """Half the width of a confidence sequence around a difference of means.

    This is the mixture sequential probability ratio test (mSPRT) with a normal mixture, turned into an interval:
    Johari, Pekelis, Walsh 2015, "Always Valid Inference: Bringing Sequential Analysis to A/B Testing". Its boundary is
    that of the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2021, "Time-uniform
    central limit theory and asymptotic confidence sequences". Asymptotic: it needs as many customers as a normal
    interval does. The looks may come as customers arrive or, at the same customers, as their purchases add up. The
    second case leans on customers being unlike each other: who bought more until now does not tend to buy less from
    now on. Looks are then more alike than those of independent customers, and errors rarer (Slepian's inequality).

    Args:
        standard_error: of the difference at this look.
        hoped_difference: at this look, above 0, chosen before the start as a share of the control: standard deviation
            of the mixture. The interval is tightest, for its number of looks, when about this much can be found, and
            holds whatever it is.
        level: chance that it misses the truth at any look, for example 0.05.

    Returns:
        The radius, of the arguments' common shape; NaN where the standard error or the hope is 0 or NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.square(np.divide(standard_error, hoped_difference))
        radius = standard_error * np.sqrt((1 + ratio) * np.log((1 + 1 / ratio) / level**2))
    return np.where(np.isfinite(radius), radius, np.nan)[()]
