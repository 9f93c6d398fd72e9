"""The trained model: all lists of a version, fitted on the ledger before a moment and on nothing else."""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recommender.cli.progress import Progress
from recommender.publication.factors import ProductFactors
from recommender.publication.lists import ListName, ListTable
from recommender.publication.product import Product, Rhythm
from recommender.settings import AlsSettings, Settings
from training.dataset.freed import give_back
from training.dataset.id_map import IdMap
from training.dataset.snapshot import Snapshot
from training.models.als import Factors
from training.models.copurchase import build_together
from training.models.popularity import best_sellers, build_popular, trend
from training.models.repurchase import Gaps
from training.models.similar import build_similar
from training.parts.checkpoints import Checkpoints
from training.parts.customer_parts import lines_of, split_customers
from training.parts.part_lists import join_lists
from training.parts.plan import LARGE_SHOP, LINES_OF_A_PART, plan_job, size_of
from training.ranking.examples.example_cache import ExampleCache
from training.ranking.examples.training_examples import Examples
from training.ranking.examples.windows import weigh_windows
from training.ranking.personal_lists import rank_part
from training.ranking.ranker import Ranker, fit_ranker
from training.ranking.shop_evidence import ShopEvidence

_BEST_SELLER_HALF_LIFE_DAYS = 15.0
"""On Online Retail II the best sellers of the last weeks are bought twice as often as those of the last months."""


class Engine(Protocol):
    """An engine: where the parts of a ledger are ranked."""

    def rank(
        self, ledger: pl.DataFrame, shop: ShopEvidence, ranker: Ranker | None, advance: Callable[[int], None]
    ) -> Iterator[pl.DataFrame]:
        """The lists of one part of a ledger with coded ids after the other, customers in order.

        They are as `training.ranking.personal_lists.rank_part` gives them; `advance` is called with the number of
        customers done.
        """
        ...


@dataclass(frozen=True)
class LocalEngine:
    """The engine that ranks in this process, one part at a time.

    Attributes:
        lines_of_a_part: at most so many ledger lines are in a part, or one customer's.
        checkpoints: where the lists of each part are kept, so that those that a killed training ranked are read; None:
            nowhere.
    """

    lines_of_a_part: int
    checkpoints: Checkpoints | None = None

    def rank(
        self, ledger: pl.DataFrame, shop: ShopEvidence, ranker: Ranker | None, advance: Callable[[int], None]
    ) -> Iterator[pl.DataFrame]:
        """See `Engine.rank`."""
        for part in split_customers(ledger, self.lines_of_a_part):
            name = f"lists-{part.first}-{part.last}"
            lists = self.checkpoints.find(name) if self.checkpoints else None
            if lists is not None:
                advance(len(lists))
            else:
                lists = rank_part(part.lines(ledger), shop, ranker, advance)
                give_back()
                if self.checkpoints:
                    self.checkpoints.keep(name, lists)
            yield lists


@dataclass(frozen=True)
class Model:
    """The trained model: lists, products and product factors of a version.

    Attributes:
        snapshot: what it learned from.
        products: by product_index.
        tables: one for each of `LIST_NAMES`, see `train_model` for a training for some customers; `buy_again` and
            `discover` have the same owners. The scores of these two are probabilities of a purchase within the
            horizon, comparable between them, NaN where there was too little to learn them from; within a list they
            never rise, and equal ones stand in the order of the raw scores.
        factors: of the collaborative filtering behind `discover`.
        ceiling: share of what was bought in the past windows that was among the candidates: no ranking of them can
            recall more. None where there was no window to learn from.
        shop, ranker: what ranked the customers; no ranker where there was too little to learn from.
    """

    snapshot: Snapshot
    products: Sequence[Product]
    tables: dict[ListName, ListTable]
    factors: Factors
    ceiling: float | None
    shop: ShopEvidence
    ranker: Ranker | None

    def product_factors(self, als: AlsSettings) -> ProductFactors:
        """Product factors for the fold-in of customers whose first purchase is after the training."""
        newest = (
            np.log(2) if als.weighting == "log" else 1.0
        )  # what `training.dataset.interactions` gives a purchase of now
        return ProductFactors(self.factors.products, self.factors.regularization, float(als.alpha * newest))


