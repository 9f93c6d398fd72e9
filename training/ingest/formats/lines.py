"""Lines of exports: what several hooks find out of their cells."""

from collections.abc import Mapping, Sequence

import polars as pl

from training.cells.ids import filled


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
