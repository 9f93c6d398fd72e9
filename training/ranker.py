"""From features to the probability of a purchase within the horizon."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from recommender.errors import UsageError
from training.calibration import Calibrator, fit_calibrator
from training.examples import Examples

HORIZONS_DAYS = (7, 14, 30)
"""Horizons that a probability is asked for, besides that of the examples."""
_FEWEST_PURCHASES = 100
"""With fewer to learn from, seventy features only learn chance."""


class Trees(NamedTuple):
    """Gradient-boosted trees, and a line from their score to the probability of each shorter horizon.

    `names` are the features that `classifier` reads, in its order; `calibrators` go by horizon in days. `kept` is the
    share of the candidates not bought that the trees saw: to them, purchases are 1 / kept times as likely as they are.
    """

    classifier: HistGradientBoostingClassifier
    names: Sequence[str]
    kept: float
    calibrators: dict[int, Calibrator]


@dataclass(frozen=True)
class Ranker:
    """What `fit_ranker` learned: trees for what the customer bought before, and trees for what is new.

    The two ask different questions of different features: learned together, the repeats, which are bought ten times
    as often, use up most of the splits.
    """

    own: Trees
    new: Trees
    horizon_days: int

    def score(self, features: pl.DataFrame) -> NDArray[np.float32]:
        """(n,) float32 probabilities of a purchase within the horizon of the examples: what to rank by.

        `features` are as `training.features.build_features` returns them.
        """
        return self._by_kind(features, _score)

    def predict(self, features: pl.DataFrame, horizon_days: int) -> NDArray[np.float32]:
        """(n,) float32 probabilities of a purchase within `horizon_days`: 7, 14 or 30, and shorter than the examples'.

        Raises:
            UsageError: no probability of this horizon was learned.
        """
        if horizon_days == self.horizon_days:
            return self.score(features)
        if horizon_days not in self.own.calibrators:
            learned = ", ".join(str(each) for each in (*self.own.calibrators, self.horizon_days))
            raise UsageError(f"no probability of {horizon_days} days was learned, only of {learned}")
        return self._by_kind(features, lambda trees, part: trees.calibrators[horizon_days](_score(trees, part)))

    def _by_kind(
        self, features: pl.DataFrame, score: Callable[[Trees, pl.DataFrame], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        own = is_own(features)
        scores = np.zeros(len(own), dtype=np.float32)
        scores[own] = score(self.own, features.filter(own))
        scores[~own] = score(self.new, features.filter(~own))
        return scores


def is_own(features: pl.DataFrame) -> NDArray[np.bool_]:
    """(n,) whether the customer has bought the product before."""
    own: NDArray[np.bool_] = features["pair_orders"].to_numpy() > 0
    return own


def fit_ranker(examples: Sequence[Examples], seed: int) -> Ranker | None:
    """Learn from past windows; the same examples and seed give the same ranker.

    Args:
        examples: of windows of one horizon; of 7, 14 and 30 days, the shorter ones are calibrated beside it.
        seed: of the trees.

    Returns:
        None with fewer than 100 purchases to learn from. Where only one of the two kinds has as many, the other is
        ranked by trees that learned from both.
    """
    if sum(int(each.bought.sum()) for each in examples) < _FEWEST_PURCHASES:
        return None
    together = _join(examples)
    own = is_own(together.features)
    own_trees, new_trees = (_fit_trees(_of_kind(together, kind), seed) for kind in (own, ~own))
    return Ranker(own_trees, new_trees, together.horizon_days)


def _join(examples: Sequence[Examples]) -> Examples:
    return Examples(
        features=pl.concat([each.features for each in examples]),
        wait_days=np.concatenate([each.wait_days for each in examples]),
        weight=np.concatenate([each.weight for each in examples]),
        n_bought=sum(each.n_bought for each in examples),
        horizon_days=examples[0].horizon_days,
    )


def _of_kind(examples: Examples, kind: NDArray[np.bool_]) -> Examples:
    """The examples of one kind, or all where they hold too few purchases."""
    if examples.bought[kind].sum() < _FEWEST_PURCHASES:
        return examples
    return replace(
        examples,
        features=examples.features.filter(kind),
        wait_days=examples.wait_days[kind],
        weight=examples.weight[kind],
    )


def _fit_trees(examples: Examples, seed: int) -> Trees:
    # the trees cannot bin a column without two different values
    names = [name for name in examples.features.columns if _varies(examples.features[name])]
    n_bought = int(examples.bought.sum())
    classifier = HistGradientBoostingClassifier(
        max_iter=int(np.clip(n_bought // 20, 30, 80)),
        learning_rate=0.12,
        max_leaf_nodes=15,
        min_samples_leaf=int(np.clip(n_bought // 20, 20, 100)),
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    # without weights: with them, scikit-learn bins a hundred times slower, and ranks worse
    classifier.fit(_matrix(examples.features, names), examples.bought)
    trees = Trees(classifier, names, _share_kept(examples), {})
    score = _score(trees, examples.features)
    shorter = [each for each in HORIZONS_DAYS if each < examples.horizon_days]
    return trees._replace(calibrators={each: _calibrate(score, examples, each) for each in shorter})


def _calibrate(score: NDArray[np.float32], examples: Examples, horizon_days: int) -> Calibrator:
    """From the score to the probability of a shorter horizon; proportional where purchases are too few for more."""
    sooner = examples.wait_days < horizon_days
    proportional = Calibrator(np.array([0.0, 1.0]), np.array([0.0, sooner.sum() / examples.bought.sum()]))
    return fit_calibrator(score, sooner, examples.weight) or proportional


def _share_kept(examples: Examples) -> float:
    others = ~examples.bought
    return float(others.sum() / examples.weight[others].sum()) if others.any() else 1.0


def _score(trees: Trees, features: pl.DataFrame) -> NDArray[np.float32]:
    """The trees' probability with its odds put right for the candidates that were left out.

    King, Zeng (2001), "Logistic Regression in Rare Events Data", section 4.1.
    """
    if features.is_empty():
        return np.zeros(0, dtype=np.float32)
    seen = trees.classifier.predict_proba(_matrix(features, trees.names))[:, 1]
    kept = seen * trees.kept
    scores: NDArray[np.float32] = (kept / (kept + 1 - seen)).astype(np.float32)
    return scores


def _varies(column: pl.Series) -> bool:
    return column.fill_nan(None).drop_nulls().n_unique() > 1


def _matrix(features: pl.DataFrame, names: Sequence[str]) -> NDArray[np.float32]:
    return np.ascontiguousarray(features.select(names).to_numpy())
