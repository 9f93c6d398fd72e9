"""Cells of numbers, such as quantities and prices."""

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.findings import ReadCells
from training.cells.source_column import SourceColumn


def read_numbers(column: SourceColumn, options: ReadingOptions) -> ReadCells:  # noqa: ARG001
    """A column of numbers, as Float64; null where a cell is empty, NaN where it is not a number.

    Args:
        column: of any type.
        options: what the user says about numbers.
    """
    if column.dtype.is_numeric():
        return ReadCells(pl.col(column.name).cast(pl.Float64))
    text = pl.col(column.name).cast(pl.String).str.strip_chars()
    empty = text.is_null() | (text == "")
    return ReadCells(pl.when(~empty).then(text.cast(pl.Float64, strict=False).fill_null(float("nan"))))
