"""The feature table of candidates, in groups: what many share, such as the features of a product, stands once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.dataset.pair_history import Ints

Columns = dict[str, NDArray[np.float32]]
"""Name → values, one length; NaN where a value has no meaning."""


class FeatureGroup(NamedTuple):
    """Features that stand together.

    Attributes:
        columns: name → (m,) float32.
        rows: (n,) int64, the row of each candidate in `columns`, -1 for the last; None: its own number, and m is n.
    """

    columns: Mapping[str, NDArray[np.float32]]
    rows: Ints | None = None

    def column(self, name: str) -> NDArray[np.float32]:
        """(n,) float32, the values of one feature."""
        return self.columns[name] if self.rows is None else self.columns[name][self.rows]

    def filter(self, chosen: NDArray[np.bool_]) -> "FeatureGroup":
        """Those of the chosen candidates."""
        if self.rows is None:
            return FeatureGroup({name: values[chosen] for name, values in self.columns.items()})
        return FeatureGroup(self.columns, self.rows[chosen])


@dataclass(frozen=True)
class FeatureTable:
    """The feature table of n candidates.

    Attributes:
        groups: of different features.
        n: number of candidates.
    """

    groups: Sequence[FeatureGroup]
    n: int

    @classmethod
    def of(cls, frame: pl.DataFrame) -> "FeatureTable":
        """A frame of Float32 as one group."""
        return cls([FeatureGroup({name: frame[name].to_numpy() for name in frame.columns})], len(frame))

    def __len__(self) -> int:
        return self.n

    def filter(self, chosen: NDArray[np.bool_]) -> "FeatureTable":
        """The table of the candidates that are chosen, (n,) bool."""
        return FeatureTable([each.filter(chosen) for each in self.groups], int(np.count_nonzero(chosen)))

    def column(self, name: str) -> NDArray[np.float32]:
        """(n,) float32, the values of one feature."""
        return next(each.column(name) for each in self.groups if name in each.columns)

    def to_frame(self) -> pl.DataFrame:
        """A frame of Float32 with a row for each candidate."""
        return pl.DataFrame({name: each.column(name) for each in self.groups for name in each.columns})
