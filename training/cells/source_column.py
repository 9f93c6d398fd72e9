"""One column of a source, as its head shows it and, where the head does not decide, as a whole."""

from collections.abc import Mapping
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
        sample: its head, where that was read before.
    """

    frame: pl.LazyFrame
    name: str
    sample: pl.Series | None = None

    @cached_property
    def head(self) -> pl.Series:
        """Its first SAMPLE_ROWS cells, of any type."""
        if self.sample is not None:
            return self.sample
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


def source_columns(frame: pl.LazyFrame, names: Mapping[str, str]) -> dict[str, SourceColumn]:
    """Columns of a frame, whose heads are read at once.

    Args:
        frame: of the source.
        names: our name → that of the column.
    """
    head = frame.select(list(dict.fromkeys(names.values()))).head(SAMPLE_ROWS).collect(engine="streaming")
    return {ours: SourceColumn(frame, theirs, head[theirs]) for ours, theirs in names.items()}
