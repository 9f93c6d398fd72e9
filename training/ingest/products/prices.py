"""Prices of a product file that are written in two ways, each of which is plain by itself."""

import polars as pl

from training.cells.findings import Note
from training.cells.source_column import SourceColumn

_COMMA = r"^[^\d,.]*\d{1,3}(?:[. ']?\d{3})*,\d{1,2}[^\d,.]*$"
_DOT = r"^[^\d,.]*\d{1,3}(?:[, ']?\d{3})*\.\d{1,2}[^\d,.]*$"


def plain_prices(frame: pl.LazyFrame, column: str) -> tuple[pl.LazyFrame, list[Note]]:
    """The file with decimals behind a dot, where some of its prices have a comma, others a dot before their cents.

    A column that is written in one way is left as it is, and so is one in which a cell could mean two things.
    """
    source = SourceColumn(frame, column)
    if source.dtype != pl.String:
        return frame, []
    cells = source.head.str.strip_chars().drop_nulls()
    commas, dots = cells.filter(cells.str.contains(_COMMA)), cells.filter(cells.str.contains(_DOT))
    others = cells.filter(~cells.str.contains(_COMMA) & ~cells.str.contains(_DOT) & cells.str.contains(r"\d[,.]\d"))
    if not (len(commas) and len(dots)) or len(others):
        return frame, []
    text = pl.col(column).str.strip_chars()
    of_comma = text.str.replace_all(r"[. '](\d{3})", "$1").str.replace(",", ".", literal=True)
    of_dot = text.str.replace_all(r"[, '](\d{3})", "$1")
    read = pl.when(text.str.contains(_COMMA)).then(of_comma).otherwise(of_dot).alias(column)
    return frame.with_columns(read), [
        Note(
            "prices_in_two_ways",
            f"products, column {column!r}: {commas[0]!r} has its cents behind a comma, {dots[0]!r} behind a dot",
        )
    ]
