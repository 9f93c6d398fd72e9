"""The comparison of the model with strong baselines on several later windows.

`training.evaluation.last_window` is the short one that every training can afford.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl

from recommender.cli.progress import Progress
from recommender.errors import UsageError
from recommender.settings import Settings
from training.dataset.snapshot import Snapshot
from training.dataset.split import Window, split_window
from training.evaluation.baseline_parameters import Chosen, tune_baselines
from training.evaluation.baselines import als_alone, bpr, decayed_own, item_cosine, own_counts, popular, sar, trending
from training.evaluation.boosted_counts import boosted_counts
from training.evaluation.bootstrap import Interval, Resampled
from training.evaluation.calibration import judge_probabilities
from training.evaluation.last_window import OURS, rank_model
from training.evaluation.scores import CustomerScores, Scores, score_customers, score_ranking
from training.evaluation.similar_lists import judge_similar
from training.evaluation.tifu_knn import tifu_knn
from training.evaluation.top_k import Scorer, rank_by
from training.ranking.examples.example_cache import ExampleCache
from training.ranking.model import Model, train_model

KS = (5, 10, 20)
_BASELINES: Mapping[str, Callable[[Snapshot, Chosen, Settings], Scorer]] = {
    "popular": lambda snapshot, _chosen, _settings: popular(snapshot),
    "trending": lambda snapshot, _chosen, _settings: trending(snapshot),
    "own_counts": lambda snapshot, _chosen, _settings: own_counts(snapshot),
    "decayed_own": lambda snapshot, chosen, _: decayed_own(snapshot, chosen.half_life_days, chosen.popularity),
    "tifu_knn": lambda snapshot, chosen, _: tifu_knn(snapshot, chosen.tifu),
    "item_cosine": lambda snapshot, _chosen, _settings: item_cosine(snapshot),
    "sar": lambda snapshot, chosen, _: sar(snapshot, chosen.half_life_days),
    "als": lambda snapshot, _, settings: als_alone(snapshot, settings.als, settings.seed),
    "bpr": lambda snapshot, _, settings: bpr(snapshot, settings.als.factors, settings.seed),
    "boosted_counts": lambda snapshot, _, settings: boosted_counts(snapshot, settings.horizon_days, settings.seed),
}
"""What fits each baseline."""


class Judged(NamedTuple):
    """The results of one window.

    Attributes:
        window: past and truth.
        scores: ranking → measure → figure.
        customers: ranking → the same customer by customer.
        probabilities: as `judge_probabilities` returns them.
        lists: `similar` and `together` → as `judge_similar` returns them.
    """

    window: Window
    scores: dict[str, Scores]
    customers: dict[str, CustomerScores]
    probabilities: dict[str, Any]
    lists: dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """The results of the model and the baselines, by window and together.

    Attributes:
        windows: from the oldest on.
        chosen: the baselines' parameters.
        chosen_cut: the cut of the window on which they were chosen.
        resampled: means of all windows together, with intervals.
        also: names of the rankings of other models.
    """

    windows: Sequence[Judged]
    chosen: Chosen
    chosen_cut: datetime
    resampled: Resampled
    also: Sequence[str] = ()

    @property
    def rankings(self) -> list[str]:
        """Names, ours first."""
        return list(self.windows[0].scores)

    def best_baseline(self, measure: str) -> str:
        """The baseline with the highest mean of `measure`, the first of equals."""
        means = {name: self.resampled.interval(name, measure).mean for name in self.rankings if name != OURS}
        return max(means, key=lambda name: -math.inf if math.isnan(means[name]) else means[name])

    def lead(self, measure: str) -> Interval:
        """The model's mean less that of the best baseline, customer by customer, with its interval."""
        return self.resampled.difference(OURS, self.best_baseline(measure), measure)

    def to_dict(self) -> dict[str, Any]:
        """The whole as plain JSON types; what could not be measured is None.

        `windows`: the results of each; `mean`: ranking → measure → [mean, low, high] over all windows; `lead`:
        measure → the best `baseline` of that measure and our `difference` to it, [mean, low, high]; `tuned`: the
        baselines' parameters; `also`: other model → measure → our difference to it. Intervals hold 95 %.
        """
        measures = self.resampled.measures
        return {
            "horizon_days": self.windows[0].window.horizon_days,
            "windows": [_window_to_dict(judged) for judged in self.windows],
            "mean": {
                name: {measure: _plain(self.resampled.interval(name, measure)) for measure in measures}
                for name in self.rankings
            },
            "lead": {
                measure: {"baseline": self.best_baseline(measure), "difference": _plain(self.lead(measure))}
                for measure in measures
            },
            "also": {
                name: {measure: _plain(self.resampled.difference(OURS, name, measure)) for measure in measures}
                for name in self.also
            },
            "tuned": {"cut": self.chosen_cut.isoformat(), **self.chosen.to_dict()},
        }


