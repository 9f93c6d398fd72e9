"""Cells of text, such as ids and titles."""

from itertools import product

import polars as pl

_NULL_WORDS = ("nan", "null", "none", "<na>", "\\n")
_EMPTY = [
    "",
    *("".join(letters) for word in _NULL_WORDS for letters in product(*({each, each.upper()} for each in word))),
]
"""What exports write where there is nothing."""


def text_of(column: str, dtype: pl.DataType) -> pl.Expr:
    """A cell as trimmed text; null where it is empty. Whole floats lose their `.0`: they were integers with gaps."""
    cell = pl.col(column)
    if dtype.is_float():
        whole = cell.is_finite() & (cell == cell.round()) & (cell.abs() < 2**53)
        cell = pl.when(whole).then(cell.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(cell.cast(pl.String))
    return cell.cast(pl.String).map_batches(_tidy, return_dtype=pl.String, is_elementwise=True)


def _tidy(cells: pl.Series) -> pl.Series:
    text = cells.str.strip_chars()
    empty = text.is_in(_EMPTY)
    return text.set(empty, None) if empty.any() else text
