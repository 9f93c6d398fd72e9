"""Bins of features: what trees learn from in place of values.

scikit-learn bins by weighted quantiles where rows have weights, a hundred times slower than by plain ones, and worse:
it is handed numbers of bins, which it takes as they are.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.dataset.pair_history import Floats

_MOST = 250
"""Bins of a feature; a byte holds them all, and the missing value."""
_ROWS = 100_000
"""Rows whose quantiles are taken."""


@dataclass(frozen=True)
class Bins:
    """The bins of features that have two values or more.

    Attributes:
        edges: feature → (b,) float64, rising. A value is in bin i where edges[i - 1] < value ≤ edges[i].
    """

    edges: dict[str, Floats]

    @classmethod
    def of(cls, features: pl.DataFrame, seed: int) -> "Bins":
        """The bins of a frame of Float32: one a value where there are few, of like many rows where there are many."""
        some = features if len(features) <= _ROWS else features.sample(_ROWS, seed=seed)
        edges = {name: _edges(some[name].to_numpy()) for name in some.columns}
        return cls({name: each for name, each in edges.items() if len(each)})

    def number(self, features: pl.DataFrame) -> Floats:
        """(n, n_features) float64, the number of each value's bin, NaN for a missing value."""
        # column by column, as the trees read it, and in the type that they would copy it to
        numbers = np.empty((len(features), len(self.edges)), order="F")
        for column, (name, edges) in enumerate(self.edges.items()):
            values = features[name].to_numpy()
            numbers[:, column] = np.where(np.isnan(values), np.nan, np.searchsorted(edges, values))
        return numbers


def _edges(values: NDArray[np.float32]) -> Floats:
    known = np.unique(values[~np.isnan(values)]).astype(np.float64)
    if len(known) > _MOST:
        quantiles = np.linspace(0, 1, _MOST + 1)[1:-1]
        cuts = np.unique(np.quantile(values[~np.isnan(values)], quantiles, method="lower").astype(np.float64))
        below: Floats = cuts[cuts < known[-1]]
        return below
    middles: Floats = (known[1:] + known[:-1]) / 2
    return middles
