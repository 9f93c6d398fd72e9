"""The gate's evaluation: the model and quick baselines on the last window.

`training.evaluation.compare` does the same at length, on more windows, beside all that is known to be good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

import polars as pl

from recommender.cli.progress import Progress
from recommender.settings import Settings
from training.dataset.freed import give_back
from training.dataset.snapshot import Snapshot
from training.dataset.split import Window, end_of, split_window
from training.evaluation.baseline_parameters import tune_half_life
from training.evaluation.baselines import decayed_own, own_counts, popular, trending
from training.evaluation.scores import Scores, score_ranking
from training.evaluation.top_k import Scorer, rank_by
from training.ranking.examples.example_cache import ExampleCache
from training.ranking.model import Model, train_model
from training.ranking.rankings import rank_customers

OURS = "reprise"
"""Name of the model's ranking among the others."""
K = 10
"""Length of the list that the gate judges."""
MOST_CUSTOMERS = 20_000
"""Customers who are scored: their mean recall is known to about 0.002."""
_TUNING_CUSTOMERS = 2_000
"""Customers of the window before on whom the half-life of `decayed_own` is chosen."""
POPULARITY = 0.5
"""Worth of what everybody buys, in fresh orders of one's own, in the gate's `decayed_own`. Chosen on Online Retail II,
cut 2011-07-02, among 0 to 4 with a half-life of 180 days."""


@dataclass(frozen=True)
class Evaluation:
    """The scores of several rankings on one window.

    Attributes:
        cut: the models knew what was before it.
        horizon_days: length of the window from `cut` on.
        n_customers: who had bought before the cut and bought in the window.
        scores: ranking → measure → figure, as `score_ranking` gives them; empty where nobody could be scored.
        drawn_from: how many such customers there were, where `n_customers` of them were drawn by lot; else None.
    """

    cut: datetime
    horizon_days: int
    n_customers: int
    scores: Mapping[str, Scores] = field(default_factory=dict)
    drawn_from: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types; `cut` in ISO-8601."""
        return {
            "cut": self.cut.isoformat(),
            "horizon_days": self.horizon_days,
            "n_customers": self.n_customers,
            "drawn_from": self.drawn_from,
            "scores": {name: dict(scores) for name, scores in self.scores.items()},
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**{**plain, "cut": datetime.fromisoformat(plain["cut"])})


def evaluate_last_window(
    ledger: pl.DataFrame,
    catalogue: pl.DataFrame,
    settings: Settings,
    progress: Progress,
    *,
    example_cache: ExampleCache | None = None,
) -> Evaluation:
    """The evaluation of the model and quick baselines on the last `horizon_days`, fitted on all purchases before.

    Where more than 20,000 customers could be scored, as many are drawn by lot, the same ones for all rankings.

    Args:
        ledger: purchases as `training.ingest.ingest` returns them.
        catalogue: products; what is only sold in the window is known to the model as a product without buyers.
        settings: of the training; `horizon_days` is used here too.
        progress: shows each step.
        example_cache: shared with another training, see `train_model`.

    Returns:
        Scores of `reprise`, `popular`, `trending`, `own_counts` and `decayed_own`; none where no customer bought both
        before and in the window.

    Raises:
        TooLittleDataError: the ledger is empty.
    """
    whole = last_window(ledger, settings.horizon_days)
    window = whole.draw(MOST_CUSTOMERS, settings.seed)
    if window.truth.is_empty():
        return evaluate_window(window, {})
    model = train_model(
        ledger, catalogue, window.cut, settings, progress, example_cache=example_cache, customers=window.customers
    )
    give_back()  # what the lists were made from
    with progress.step("Score the last window"):
        earlier = split_window(ledger, window.cut - timedelta(days=settings.horizon_days), settings.horizon_days)
        half_life = tune_half_life(earlier.draw(_TUNING_CUSTOMERS, settings.seed), POPULARITY)
        baselines = quick_baselines(model.snapshot, half_life)
        rankings = {name: rank_by(scorer, model.snapshot, window.everyone, K) for name, scorer in baselines.items()}
        evaluation = evaluate_window(window, {OURS: rank_model(model, window, settings.list_length), **rankings})
    return replace(evaluation, drawn_from=None if window is whole else len(whole.customers))


def last_window(ledger: pl.DataFrame, horizon_days: int) -> Window:
    """The window of `horizon_days` that ends just after the last purchase. Raises TooLittleDataError without any."""
    return split_window(ledger, end_of(ledger) - timedelta(days=horizon_days), horizon_days)


def quick_baselines(snapshot: Snapshot, half_life_days: float) -> dict[str, Scorer]:
    """Baselines that cost no more than counting; the half-life is that of `decayed_own`."""
    return {
        "popular": popular(snapshot),
        "trending": trending(snapshot),
        "own_counts": own_counts(snapshot),
        "decayed_own": decayed_own(snapshot, half_life_days, POPULARITY),
    }


def rank_model(model: Model, window: Window, list_length: int) -> pl.DataFrame:
    """The model's ranking of the window's customers; customers without a past get its best sellers.

    Both of a customer's published lists in full, so that repeat and discover can be judged apart.
    """
    ranking = rank_customers(model, k=2 * list_length, mix="auto", customers=window.customers)
    table = model.tables["popular"]
    best = pl.Series([model.products[i].product_id for i in table.records["product_index"][: table.starts[1]]])
    newcomers = window.newcomers.select("customer_id").unique().sort("customer_id")
    fallback = newcomers.join(best.cast(pl.String).to_frame("product_id").with_row_index("rank", 1), how="cross")
    fallback = fallback.with_columns(
        pl.col("rank").cast(pl.Int32), score=pl.lit(None, pl.Float32), kind=pl.lit("popular")
    )
    return pl.concat([ranking, fallback.select(ranking.columns)])


def evaluate_window(window: Window, rankings: Mapping[str, pl.DataFrame], k: int = K) -> Evaluation:
    """The scores of each of `rankings`, by name, on `window`."""
    scores = {name: score_ranking(ranking, window, (k,)) for name, ranking in rankings.items()}
    return Evaluation(window.cut, window.horizon_days, len(window.customers), scores)
