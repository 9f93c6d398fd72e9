"""The shop's own pipeline on baskets without dates.

Baskets get a day: one a week, counted back from a common end, so that the last one that is known of each customer lies
in the same week. The horizon is a week. From there on it is an ordinary ledger.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from next_basket_data import KS, Lists, Problem

from recommender.settings import Settings
from tests.support.evidence import evidence_of, shop_of
from training.dataset.interactions import build_interactions
from training.dataset.ranked_lists import split_lists
from training.dataset.snapshot import build_snapshot
from training.ingest.schema import CATALOGUE, LEDGER
from training.models.als import fit_factors, top_products
from training.ranking.examples.training_examples import collect_examples
from training.ranking.examples.windows import learning_cuts
from training.ranking.personal_lists import PersonalLists, rank_candidates
from training.ranking.ranker import fit_ranker

WEEK = timedelta(days=7)
END = datetime(2001, 3, 8, tzinfo=UTC)
"""Midnight after everybody's last week. The date means nothing."""


def rank_als(problem: Problem) -> Lists:
    """ALS alone with the default settings; what was bought before is not left out."""
    settings = Settings()
    snapshot = build_snapshot(_make_ledger(problem), END)
    factors = fit_factors(build_interactions(snapshot, settings.als), settings.als, settings.seed)
    asked = snapshot.customers.indices(problem.asked, unknown="raise")
    lists = top_products(factors, asked, max(KS))
    numbers = [int(product_id) for product_id in snapshot.products]
    return [[numbers[index] for index in each] for each in split_lists(lists.product_index, lists.starts)]


def rank_ours(problem: Problem) -> Lists:
    """The two-stage ranker with the default settings, as of the end of everybody's last known week."""
    ledger, settings = _make_ledger(problem), Settings(horizon_days=WEEK.days)
    catalogue = _make_catalogue(ledger)
    cuts = learning_cuts(ledger["ordered_at"].min(), END, settings.horizon_days, len(ledger))
    ranker = fit_ranker(
        [collect_examples(ledger, shop_of(ledger, catalogue, cut, settings)) for cut in cuts], settings.seed
    )
    evidence = evidence_of(ledger, catalogue, END, settings)
    ids = evidence.snapshot.customers
    known = np.unique(ids.indices(problem.asked, unknown="drop"))
    merged = _merge(rank_candidates(ranker, evidence, known, max(KS)))
    lists = {ids[index]: ranking[: max(KS)] for index, ranking in zip(known, merged, strict=True)}
    return [[int(evidence.snapshot.products[index]) for index in lists.get(each, [])] for each in problem.asked]


def _merge(lists: PersonalLists) -> list[list[int]]:
    """What each customer bought and what is new, by falling probability; at a tie what was bought comes first."""
    scored = [
        zip(split_lists(each.score, each.starts), split_lists(each.product_index, each.starts), strict=True)
        for each in lists
    ]
    both = ([*zip(*own, strict=True), *zip(*new, strict=True)] for own, new in zip(*scored, strict=True))
    return [[product for _, product in sorted(pairs, key=lambda pair: -pair[0])] for pairs in both]


def _make_ledger(problem: Problem) -> pl.DataFrame:
    """The known baskets as `ingest` would return them; product numbers become ids that sort like them."""
    lines = [
        (customer_id, f"{item:06d}", END - WEEK * (age + 1), f"{customer_id}-{age}", 1.0, None)
        for customer_id, baskets in problem.known.items()
        for age, basket in enumerate(reversed(baskets))
        for item in basket
    ]
    ledger = pl.DataFrame(lines, schema=LEDGER, orient="row")
    return ledger.sort("ordered_at", "customer_id", "order_id", "product_id")


def _make_catalogue(ledger: pl.DataFrame) -> pl.DataFrame:
    """Products of which nothing is known but that they were sold."""
    return pl.concat([CATALOGUE.to_frame(), ledger.select(pl.col("product_id").unique().sort())], how="diagonal")