def compare(
    ledger: pl.DataFrame,
    catalogue: pl.DataFrame,
    cuts: Sequence[datetime],
    settings: Settings,
    progress: Progress,
    *,
    also: Mapping[str, pl.DataFrame] = MappingProxyType({}),
) -> Comparison:
    """The comparison of the model, trained at each cut, with the baselines on the window that follows.

    The baselines' parameters are chosen once, on the window that ends with the first cut.

    Args:
        ledger: purchases as `training.ingest.ingest` returns them; every cut has some before and after it, see
            `training.dataset.split.check_cuts`.
        catalogue: products.
        cuts: aware datetimes, at least one.
        settings: of the training; `horizon_days` is the length of each window.
        progress: shows each step.
        also: rankings by other models, by name, as `training.evaluation.scores.score_ranking` takes them.

    Raises:
        UsageError: a ranking of another model has the name of one of ours, or there are several cuts to judge it by.
    """
    cuts = sorted(set(cuts))
    _check_also(also, cuts)
    earlier = cuts[0] - timedelta(days=settings.horizon_days)
    with progress.step("Tune the baselines"):
        chosen = tune_baselines(split_window(ledger, earlier, settings.horizon_days))
    example_cache = ExampleCache(ledger, catalogue, settings)
    judged = []
    for cut in cuts:
        model = train_model(ledger, catalogue, cut, settings, progress, example_cache=example_cache)
        judged.append(
            _judge(model, split_window(ledger, cut, settings.horizon_days), chosen, settings, progress, also=also)
        )
    with progress.step("Draw customers again"):
        resampled = Resampled(
            {name: [each.customers[name] for each in judged] for name in judged[0].customers}, settings.seed
        )
    return Comparison(judged, chosen, earlier, resampled, tuple(also))


def _check_also(also: Mapping[str, pl.DataFrame], cuts: Sequence[datetime]) -> None:
    if taken := sorted({OURS, *_BASELINES} & also.keys()):
        raise UsageError(f"{taken[0]!r} is the name of a ranking of ours; give the other model another name")
    if also and len(cuts) > 1:
        raise UsageError(
            f"lists of another model are of one moment; give the --cut that they were made for, not {len(cuts)}"
        )


def _judge(
    model: Model,
    window: Window,
    chosen: Chosen,
    settings: Settings,
    progress: Progress,
    *,
    also: Mapping[str, pl.DataFrame],
) -> Judged:
    rankings = {OURS: rank_model(model, window, settings.list_length)}
    for name, fit in _BASELINES.items():
        with progress.step(f"Rank by {name}"):
            rankings[name] = rank_by(fit(model.snapshot, chosen, settings), model.snapshot, window.everyone, max(KS))
    rankings.update(also)
    with progress.step("Score the window"):
        scores = {name: score_ranking(ranking, window, KS) for name, ranking in rankings.items()}
        customers = {name: score_customers(ranking, window, KS) for name, ranking in rankings.items()}
        probabilities = judge_probabilities(model, window)
        categories = [product.category for product in model.products]
        lists = {
            name: judge_similar(model.tables[name], model.snapshot, categories, window)
            for name in ("similar", "together")
        }
    return Judged(window, scores, customers, probabilities, lists)


def _window_to_dict(judged: Judged) -> dict[str, Any]:
    window = judged.window
    return {
        "cut": window.cut.isoformat(),
        "n_customers": len(window.customers),
        "n_newcomers": window.newcomers["customer_id"].n_unique(),
        "truth_repeat_share": len(window.repeat) / len(window.truth) if len(window.truth) else None,
        "scores": judged.scores,
        "calibration": judged.probabilities,
        "lists": judged.lists,
    }


def _plain(interval: Interval) -> list[float | None]:
    return [None if math.isnan(figure) else figure for figure in interval]
