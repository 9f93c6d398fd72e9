"""Shop evidence: what everybody's purchases before a moment say of the shop, without its customers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.settings import Settings
from training.dataset.id_map import IdMap
from training.dataset.orders import build_orders
from training.dataset.pair_history import Ints, build_history
from training.dataset.snapshot import Snapshot
from training.models.affinity import Tastes, fit_tastes
from training.models.repurchase import ShopRhythms, fit_rhythms
from training.ranking.feature_table import Columns
from training.ranking.product_features import product_features


@dataclass(frozen=True)
class ShopEvidence:
    """The evidence of a shop before `as_of`: with it and a customer's own purchases, that customer can be ranked.

    Its size grows with the products, not with the customers.

    Attributes:
        as_of: what was known before it.
        products: the n_products sold before `as_of` or named in the catalogue.
        categories: (n_products,) category or None.
        category_index: (n_products,) int64, -1 where there is no category.
        rhythms: of the products.
        tastes: product factors and similarities.
        features: of the products, by product_index.
        prices: (n_products,) median price, NaN where there is none.
        settings: that it was learned with.
    """

    as_of: datetime
    products: IdMap
    categories: Sequence[str | None]
    category_index: Ints
    rhythms: ShopRhythms
    tastes: Tastes
    features: Columns
    prices: NDArray[np.float64]
    settings: Settings


def learn_shop(snapshot: Snapshot, ledger: pl.DataFrame, catalogue: pl.DataFrame, settings: Settings) -> ShopEvidence:
    """The shop evidence of a snapshot, and of nothing later.

    Args:
        snapshot: of everybody.
        ledger: from which it was built; prices are read.
        catalogue: product ids, titles and categories are read; its prices may be of a later day.
        settings: `als`, `horizon_days` and `seed` are read.
    """
    history, orders = build_history(snapshot), build_orders(snapshot)
    categories, prices = _texts(catalogue, snapshot, "category"), _prices(ledger, snapshot)
    rhythms = fit_rhythms(snapshot, history, categories)
    return ShopEvidence(
        as_of=snapshot.as_of,
        products=snapshot.products,
        categories=categories,
        category_index=_category_index(categories),
        rhythms=rhythms,
        tastes=fit_tastes(snapshot, history, orders, _titles(catalogue, snapshot), settings),
        features=product_features(snapshot, history, rhythms.products, prices, settings.horizon_days),
        prices=prices,
        settings=settings,
    )


def _titles(catalogue: pl.DataFrame, snapshot: Snapshot) -> list[str | None]:
    """Titles of what was sold: the words of products that are still to come must not change what a word says."""
    sold = np.bincount(snapshot.product_index, minlength=len(snapshot.products)) > 0
    titles = zip(_texts(catalogue, snapshot, "title"), sold.tolist(), strict=True)
    return [title if is_sold else None for title, is_sold in titles]


def _texts(catalogue: pl.DataFrame, snapshot: Snapshot, column: str) -> list[str | None]:
    by_id = dict(zip(catalogue["product_id"], catalogue[column], strict=True))
    return [by_id.get(product_id) for product_id in snapshot.products]


def _category_index(categories: Sequence[str | None]) -> Ints:
    names = {name: index for index, name in enumerate(sorted({name for name in categories if name}))}
    return np.array([names.get(name, -1) if name else -1 for name in categories], dtype=np.int64)


def _prices(ledger: pl.DataFrame, snapshot: Snapshot) -> NDArray[np.float64]:
    """(n_products,) median price before `snapshot.as_of`, NaN where there is none."""
    past = ledger.lazy().filter(pl.col("ordered_at") < snapshot.as_of)
    medians = past.group_by("product_id").agg(pl.col("unit_price").median()).drop_nulls().collect()
    prices = np.full(len(snapshot.products), np.nan)
    prices[snapshot.products.indices(medians["product_id"].to_list(), unknown="raise")] = medians["unit_price"]
    return prices
