"""Coded ids: a ledger whose ids are numbers that sort as the ids do, quicker to group and to sort than texts."""

import polars as pl

_IDS = ("customer_id", "order_id", "product_id")


def code_ids(ledger: pl.DataFrame) -> pl.DataFrame:
    """The ledger with its ids as Enum, whose values read, compare and sort like the texts; coded ones stay."""
    texts = [name for name in _IDS if ledger.schema[name] == pl.String]
    return ledger.with_columns(ledger[name].cast(pl.Enum(ledger[name].unique().sort())) for name in texts)
