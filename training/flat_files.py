"""Flat files: CSV that no spreadsheet computes and that no terminal obeys, whatever stands in it."""

import csv
import io
import re
from collections.abc import Sequence

import polars as pl

from recommender.cli.console import CONTROL

Cell = str | float | int | None
_SPACES = r"[\t\n\x0b\x0c\r]"
_FORMULA = r"^ *[=+\-@]"
"""A cell that begins so is computed by spreadsheets (OWASP, CSV injection)."""
_REPLACED = "\ufffd"


def harmless(cell: Cell) -> Cell:
    """A cell whose text is on one line, without control characters, and computed by no spreadsheet.

    What would be computed gets an apostrophe before it, ids too; see `as_written`. Other cells stay as they are.
    """
    if not isinstance(cell, str):
        return cell
    line = re.sub(CONTROL, _REPLACED, re.sub(_SPACES, " ", cell))
    return f"'{line}" if re.match(_FORMULA, line) else line


def as_written(cell: str) -> str:
    """The text of a cell before `harmless`, but for its control characters."""
    return cell[1:] if cell.startswith("'") and re.match(_FORMULA, cell[1:]) else cell


def to_csv(cells: Sequence[Cell]) -> bytes:
    """One line of harmless cells in UTF-8, with its line feed."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow([harmless(cell) for cell in cells])
    return buffer.getvalue().encode("utf-8", "backslashreplace")


def frame_to_csv(frame: pl.DataFrame) -> bytes:
    """A header line, and a line of harmless cells for every row."""
    text = pl.col(pl.String).str.replace_all(_SPACES, " ").str.replace_all(CONTROL, _REPLACED)
    plain = frame.with_columns(pl.when(text.str.contains(_FORMULA)).then("'" + text).otherwise(text).name.keep())
    return plain.rename({name: str(harmless(name)) for name in frame.columns}).write_csv().encode()
