"""Features of candidates: evidence at one moment, and the feature table of chosen pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.settings import Settings
from training.dataset.orders import build_orders
from training.dataset.pair_history import Ints, sum_by
from training.dataset.pair_keys import find_keys
from training.dataset.snapshot import Snapshot, build_snapshot
from training.models.affinity import Affinities, fit_affinities, measure
from training.models.repurchase import ProductRhythms, fit_rhythm
from training.ranking.candidate_pairs import Candidates, choose_candidates
from training.ranking.feature_table import Columns, FeatureGroup, FeatureTable
from training.ranking.pair_features import pair_features
from training.ranking.product_features import customer_features, product_features

_ZERO_IF_NEW = (
    "pair_orders",
    "pair_season",
    "pair_decayed",
    "pair_in_last",
    "pair_share",
    "pair_due",
    "category_lines",
    "category_decayed",
)
"""Beginnings of the pair features that are 0 for a product never bought; the others have no meaning there."""


@dataclass(frozen=True)
class Evidence:
    """Evidence before `snapshot.as_of`: fitted models and features by pair, product and customer.

    Attributes:
        snapshot: the purchases.
        categories: (n_products,) category or None.
        rhythm: the timing.
        affinities: the tastes.
        pair_keys: (n_pairs,) int64, rising: customer_index · n_products + product_index of `rhythm.history`.
        pairs, products, customers: features by pair, product and customer. After the last pair comes a row for a
            product never bought.
        category_keys, category_counts: likewise for a customer and a category: (n,) int64, rising, and features.
        category_index: (n_products,) int64, -1 where there is no category.
    """

    snapshot: Snapshot
    categories: Sequence[str | None]
    rhythm: ProductRhythms
    affinities: Affinities
    pair_keys: Ints
    pairs: Columns
    products: Columns
    customers: Columns
    category_keys: Ints
    category_counts: Columns
    category_index: Ints


def build_evidence(ledger: pl.DataFrame, catalogue: pl.DataFrame, as_of: datetime, settings: Settings) -> Evidence:
    """The evidence of the purchases before `as_of`, and of nothing later.

    Args:
        ledger: as `training.ingest.ingest` returns it; later purchases are ignored.
        catalogue: product ids, titles and categories are read; its prices may be of a later day.
        as_of: an aware datetime.
        settings: `als`, `horizon_days` and `seed` are read.
    """
    snapshot = build_snapshot(ledger, as_of, catalogue["product_id"])
    categories = _texts(catalogue, snapshot, "category")
    rhythm, orders = fit_rhythm(snapshot, categories), build_orders(snapshot)
    history, horizon = rhythm.history, settings.horizon_days
    prices = _prices(ledger, snapshot)
    category_index = _category_index(categories)
    keys, counts = _category_counts(snapshot, category_index, settings.horizon_days)
    return Evidence(
        snapshot=snapshot,
        categories=categories,
        rhythm=rhythm,
        affinities=fit_affinities(snapshot, history, orders, _titles(catalogue, snapshot), settings),
        pair_keys=history.customer_index * len(snapshot.products) + history.product_index,
        pairs=_with_a_row_for_none(pair_features(snapshot, rhythm, orders, horizon)),
        products=product_features(snapshot, rhythm, prices, horizon),
        customers=customer_features(snapshot, rhythm, orders, prices, horizon),
        category_keys=keys,
        category_counts=_with_a_row_for_none(counts),
        category_index=category_index,
    )


def find_candidates(evidence: Evidence, customers: NDArray[np.integer]) -> Candidates:
    """The candidates of one batch of customers (n,) int, rising; see `training.dataset.batches.customer_batches`."""
    products = evidence.products
    # of two products that sell alike this month, the one that sells better over the quarter
    sales = products["product_sold_1"] + np.float32(0.01) * products["product_sold_3"]
    sales = np.where(np.isnan(products["product_age_days"]), np.float32(np.nan), sales)
    own = evidence.affinities.long[customers]
    return choose_candidates(customers, own, measure(evidence.affinities, customers), sales)


def build_features(evidence: Evidence, candidates: Candidates) -> FeatureTable:
    """The feature table: one row for each candidate; names begin with the group of the feature.

    `pair_` what the two have in common, `product_`, `customer_`, `affinity_` scores and ranks of the measures,
    `category_` what the customer bought of the product's category, `match_` the product beside the customer's ways.
    A missing value is NaN.
    """
    customer, product = candidates.customer_index, candidates.product_index
    pair = find_keys(evidence.pair_keys, customer * len(evidence.snapshot.products) + product)
    of_candidates = {
        **{f"affinity_{name}": values for name, values in candidates.affinity.items()},
        **_category_features(evidence, customer, product),
        **_match_features(evidence, customer, product),
    }
    return FeatureTable(
        [
            FeatureGroup(evidence.pairs, pair),
            FeatureGroup(evidence.products, product),
            FeatureGroup(evidence.customers, customer),
            FeatureGroup(of_candidates),
        ],
        len(customer),
    )


def customer_table(evidence: Evidence, customers: NDArray[np.integer]) -> FeatureTable:
    """The table of the `customer_` features with a row for each customer (n,)."""
    return FeatureTable([FeatureGroup(evidence.customers, customers.astype(np.int64))], len(customers))


def _with_a_row_for_none(columns: Columns) -> Columns:
    """The columns with one more row, of what was never bought: 0 or NaN."""
    none = {name: np.float32(0 if name.startswith(_ZERO_IF_NEW) else np.nan) for name in columns}
    return {name: np.append(values, none[name]) for name, values in columns.items()}


def _category_features(evidence: Evidence, customer: Ints, product: Ints) -> Columns:
    """How much and how lately the customer bought of the product's category; NaN in a shop without categories."""
    category = evidence.category_index[product]
    wanted = customer * (evidence.category_index.max(initial=0) + 1) + category
    position = find_keys(evidence.category_keys, np.where(category < 0, -1, wanted))
    counts = evidence.category_counts.items()
    return {name: np.where(category < 0, np.float32(np.nan), values[position]) for name, values in counts}