def train_model(
    ledger: pl.DataFrame,
    catalogue: pl.DataFrame,
    as_of: datetime,
    settings: Settings,
    progress: Progress,
    *,
    example_cache: ExampleCache | None = None,
    customers: Collection[str] | None = None,
    checkpoints: Checkpoints | None = None,
    engine: Engine | None = None,
) -> Model:
    """The model trained on the purchases before `as_of`; later ones in the ledger change nothing.

    Probabilities are learned by living through past horizons once more: what was known before each of them is
    compared with what was bought in it. The lists are made from everything that is known at `as_of`.

    Args:
        ledger: as `training.ingest.ingest` returns it; it may be empty.
        catalogue: as `training.ingest.ingest` returns it; its products get lists even if nobody bought them.
        as_of: an aware datetime.
        settings: `als`, `horizon_days`, `list_length`, `memory`, `own_half_life_days` and `seed` are read.
        progress: shows and times the steps.
        example_cache: of the same ledger, catalogue and settings, so that two trainings share them; None: new ones.
        customers: ids of those who need personal lists, others get none, and nobody the lists `similar` and
            `together`; None: everybody.
        checkpoints: of this very training, in which its lists are kept part by part; None: in memory.
        engine: ranks the customers; None: this process.

    Raises:
        SettingsError: it does not fit into the memory that it may use; no list depends on how much that is.
    """
    plan_job(size_of(ledger, catalogue), settings)  # refuses what would not fit
    example_cache = example_cache or ExampleCache(ledger, catalogue, settings)
    examples, ledger = _look_back(as_of, example_cache, progress), example_cache.ledger
    # one after the other: both use several cores, and together they would be the most that a training holds
    with progress.step("Learn to rank, tastes and rhythms"), threadpool_limits(1, "blas"):
        ranker = fit_ranker(examples, settings.seed)
        ceiling = float(np.mean([each.ceiling for each in examples])) if examples else None
        del examples
        give_back()
        snapshot, shop = example_cache.shop(as_of)
        give_back()
    tables = _best_sellers(snapshot, shop)
    if customers is None:
        tables |= _neighbours(snapshot, shop, progress)
    past = ledger.filter(pl.col("ordered_at") < as_of)
    wanted = past if customers is None else lines_of(past, customers)
    engine = engine or LocalEngine(LINES_OF_A_PART, checkpoints)
    parts = _rank_parts(wanted, shop, ranker, engine, progress)
    tables |= join_lists(parts, checkpoints.folder if checkpoints else None)
    products = _products(catalogue, shop.products, shop.rhythms.calibrate(shop.rhythms.products))
    return Model(snapshot, products, tables, shop.tastes.recent, ceiling, shop, ranker)


def _look_back(as_of: datetime, example_cache: ExampleCache, progress: Progress) -> list[Examples]:
    cuts, examples = example_cache.cuts(as_of), []
    weights = weigh_windows(cuts, as_of)
    # two at a time: half of what a window takes leaves cores idle; more, or of a large shop, would only take memory
    at_once = 2 if len(example_cache.ledger) <= LARGE_SHOP else 1
    with (
        progress.step("Live through past windows", len(cuts)) as advance,
        threadpool_limits(1, "blas"),  # once for all threads, as the end of one would undo it
        ThreadPoolExecutor(at_once) as pool,
    ):
        for each, weight in zip(pool.map(example_cache.examples, cuts), weights, strict=True):
            examples.append(replace(each, weight=np.float32(weight) * each.weight))
            advance(1)
    return examples


def _rank_parts(
    ledger: pl.DataFrame, shop: ShopEvidence, ranker: Ranker | None, engine: Engine, progress: Progress
) -> Iterator[pl.DataFrame]:
    with progress.step("Rank candidates", ledger["customer_id"].n_unique()) as advance:
        yield from engine.rank(ledger, shop, ranker, advance)


def _best_sellers(snapshot: Snapshot, shop: ShopEvidence) -> dict[ListName, ListTable]:
    k, categories, best = shop.settings.list_length, shop.categories, _find_best(snapshot)
    return {
        "popular": build_popular(best, snapshot.products, categories, k),
        "trending": build_popular(trend(snapshot), snapshot.products, categories, k),
    }


def _neighbours(snapshot: Snapshot, shop: ShopEvidence, progress: Progress) -> dict[ListName, ListTable]:
    k = shop.settings.list_length
    with progress.step("Find similar products"), threadpool_limits(1, "blas"):  # more only wait for each other
        similar = build_similar(shop.tastes, snapshot, shop.categories, _find_best(snapshot), k)
    with progress.step("Find what is bought together"):
        return {"similar": similar, "together": build_together(snapshot, k)}


def _find_best(snapshot: Snapshot) -> NDArray[np.float32]:
    return best_sellers(snapshot, _BEST_SELLER_HALF_LIFE_DAYS)


def _products(catalogue: pl.DataFrame, products: IdMap, gaps: Gaps) -> list[Product]:
    shown = catalogue.select("product_id", "title", "category", "price", "currency", "url", "image_url", "in_stock")
    by_id = {row["product_id"]: Product(**row) for row in shown.iter_rows(named=True)}
    rhythms = [Rhythm(*(round(float(field), 3) for field in of_product)) for of_product in zip(*gaps, strict=True)]
    return [
        replace(by_id.get(product_id) or Product(product_id), rhythm=rhythm)
        for product_id, rhythm in zip(products, rhythms, strict=True)
    ]
