"""Lines of exports: what several hooks find out of their cells."""

import fnmatch
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

import polars as pl

from recommender.errors import UnreadableFileError
from training.cells.ids import filled

_HEAD_ROWS = 1_000


def first_filled(rows: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Rows whose first of these columns holds the first of them that is filled; 0 stands for nothing."""
    present = [name for name in names if name in rows.collect_schema().names()]
    if len(present) < 2:
        return rows
    cells = [pl.when(filled(name) != "0").then(filled(name)) for name in present]
    return rows.with_columns(pl.coalesce(cells).alias(present[0]))


def price_of_one(total: str, quantity: str) -> pl.Expr:
    """The price of one, from a line's total; null where it cannot be known."""
    units = pl.col(quantity).cast(pl.Float64, strict=False)
    return pl.when(units > 0).then(pl.col(total).cast(pl.Float64, strict=False) / units)


def add_up(rows: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Rows whose first of these columns of numbers holds the sum of all of them, where several are there."""
    present = [name for name in names if name in rows.collect_schema().names()]
    if len(present) < 2:
        return rows
    texts = (pl.col(name).cast(pl.String).str.replace(",", ".", literal=True) for name in present)
    return rows.with_columns(pl.sum_horizontal(text.cast(pl.Float64, strict=False) for text in texts).alias(present[0]))


def explode_items(rows: pl.LazyFrame, column: str, keys: Mapping[str, str]) -> pl.LazyFrame:
    """Orders whose column holds all of their items, as a row per item.

    Args:
        rows: an order each.
        column: JSON, `[{"sku": "TEA", "quantity": 2}]`, or text, `id:1|sku:TEA|quantity:2;id:2|sku:MUG|quantity:1`.
        keys: key in the items → column that it becomes.
    """
    cell = pl.col(column).cast(pl.String)
    array = pl.List(pl.Struct(dict.fromkeys(keys, pl.String)))
    objects = pl.when(cell.str.starts_with("[")).then(cell).str.json_decode(array)
    parts = pl.when(cell.str.starts_with("id:")).then(cell).str.replace_all(";id:", "\0id:").str.split("\0")
    values = [pl.element().str.extract(rf"(?:^|\|){key}:([^|]*)").alias(key) for key in keys]
    items = pl.coalesce(objects, parts.list.eval(pl.struct(values)))
    rows = rows.with_columns(items.alias(column)).explode(column)
    return rows.with_columns(pl.col(column).struct.field(key).alias(name) for key, name in keys.items()).drop(column)


def explode_list(rows: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """Orders whose column holds a list of objects, as a row per object with its keys as `column.key`."""
    keys = keys_of_items(rows, column) if column in rows.collect_schema() else []
    return explode_items(rows, column, {key: f"{column}.{key}" for key in keys}) if keys else rows


def keys_of_items(rows: pl.LazyFrame, column: str) -> list[str]:
    """The keys of the objects in the lists of a column of JSON, by its first cells; none for any other column."""
    cells = rows.select(pl.col(column).cast(pl.String)).head(_HEAD_ROWS).collect(engine="streaming")[column]
    keys: dict[str, None] = {}
    for cell in cells.drop_nulls():
        with suppress(ValueError):
            items = json.loads(cell) if cell.startswith("[") else []
            keys |= dict.fromkeys(key for item in items if isinstance(item, dict) for key in item)
    return list(keys)


def join_files(files: Mapping[str, pl.LazyFrame], patterns: Sequence[str], key: str) -> pl.LazyFrame:
    """The rows of the first file with the columns that the others have in the first row of the same key.

    Args:
        files: stem → frame.
        patterns: of the stems, one for each file.
        key: a column of all of them.

    Raises:
        UnreadableFileError: a file or its key is not there.
    """
    lines, *others = (_file_like(files, pattern, key) for pattern in patterns)
    for other in others:
        known = lines.collect_schema().names()
        further = [name for name in other.collect_schema().names() if name not in known]
        lines = lines.join(other.select(key, *further).unique(key, keep="first"), on=key, how="left")
    return lines


def _file_like(files: Mapping[str, pl.LazyFrame], pattern: str, key: str) -> pl.LazyFrame:
    stem = next(iter(fnmatch.filter(sorted(files), pattern)), None)
    if stem is None or key not in files[stem].collect_schema().names():
        lacking = f"a file {pattern!r}" if stem is None else f"a column {key!r} in the file {stem!r}"
        raise UnreadableFileError(
            f"the format needs {lacking}, found {', '.join(sorted(files)) or 'nothing'}; give the folder that holds all"
        )
    return files[stem]
