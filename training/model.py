"""A trained model: all lists of a version, learned from the ledger before a moment and from nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.progress import Progress
from recommender.publication import ListName, ListTable, Product
from recommender.settings import Settings
from training.als import Factors, fit_factors, top_products
from training.calibration import Calibrator, fit_calibrator
from training.copurchase import build_together
from training.interactions import build_interactions
from training.popularity import best_sellers, build_popular, trend
from training.repurchase import OwnLists, build_buy_again, fit_rhythm
from training.similar import build_similar
from training.snapshot import Snapshot, build_snapshot
from training.tables import RankedLists, build_table, owners_of

_BEST_SELLER_HALF_LIFE_DAYS = 15.0
"""On Online Retail II the best sellers of the last weeks are bought twice as often as those of the last months."""


@dataclass(frozen=True)
class Model:
    """Everything that a version publishes.

    Attributes:
        snapshot: what it learned from.
        products: by product_index.
        tables: one for each of `LIST_NAMES`. The scores of `buy_again` and `discover` are probabilities of a purchase
            within the horizon, comparable between the two, NaN where there was too little to learn them from; within
            a list they never rise, and equal ones stand in the order of the raw scores.
        factors: of the collaborative filtering behind `discover`.
    """

    snapshot: Snapshot
    products: Sequence[Product]
    tables: dict[ListName, ListTable]
    factors: Factors


class _Personal(NamedTuple):
    """The lists of every customer with raw scores, as known at one moment."""

    snapshot: Snapshot
    categories: Sequence[str | None]
    factors: Factors
    buy_again: OwnLists
    discover: RankedLists


class _Calibrators(NamedTuple):
    buy_again: Calibrator | None
    discover: Calibrator | None


def train_model(
    ledger: pl.DataFrame, catalogue: pl.DataFrame, as_of: datetime, settings: Settings, progress: Progress
) -> Model:
    """Learn all lists from the purchases before `as_of`; later ones in the ledger change nothing.

    Probabilities are learned by living through the last horizon once more: personal lists are fitted on what was
    known before it and compared with what was bought in it. The lists themselves are fitted on everything.

    Args:
        ledger: as `training.ingest` returns it; it may be empty.
        catalogue: as `training.ingest` returns it; its products get lists even if nobody bought them.
        as_of: an aware datetime.
        settings: `als`, `horizon_days`, `list_length`, `own_half_life_days` and `seed` are read.
        progress: shows and times the steps.
    """
    known = ledger.filter(pl.col("ordered_at") < as_of)
    horizon_start = as_of - timedelta(days=settings.horizon_days)
    earlier = _fit_personal(known, catalogue, horizon_start, settings, progress)
    with progress.step("Learn probabilities"):
        calibrators = _learn_probabilities(earlier, known)
    personal = _fit_personal(known, catalogue, as_of, settings, progress)
    tables = _personal_tables(personal, calibrators) | _shop_tables(personal, settings, progress)
    return Model(personal.snapshot, _products(catalogue, personal.snapshot), tables, personal.factors)


def _fit_personal(
    ledger: pl.DataFrame, catalogue: pl.DataFrame, as_of: datetime, settings: Settings, progress: Progress
) -> _Personal:
    with progress.step("Index purchases"):
        snapshot = build_snapshot(ledger, as_of, catalogue["product_id"])
        categories = _categories(catalogue, snapshot)
    with progress.step("Learn rhythms"):
        rhythm = fit_rhythm(snapshot, categories)
        buy_again = build_buy_again(snapshot, rhythm, settings.list_length, settings.own_half_life_days)
    with progress.step("Fit ALS", settings.als.iterations) as advance:
        interactions = build_interactions(snapshot, settings.als)
        factors = fit_factors(interactions, settings.als, settings.seed, advance)
    with progress.step("Rank products never bought"):
        everyone = np.arange(len(snapshot.customers))
        discover = top_products(factors, everyone, settings.list_length, mask=interactions)
    return _Personal(snapshot, categories, factors, buy_again, discover)


def _learn_probabilities(earlier: _Personal, ledger: pl.DataFrame) -> _Calibrators:
    own, discover, bought = earlier.buy_again, earlier.discover, _pairs_from(earlier.snapshot, ledger)
    own_pairs = _pairs(earlier.snapshot, owners_of(own.table.starts), own.table.records["product_index"])
    discover_pairs = _pairs(earlier.snapshot, owners_of(discover.starts), discover.product_index)
    return _Calibrators(
        fit_calibrator(own.raw_score, np.isin(own_pairs, bought)),
        fit_calibrator(discover.score, np.isin(discover_pairs, bought)),
    )


def _pairs(
    snapshot: Snapshot, customer_index: NDArray[np.integer], product_index: NDArray[np.integer]
) -> NDArray[np.int64]:
    """One number for each customer and product."""
    return customer_index.astype(np.int64) * len(snapshot.products) + product_index


def _pairs_from(snapshot: Snapshot, ledger: pl.DataFrame) -> NDArray[np.int64]:
    """What the customers of `snapshot` bought from its `as_of` on; products unknown to it are left out."""
    later = ledger.filter(pl.col("ordered_at") >= snapshot.as_of).select("customer_id", "product_id").unique()
    customer_index = snapshot.customers.indices(later["customer_id"].to_list(), unknown="mark")
    product_index = snapshot.products.indices(later["product_id"].to_list(), unknown="mark")
    known = (customer_index >= 0) & (product_index >= 0)
    return _pairs(snapshot, customer_index[known], product_index[known])


def _personal_tables(personal: _Personal, calibrators: _Calibrators) -> dict[ListName, ListTable]:
    own, discover = personal.buy_again, personal.discover
    records = own.table.records.copy()
    records["score"] = _probabilities(calibrators.buy_again, own.raw_score)
    scored = discover._replace(score=_probabilities(calibrators.discover, discover.score))
    return {
        "buy_again": replace(own.table, records=records),
        "discover": build_table(personal.snapshot.customers.ids, scored),
    }


def _probabilities(calibrator: Calibrator | None, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.full_like(scores, np.nan) if calibrator is None else calibrator(scores)


def _shop_tables(personal: _Personal, settings: Settings, progress: Progress) -> dict[ListName, ListTable]:
    snapshot, categories, k = personal.snapshot, personal.categories, settings.list_length
    best = best_sellers(snapshot, _BEST_SELLER_HALF_LIFE_DAYS)
    with progress.step("Find similar products"):
        similar = build_similar(_timeless_factors(snapshot, settings), snapshot, categories, best, k)
    with progress.step("Find what is bought together"):
        together = build_together(snapshot, k)
    return {
        "similar": similar,
        "together": together,
        "popular": build_popular(best, snapshot.products, categories, k),
        "trending": build_popular(trend(snapshot), snapshot.products, categories, k),
    }


def _timeless_factors(snapshot: Snapshot, settings: Settings) -> Factors:
    """What a customer wants now fades with the weeks; which products are alike does not."""
    timeless = settings.als.model_copy(update={"weighting": "binary"})
    return fit_factors(build_interactions(snapshot, timeless), timeless, settings.seed)


def _categories(catalogue: pl.DataFrame, snapshot: Snapshot) -> list[str | None]:
    by_id = dict(zip(catalogue["product_id"], catalogue["category"], strict=True))
    return [by_id.get(product_id) for product_id in snapshot.products]


def _products(catalogue: pl.DataFrame, snapshot: Snapshot) -> list[Product]:
    shown = catalogue.select("product_id", "title", "category", "price", "url", "image_url", "in_stock")
    by_id = {row["product_id"]: Product(**row) for row in shown.iter_rows(named=True)}
    return [by_id.get(product_id, Product(product_id)) for product_id in snapshot.products]
