"""Repurchase rhythm of each product in plain figures: days from one purchase to the next, and the customers behind."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.publication.insights import MOST_PRODUCTS
from training.dataset.pair_history import build_history
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
    history, ids = build_history(snapshot), snapshot.products.ids
    buyers, back = (
        np.bincount(history.product_index[kept], minlength=len(ids))
        for kept in (history.visits > 0, history.visits > 1)
    )
    later = np.flatnonzero(history.pair[1:] == history.pair[:-1]) + 1
    gaps = pl.DataFrame(
        {"product": history.product_index[history.pair[later]], "gap": history.day[later] - history.day[later - 1]}
    )
    shares = (pl.col("gap").quantile(share, "linear").alias(name) for name, share in _QUARTILES.items())
    quartiles = {product: found for product, *found in gaps.group_by("product").agg(*shares).iter_rows()}
    most = [product for product in np.argsort(-buyers, kind="stable")[:MOST_PRODUCTS].tolist() if buyers[product]]
    return [
        [
            ids[product],
            int(buyers[product]),
            int(back[product]),
            *quartiles.get(product, _NEVER),
            *due[:, product].tolist(),
        ]
        for product in most
    ]


_QUARTILES = {"lower": 0.25, "median": 0.5, "upper": 0.75}
_NEVER = [None] * len(_QUARTILES)
