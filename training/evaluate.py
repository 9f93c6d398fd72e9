"""Honest figures: every ranking is judged by the same customers' purchases in a later window.

Three questions are asked of one ranking:

- mixed: its first k products against all that the customer bought in the window;
- repeat: the products on it that the customer had bought before the cut, ranked anew, against the part of the truth
  that was bought before; only customers with such a truth;
- discover: likewise, what was never bought before.

A ranking is scored as far as it goes: the last two need one that is longer than k to be fair.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender import metrics
from recommender.errors import TooLittleDataError
from recommender.progress import Progress
from recommender.settings import Settings
from training.baselines import decayed_own, popular
from training.model import train_model
from training.rank import rank_customers
from training.split import PAIR, Window, split_window

Scores = dict[str, float | None]
"""Measure → figure; None where nobody could be scored."""

K = 10
"""Length of the list that the gate judges."""


@dataclass(frozen=True)
class Evaluation:
    """How several rankings did on one window.

    Attributes:
        cut: the models knew what was before it.
        horizon_days: length of the window from `cut` on.
        n_customers: who had bought before the cut and bought in the window.
        scores: ranking → measure → figure, as `score_ranking` gives them; empty where nobody could be scored.
    """

    cut: datetime
    horizon_days: int
    n_customers: int
    scores: Mapping[str, Scores] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types; `cut` in ISO-8601."""
        return {
            "cut": self.cut.isoformat(),
            "horizon_days": self.horizon_days,
            "n_customers": self.n_customers,
            "scores": {name: dict(scores) for name, scores in self.scores.items()},
        }


def evaluate_last_window(
    ledger: pl.DataFrame, catalogue: pl.DataFrame, settings: Settings, progress: Progress
) -> Evaluation:
    """Train on all but the last `horizon_days` of `ledger` and score the model and the baselines on these.

    Args:
        ledger: purchases as `training.ingest` returns them.
        catalogue: products; what is only sold in the window is known to the model as a product without buyers.
        settings: of the training; `horizon_days` and `own_half_life_days` are used here too.
        progress: told of each step.

    Returns:
        Scores of `reprise`, `popular` and `decayed_own`; none where no customer bought both before and in the window.

    Raises:
        TooLittleDataError: the ledger is empty.
    """
    window = last_window(ledger, settings.horizon_days)
    if window.truth.is_empty():
        return evaluate_window(window, {})
    model = train_model(ledger, catalogue, window.cut, settings, progress)
    # both of a customer's published lists in full, so that repeat and discover have at least K products each
    depth = 2 * settings.list_length
    with progress.step("Score the last window"):
        rankings = {
            "reprise": rank_customers(model, k=depth, mix="auto"),
            "popular": popular(model.snapshot, window.customers, depth),
            "decayed_own": decayed_own(model.snapshot, window.customers, depth, settings.own_half_life_days),
        }
        return evaluate_window(window, rankings)


def last_window(ledger: pl.DataFrame, horizon_days: int) -> Window:
    """The window of `horizon_days` that ends just after the last purchase. Raises TooLittleDataError without any."""
    last = ledger["ordered_at"].max()
    if not isinstance(last, datetime):
        raise TooLittleDataError("there is no purchase to learn from; `reprise doctor FILE` says what was left out")
    return split_window(ledger, last + timedelta(microseconds=1) - timedelta(days=horizon_days), horizon_days)


def evaluate_window(window: Window, rankings: Mapping[str, pl.DataFrame], k: int = K) -> Evaluation:
    """Score each of `rankings`, by name, on `window`."""
    scores = {name: score_ranking(ranking, window, k) for name, ranking in rankings.items()}
    return Evaluation(window.cut, window.horizon_days, len(window.customers), scores)


def score_ranking(ranking: pl.DataFrame, window: Window, k: int = K) -> Scores:
    """The figures of one ranking.

    Args:
        ranking: [customer_id, product_id, rank, …], each product once for a customer. Customers who are not in
            `window.truth` are left out; one of `window.truth` without a list scores 0.
        window: past and truth.
        k: length of the list that is judged.

    Returns:
        `recall@k`, `ndcg@k`, `hit_rate@k`, `map@k` and `n_customers` for the mixed list, the same with the prefixes
        `repeat_` and `discover_`, then `coverage@k` (share of the products sold before the cut that anybody is
        shown) and `repeat_share@k` (share of the places that hold what the customer had bought before).

    Raises:
        ValueError: a customer has a product twice.
    """
    ranking = ranking.join(window.customers.to_frame(), on="customer_id", how="semi").sort("customer_id", "rank")
    if ranking.select(PAIR).is_duplicated().any():
        raise ValueError("the ranking holds a product twice for one customer")
    own = ranking.join(window.bought, on=PAIR, how="semi", maintain_order="left")
    new = ranking.join(window.bought, on=PAIR, how="anti", maintain_order="left")
    return {
        **_accuracy(ranking, window.truth, k),
        **{f"repeat_{name}": figure for name, figure in _accuracy(own, window.repeat, k).items()},
        **{f"discover_{name}": figure for name, figure in _accuracy(new, window.discover, k).items()},
        **_variety(_first(ranking, k), window, k),
    }


def _accuracy(ranking: pl.DataFrame, truth: pl.DataFrame, k: int) -> Scores:
    hits, n_relevant = _hits(ranking, truth, k)
    figures = {
        f"recall@{k}": metrics.recall_at_k(hits, n_relevant),
        f"ndcg@{k}": metrics.ndcg_at_k(hits, n_relevant),
        f"hit_rate@{k}": metrics.hit_rate_at_k(hits, n_relevant),
        f"map@{k}": metrics.average_precision_at_k(hits, n_relevant),
    }
    means = {name: float(figure.mean()) if len(figure) else None for name, figure in figures.items()}
    return {**means, "n_customers": len(n_relevant)}


def _hits(ranking: pl.DataFrame, truth: pl.DataFrame, k: int) -> tuple[metrics.Hits, NDArray[np.integer]]:
    """`hits` (n_customers, k) and `n_relevant` (n_customers,) of the customers in `truth`, by customer_id."""
    customers = truth.group_by("customer_id").len("n_relevant").sort("customer_id").with_row_index("row")
    found = _first(ranking, k).join(truth, on=PAIR, how="semi").join(customers, on="customer_id")
    hits = np.zeros((len(customers), k), dtype=bool)
    hits[found["row"].to_numpy(), found["place"].to_numpy()] = True
    return hits, customers["n_relevant"].to_numpy()


def _variety(shown: pl.DataFrame, window: Window, k: int) -> Scores:
    sold = window.past.select(pl.col("product_id").unique().sort()).with_row_index("product_index")
    covered = shown.join(sold, on="product_id")["product_index"].to_numpy()
    repeated = shown.join(window.bought.with_columns(repeat=True), on=PAIR, how="left")["repeat"].fill_null(value=False)
    return {
        f"coverage@{k}": metrics.coverage(covered, len(sold)),
        f"repeat_share@{k}": metrics.repeat_share(repeated.to_numpy()) if len(repeated) else None,
    }


def _first(ranking: pl.DataFrame, k: int) -> pl.DataFrame:
    """The first k of each customer in a sorted ranking, with `place` from 0, whatever ranks were left out."""
    place = pl.int_range(pl.len()).over("customer_id").alias("place")
    return ranking.with_columns(place).filter(pl.col("place") < k)
