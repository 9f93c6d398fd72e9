"""Who comes back after which first order: cohorts by the first product, and by its category."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from recommender.publication.insights import MOST_FIRSTS
from recommender.publication.product import Product
from training.dataset.snapshot import Snapshot

BACK_DAYS = (30, 60, 90, 180, 365)


def first_order_rows(snapshot: Snapshot, products: Sequence[Product], until: int) -> dict[str, list[list[Any]]]:
    """Under `product` and `category`, a row each for the MOST_FIRSTS with the most first orders.

    A row is its name, its customers, and the share of them who ordered again within each of BACK_DAYS: of those whose
    first order is at least as long ago; None where there is none. Categories that are not known are left out.

    Args:
        snapshot: what the version learned from.
        products: by product_index.
        until: the last day that is known, days since 1970-01-01.
    """
    lines = pl.DataFrame({"customer": snapshot.customer_index, "product": snapshot.product_index, "day": snapshot.day})
    # a snapshot is sorted by customer and day
    days = lines.filter(pl.struct("customer", "day").rle_id().is_first_distinct()).select("customer", "day")
    orders = days.group_by("customer", maintain_order=True).agg(
        pl.col("day").first().alias("first"), pl.col("day").get(1, null_on_oob=True).alias("second")
    )
    first = lines.join(orders, on="customer").filter(pl.col("day") == pl.col("first")).unique(["customer", "product"])
    ids = pl.DataFrame(
        {
            "product": pl.Series(np.arange(len(products)), dtype=pl.Int32),
            "product_name": [one.product_id for one in products],
            "category_name": pl.Series([one.category for one in products], dtype=pl.String),
        }
    )
    named = first.join(ids, on="product").unique(["customer", "product"])
    return {name: _rows(named, f"{name}_name", until) for name in ("product", "category")}


def _rows(first: pl.DataFrame, name: str, until: int) -> list[list[Any]]:
    own = first.filter(pl.col(name).is_not_null()).unique(["customer", name])
    gap, age = pl.col("second") - pl.col("first"), until - pl.col("first")
    shares = [
        (gap.filter(age >= days).is_not_null() & (gap.filter(age >= days) <= days)).mean().alias(f"within_{days}")
        for days in BACK_DAYS
    ]
    rows = own.group_by(name).agg(pl.len().alias("customers"), *shares)
    rows = rows.sort("customers", name, descending=[True, False]).head(MOST_FIRSTS)
    return [list(row) for row in rows.iter_rows()]
