"""Bootstrap intervals of means over customers, who are drawn with replacement.

Source: Efron, Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentile intervals). A customer who
is in several windows is drawn with all of them: what one customer does in two months is not two independent facts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.evaluation.scores import CustomerScores

DRAWS = 1000
_LEVEL = 0.95
_CELLS = 10_000_000
"""Weights held at once: 80 MB."""


class Interval(NamedTuple):
    """A mean over customers with its 95 % interval, of all windows together; NaN where no customer could be scored."""

    mean: float
    low: float
    high: float


class Resampled:
    """Bootstrap means of several rankings on the same draws of customers, so that differences have intervals, too."""

    def __init__(self, rankings: dict[str, Sequence[CustomerScores]], seed: int, n_draws: int = DRAWS) -> None:
        """Draw.

        Args:
            rankings: name → the scores of each window; the windows and their customers are the same for all names.
            seed: of the draws.
            n_draws: how many.
        """
        self.measures = next(iter(rankings.values()))[0].measures
        sums, counts = zip(*(_by_customer(windows) for windows in rankings.values()), strict=True)
        shape = (n_draws, len(rankings), len(self.measures))
        drawn = _draw(np.hstack([*sums, counts[0]]), seed, n_draws)
        with np.errstate(invalid="ignore"):  # 0 / 0: nobody to score is NaN
            means = drawn[:, : -len(self.measures)].reshape(shape) / drawn[:, None, -len(self.measures) :]
            self._mean = {name: s.sum(axis=0) / counts[0].sum(axis=0) for name, s in zip(rankings, sums, strict=True)}
        self._means = {name: means[:, i] for i, name in enumerate(rankings)}

    def interval(self, ranking: str, measure: str) -> Interval:
        """The interval of one ranking's mean."""
        column = self.measures.index(measure)
        return _interval(self._mean[ranking][column], self._means[ranking][:, column])

    def difference(self, ranking: str, other: str, measure: str) -> Interval:
        """The interval of the mean of `ranking` less that of `other`, draw by draw."""
        column = self.measures.index(measure)
        mean = self._mean[ranking][column] - self._mean[other][column]
        return _interval(mean, (self._means[ranking] - self._means[other])[:, column])


def _interval(mean: float, draws: NDArray[np.float64]) -> Interval:
    # a draw without anybody of a small slice says nothing
    draws = draws[~np.isnan(draws)]
    low, high = np.quantile(draws, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]) if len(draws) else (np.nan, np.nan)
    return Interval(float(mean), float(low), float(high))


def _by_customer(windows: Sequence[CustomerScores]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n_customers, m) sums and counts over the windows, customers by id."""
    ids = pl.concat([window.customers for window in windows])
    customer = ids.rank("dense").to_numpy().astype(np.int64) - 1
    values = np.vstack([window.values for window in windows])
    shape = (int(customer.max(initial=-1)) + 1, values.shape[1])
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, customer, np.nan_to_num(values))
    np.add.at(counts, customer, ~np.isnan(values))
    return sums, counts


def _draw(columns: NDArray[np.float64], seed: int, n_draws: int) -> NDArray[np.float64]:
    """(n_draws, c) sums of `columns` (n, c) over n rows drawn with replacement."""
    rng, n = np.random.default_rng(seed), len(columns)
    size = max(1, _CELLS // max(1, n))
    blocks = []
    for first in range(0, n_draws, size):
        times = [np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(min(size, n_draws - first))]
        blocks.append(np.array(times, dtype=np.float64) @ columns)
    return np.vstack(blocks)
