"""Repurchase rhythm of each product in plain figures: days from one purchase to the next, and the customers behind."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.publication.insights import MOST_PRODUCTS
from training.dataset.snapshot import Snapshot

Ints = NDArray[np.int64]


def repurchase_rows(snapshot: Snapshot, due: Ints) -> list[list[Any]]:
    """One row for each of the MOST_PRODUCTS products with the most buyers, most first; equals in order of their index.

    Args:
        snapshot: what the version learned from.
        due: (3, n_products) customers to whom each product is due within 7, 14 and 30 days.

    Returns:
        product_id, buyers, customers who bought it on two days or more, lower quartile, median and upper quartile of
        the days between (None where nobody came back), then the three columns of `due`. [] without purchases.
    """
    pairs = pl.DataFrame(
        {"customer": snapshot.customer_index, "product": snapshot.product_index, "day": snapshot.day}
    ).unique()
    days = pairs.sort("product", "customer", "day").with_columns(
        pl.when((pl.col("customer") == pl.col("customer").shift()) & (pl.col("product") == pl.col("product").shift()))
        .then(pl.col("day") - pl.col("day").shift())
        .alias("gap")
    )
    gap = pl.col("gap")
    rows = (
        days.group_by("product", maintain_order=True)
        .agg(
            pl.col("customer").n_unique().alias("buyers"),
            pl.col("customer").filter(gap.is_not_null()).n_unique().alias("back"),
            *(gap.quantile(share, "linear").alias(name) for name, share in _QUARTILES.items()),
        )
        .sort("buyers", "product", descending=[True, False])
        .head(MOST_PRODUCTS)
    )
    ids = snapshot.products.ids
    return [
        [ids[product], buyers, back, *quartiles, *due[:, product].tolist()]
        for product, buyers, back, *quartiles in rows.iter_rows()
    ]


_QUARTILES = {"lower": 0.25, "median": 0.5, "upper": 0.75}
