"""What each problem of a purchase file touches: rows, money and customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from training.tables.files import NO_ROWS


@dataclass(frozen=True)
class Affected:
    """Rows, what they are worth where that is known, and the customers on them."""

    rows: int
    money: float
    customers: int


def affected_by(rows: pl.DataFrame, verdict: str) -> dict[str | None, Affected]:
    """Verdict → what it touches; None: all rows.

    Args:
        rows: customer_id, quantity, unit_price, and a column of verdicts, null where there is none.
        verdict: the name of that column.
    """
    row = ~pl.col(verdict).cast(pl.String).is_in(NO_ROWS).fill_null(value=False)
    worth = pl.when(row).then((pl.col("quantity") * pl.col("unit_price")).abs())  # a total is worth nothing further
    facts = (
        pl.len().alias("rows"),
        pl.when(worth.is_finite()).then(worth).sum().alias("money"),
        pl.col("customer_id").drop_nulls().n_unique().alias("customers"),
    )
    each = rows.filter(pl.col(verdict).is_not_null()).group_by(pl.col(verdict).cast(pl.String)).agg(facts)
    return {None: Affected(*rows.select(facts).row(0))} | {name: Affected(*row) for name, *row in each.iter_rows()}


def affected_shares(parts: Sequence[Mapping[str | None, Affected]]) -> dict[str, dict[str, Any]]:
    """Verdict → rows, and the shares of all rows, money (None where nothing has a price) and customers, over all files.

    A customer of several files counts in each.
    """
    names = dict.fromkeys(name for part in parts for name in part if name is not None)
    total = _sum(parts, None)
    return {
        name: {
            "rows": found.rows,
            "rows_share": found.rows / max(total.rows, 1),
            "money_share": found.money / total.money if total.money else None,
            "customers_share": found.customers / max(total.customers, 1),
        }
        for name in names
        if (found := _sum(parts, name))
    }


def _sum(parts: Sequence[Mapping[str | None, Affected]], name: str | None) -> Affected:
    found = [part[name] for part in parts if name in part]
    return Affected(sum(f.rows for f in found), sum(f.money for f in found), sum(f.customers for f in found))
