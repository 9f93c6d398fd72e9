"""Coded ids: a ledger whose ids are numbers that sort as the ids do, quicker to group and to sort than texts."""

from collections.abc import Iterator

import polars as pl

_SHOWN = ("customer_id", "product_id")
_ORDER = "order_id"
_LINES = 1_000_000
"""Ledger lines of a run."""


def code_ids(ledger: pl.DataFrame) -> pl.DataFrame:
    """The ledger with its ids coded; coded ones stay.

    Those of customers and products are Enum, whose values read, compare and sort like the texts. Those of orders, which
    are many and which nobody is shown, are UInt32: their place among all order ids.
    """
    for name in _SHOWN:
        if ledger.schema[name] == pl.String:
            ledger = ledger.with_columns(ledger[name].cast(pl.Enum(ledger[name].unique().sort())))
    if ledger.schema[_ORDER] == pl.String:
        ledger = ledger.with_columns(find_places(ledger[_ORDER]))
    return ledger


def find_places(ids: pl.Series) -> pl.Series:
    """The place of each id (n,) among all different ones, UInt32: numbers that sort as the ids do; none may be null."""
    places = ids.unique().sort().alias("id").to_frame().with_row_index("place")
    # of millions of texts half the time that an Enum takes
    placed = ids.alias("id").to_frame().join(places, on="id", how="left", maintain_order="left")
    return placed["place"].cast(pl.UInt32).alias(ids.name)


def runs_of_customers(ledger: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """About a million lines at a time, of the next customers: grouping takes many times what comes of it.

    A ledger whose ids are texts comes whole.
    """
    runs, ids = len(ledger) // _LINES + 1, ledger.schema["customer_id"]
    if runs == 1 or not isinstance(ids, pl.Enum):
        yield ledger
        return
    n_ids = len(ids.categories)
    size = -(-n_ids // runs)
    for first in range(0, n_ids, size):
        yield ledger.filter(pl.col("customer_id").to_physical().is_between(first, first + size - 1))
