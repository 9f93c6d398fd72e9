"""Cells of text, such as ids and titles."""

import polars as pl

_NULL_WORDS = r"^(?i:nan|null|none|<na>|\\N)?$"
"""What exports write where there is nothing."""


def text_of(column: str, dtype: pl.DataType) -> pl.Expr:
    """A cell as trimmed text; null where it is empty. Whole floats lose their `.0`: they were integers with gaps."""
    cell = pl.col(column)
    if dtype.is_float():
        whole = cell.is_finite() & (cell == cell.round()) & (cell.abs() < 2**53)
        cell = pl.when(whole).then(cell.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(cell.cast(pl.String))
    text = cell.cast(pl.String).str.strip_chars()
    return pl.when(~text.str.contains(_NULL_WORDS)).then(text)
