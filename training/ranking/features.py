"""Features of candidates: evidence of some customers, and the feature table of chosen pairs."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.dataset.orders import build_orders
from training.dataset.pair_history import Ints, build_history, sum_by
from training.dataset.pair_keys import find_keys
from training.dataset.snapshot import Snapshot, build_snapshot
from training.models.affinity import Affinities, find_affinities, measure
from training.models.repurchase import PairRhythms, find_rhythms
from training.ranking.candidate_pairs import Candidates, choose_candidates
from training.ranking.feature_table import Columns, FeatureGroup, FeatureTable
from training.ranking.pair_features import pair_features
from training.ranking.product_features import customer_features
from training.ranking.shop_evidence import ShopEvidence

_ZERO_IF_NEW = (
    "pair_orders",
    "pair_season",
    "pair_decayed",
    "pair_in_last",
    "pair_faded",
    "pair_share",
    "pair_due",
    "category_lines",
    "category_decayed",
)
"""Beginnings of the pair features that are 0 for a product never bought; the others have no meaning there."""


@dataclass(frozen=True)
class Evidence:
    """The evidence of some customers, with that of their shop: fitted models and features by pair and customer.

    Attributes:
        shop: what everybody's purchases say.
        snapshot: the purchases of these customers before `shop.as_of`.
        rhythm: their timing.
        affinities: their tastes.
        pair_keys: (n_pairs,) int64, rising: customer_index · n_products + product_index of `rhythm.history`.
        pairs, customers: features by pair and customer. After the last pair comes a row for a product never bought.
        category_keys, category_counts: likewise for a customer and a category: (n,) int64, rising, and features.
    """

    shop: ShopEvidence
    snapshot: Snapshot
    rhythm: PairRhythms
    affinities: Affinities
    pair_keys: Ints
    pairs: Columns
    customers: Columns
    category_keys: Ints
    category_counts: Columns


def find_evidence(part: pl.DataFrame, shop: ShopEvidence) -> Evidence:
    """The evidence of the customers of a part: the same for each of them, whoever else is in it.

    Args:
        part: all ledger lines of some customers; those from `shop.as_of` on are ignored.
        shop: of which they are.
    """
    horizon, snapshot = shop.settings.horizon_days, build_snapshot(part, shop.as_of, shop.products)
    history, orders = build_history(snapshot), build_orders(snapshot)
    rhythm = find_rhythms(history, shop.rhythms)
    keys, counts = _category_counts(snapshot, shop.category_index, horizon)
    return Evidence(
        shop=shop,
        snapshot=snapshot,
        rhythm=rhythm,
        affinities=find_affinities(snapshot, history, orders, shop.tastes),
        pair_keys=history.customer_index * len(snapshot.products) + history.product_index,
        pairs=_with_a_row_for_none(pair_features(snapshot, rhythm, orders, horizon)),
        customers=customer_features(snapshot, history, orders, shop.prices, horizon),
        category_keys=keys,
        category_counts=_with_a_row_for_none(counts),
    )


def find_candidates(evidence: Evidence, customers: NDArray[np.integer]) -> Candidates:
    """The candidates of one batch of customers (n,) int, rising; see `training.dataset.batches.customer_batches`."""
    products = evidence.shop.features
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
            FeatureGroup(evidence.shop.features, product),
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
    category = evidence.shop.category_index[product]
    wanted = customer * (evidence.shop.category_index.max(initial=0) + 1) + category
    position = find_keys(evidence.category_keys, np.where(category < 0, -1, wanted))
    counts = evidence.category_counts.items()
    return {name: np.where(category < 0, np.float32(np.nan), values[position]) for name, values in counts}


def _match_features(evidence: Evidence, customer: Ints, product: Ints) -> Columns:
    """Price against the customer's usual one; nearness of the factors, whatever their length."""
    price = evidence.shop.features["product_price"][product] - evidence.customers["customer_price"][customer]
    near = evidence.affinities
    cosine = np.einsum("ij,ij->i", near.customer_directions[customer], near.tastes.product_directions[product])
    return {"match_price": price, "match_als_cosine": cosine}


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