def _match_features(evidence: Evidence, customer: Ints, product: Ints) -> Columns:
    """Price against the customer's usual one; nearness of the factors, whatever their length."""
    price = evidence.products["product_price"][product] - evidence.customers["customer_price"][customer]
    near = evidence.affinities
    cosine = np.einsum("ij,ij->i", near.customer_directions[customer], near.product_directions[product])
    return {"match_price": price, "match_als_cosine": cosine}


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


def _category_counts(snapshot: Snapshot, category_index: Ints, horizon_days: int) -> tuple[Ints, Columns]:
    """Keys customer · n_categories + category, and the features of each."""
    category = category_index[snapshot.product_index]
    known = category >= 0
    key = snapshot.customer_index[known].astype(np.int64) * (category_index.max(initial=0) + 1) + category[known]
    keys, position = np.unique(key, return_inverse=True)
    age = snapshot.as_of_day - snapshot.day[known]
    last = np.full(len(keys), np.inf)
    np.minimum.at(last, position, age)
    columns = {
        "category_lines": sum_by(position, np.ones(len(position)), len(keys)),
        "category_decayed": sum_by(position, 0.5 ** (age / (3 * horizon_days)), len(keys)),
        "category_days_since_last": last,
    }
    return keys, {name: values.astype(np.float32) for name, values in columns.items()}


def _prices(ledger: pl.DataFrame, snapshot: Snapshot) -> NDArray[np.float64]:
    """(n_products,) median price before `snapshot.as_of`, NaN where there is none."""
    past = ledger.lazy().filter(pl.col("ordered_at") < snapshot.as_of)
    medians = past.group_by("product_id").agg(pl.col("unit_price").median()).drop_nulls().collect()
    prices = np.full(len(snapshot.products), np.nan)
    prices[snapshot.products.indices(medians["product_id"].to_list(), unknown="raise")] = medians["unit_price"]
    return prices
