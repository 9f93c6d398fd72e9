"""From a raw score to the probability of a purchase within the horizon."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

_FEWEST_PURCHASES = 50
"""Below this the probabilities are mostly chance: better none."""
_SCORES_A_STEP = 50
"""Neighbouring scores counted as one: the three highest, all bought by chance, are no probability of 1."""


@dataclass(frozen=True)
class Calibrator:
    """A line through `points` that never falls; constant beyond its ends.

    Attributes:
        points: (m,) float64 raw scores, rising.
        probabilities: (m,) float64, rising.
    """

    points: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def __call__(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of each score, float32 of the same shape; a NaN stays NaN."""
        return np.interp(scores, self.points, self.probabilities).astype(np.float32)


def fit_calibrator(
    scores: NDArray[np.float32], bought: NDArray[np.bool_], weight: NDArray[np.float32] | None = None
) -> Calibrator | None:
    """Learn how often a score was followed by a purchase.

    Isotonic regression gives steps; the line goes through the middle of each step, so that a higher score has a
    higher probability within a step too (Oron, Flournoy 2017, "Centered Isotonic Regression").

    Args:
        scores: (n,) raw scores, finite.
        bought: (n,) whether the purchase followed within the horizon.
        weight: (n,) above 0, how many each stands for; None: 1.

    Returns:
        None with fewer than 50 purchases to learn from.
    """
    if int(bought.sum()) < _FEWEST_PURCHASES:
        return None
    order = np.argsort(scores, kind="stable")
    group = _group(scores[order])
    weights = np.ones(len(order)) if weight is None else weight[order].astype(np.float64)
    counts = np.bincount(group, weights=weights)
    shares = np.bincount(group, weights=weights * bought[order]) / counts
    steps, step_of_group = np.unique(isotonic_regression(shares, sample_weight=counts), return_inverse=True)
    step = step_of_group[group]
    middle = np.bincount(step, weights=weights * scores[order]) / np.bincount(step, weights=weights)
    return Calibrator(middle, steps)


def _group(rising: NDArray[np.float32]) -> NDArray[np.int64]:
    """(n,) group of each score from 0: about 50 scores a group, equal ones together, at least 50 in the highest."""
    n_above = len(rising) - np.searchsorted(rising, rising, side="right")
    return np.unique(-(n_above // _SCORES_A_STEP), return_inverse=True)[1]
