"""Nested items: orders of JSON that hold their lines in one cell, and the format that would read them."""

import shlex
from collections.abc import Mapping, Sequence

import polars as pl

from recommender.errors import MissingColumnError
from training.ingest.formats.lines import keys_of_items
from training.ingest.headers.proposals import propose_columns
from training.ingest.headers.siblings import write_format
from training.ingest.schema import REQUIRED

_OF_ORDER = frozenset({"customer_id", "ordered_at", "order_id", "status"})
_IDS = ("_id", "id")


def propose_items(
    error: MissingColumnError, frame: pl.LazyFrame, names: Sequence[str], wanted: Mapping[str, Sequence[str]], file: str
) -> MissingColumnError:
    """The error, with the format to write where a column holds the items of an order that have what is missing.

    Args:
        error: that columns are missing.
        frame: the file.
        names: its columns.
        wanted: our column → names that are expected for it.
        file: its path.
    """
    for column in () if "format" in error.proposed else _lists(frame, names):
        columns = _columns(column, keys_of_items(frame, column), names, wanted)
        if set(REQUIRED) <= columns.keys():
            problem = error.problem.partition("; for ")[0].partition("; say which")[0]
            return MissingColumnError(
                f"{problem}; {column!r} holds the lines of an order as a list: to read them, begin reprise.toml with "
                f"the line {write_format(columns, items=column)} and run: reprise doctor {shlex.quote(file)} "
                "--format shop"
            )
    return error


def _lists(frame: pl.LazyFrame, names: Sequence[str]) -> list[str]:
    """The columns of text whose first cell is a list of objects."""
    schema = frame.collect_schema()
    texts = frame.select(name for name in names if schema[name] == pl.String).head(1).collect(engine="streaming")
    cells = texts.row(0, named=True) if len(texts) else {}
    return [name for name, cell in cells.items() if cell and cell.startswith("[{")]


def _columns(
    column: str, keys: Sequence[str], names: Sequence[str], wanted: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Our column → the one of the order or of its items that could stand for it."""
    around = propose_columns([name for name in names if name != column], wanted)
    of_order = {ours: each.column for ours, each in around.items() if ours in _OF_ORDER}
    number = next(({"order_id": name} for name in _IDS if name in names), {})
    of_items = {
        ours: f"{column}.{each.column}"
        for ours, each in propose_columns(keys, wanted).items()
        if each.plain and ours not in _OF_ORDER
    }
    return number | of_order | of_items
