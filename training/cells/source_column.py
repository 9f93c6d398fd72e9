"""One column of a source, as its head shows it and, where the head does not decide, as a whole."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

SAMPLE_ROWS = 10_000
"""Rows from the head of a column that are looked at first."""


@dataclass(frozen=True)
class SourceColumn:
    """A column of a lazy frame.

    Attributes:
        frame: of the source.
        name: of the column there.
    """

    frame: pl.LazyFrame
    name: str

    @cached_property
    def head(self) -> pl.Series:
        """Its first SAMPLE_ROWS cells, of any type."""
        return self.frame.select(self.name).head(SAMPLE_ROWS).collect(engine="streaming").to_series()

    @property
    def dtype(self) -> pl.DataType:
        """Type of its cells."""
        return self.head.dtype

    def first_where(self, wanted: pl.Expr) -> str | None:
        """The first cell for which an expression over the column holds, as text; None where none does.

        It reads the whole column in the worst case: ask only where the head leaves something open.
        """
        found = self.frame.filter(wanted).select(pl.col(self.name).cast(pl.String)).head(1).collect(engine="streaming")
        return found.item() if len(found) else None
