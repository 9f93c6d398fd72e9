"""The ranker: the probability of a purchase within the horizon, from features.

    P(bought) = P(the customer returns within the horizon) · P(bought | the customer returns)

Whether customers return at all is their matter, not the product's. Learned together, the many who do not return hide
what those who do choose: on Online Retail II the separation is worth 0.007 of NDCG@10.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from training.ranking.binning import Bins
from training.ranking.examples.training_examples import Examples
from training.ranking.feature_table import FeatureTable
from training.ranking.tree_tables import TreeTables

_FEWEST_PURCHASES = 100
"""With fewer to learn from, seventy features only learn chance."""


class Trees(NamedTuple):
    """Gradient-boosted trees.

    Without `tables` `kept` is the probability. Otherwise it is the share of the rows without a purchase that the trees
    saw: to them, purchases are 1 / kept times as likely as they are.
    """

    tables: TreeTables | None
    kept: float


@dataclass(frozen=True)
class Ranker:
    """The ranker: trees for the return of customers, and for their own and new products.

    Trees for who returns, and of those who do, trees for what the customer bought before and trees for what is new.
    The latter two ask different questions of different features: learned together, the repeats, which are bought ten
    times as often, use up most of the splits.
    """

    returns: Trees
    own: Trees
    new: Trees

    def returning(self, customers: FeatureTable) -> NDArray[np.float32]:
        """(n,) float32 probabilities that each customer buys anything within the horizon of the examples.

        `customers` are as `training.ranking.features.customer_table` returns them.
        """
        return _score(self.returns, customers)

    def score(self, features: FeatureTable) -> NDArray[np.float32]:
        """(n,) float32 probabilities of a purchase within the horizon by a customer who returns.

        `features` are as `training.ranking.features.build_features` returns them.
        """
        own = is_own(features.column("pair_orders"))
        scores = np.zeros(len(own), dtype=np.float32)
        scores[own] = _score(self.own, features.filter(own))
        scores[~own] = _score(self.new, features.filter(~own))
        return scores


def is_own(pair_orders: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) whether the customer has bought the product before, from the feature of this name."""
    return pair_orders > 0


def fit_ranker(examples: Sequence[Examples], seed: int) -> Ranker | None:
    """The ranker fitted on the examples of past windows; the same examples and seed give the same ranker.

    Args:
        examples: of windows of one horizon.
        seed: of the trees.

    Returns:
        None with fewer than 100 purchases to learn from. Where only one of the two kinds has as many, the other is
        ranked by trees that learned from both.
    """
    if sum(int(each.bought.sum()) for each in examples) < _FEWEST_PURCHASES:
        return None
    features = pl.concat([each.features for each in examples])
    bought = np.concatenate([each.bought for each in examples])
    kept = np.concatenate([each.share for each in examples])
    weight = np.concatenate([each.weight for each in examples])
    own = is_own(features["pair_orders"].to_numpy())

    def fit_kind(kind: NDArray[np.bool_]) -> Trees:
        rows = kind if bought[kind].sum() >= _FEWEST_PURCHASES else np.ones_like(kind)
        share = _share_kept(bought[rows], kept[rows], weight[rows])
        return _fit_trees(features.filter(rows), bought[rows], weight[rows], share, seed)

    customers = pl.concat([each.customers for each in examples])
    returned = np.concatenate([each.returned for each in examples])
    # a thread each: trees this small only wait for each other when they share several
    with ThreadPoolExecutor(initializer=threadpool_limits, initargs=(1, "openmp")) as pool:
        returns = pool.submit(_fit_trees, customers, returned, np.ones(len(returned), np.float32), 1.0, seed)
        kinds = pool.map(fit_kind, (own, ~own))
    return Ranker(returns.result(), *kinds)


def _fit_trees(
    features: pl.DataFrame, bought: NDArray[np.bool_], weight: NDArray[np.float32], kept: float, seed: int
) -> Trees:
    bins, n_bought = Bins.of(features, seed), int(bought.sum())
    if not bins.edges or n_bought in (0, len(bought)):
        return Trees(None, float(_put_right(bought.mean(), kept)))
    classifier = HistGradientBoostingClassifier(
        max_iter=int(np.clip(n_bought // 12, 50, 120)),
        learning_rate=0.08,
        max_features=0.3,
        max_leaf_nodes=15,
        min_samples_leaf=int(np.clip(n_bought // 20, 20, 100)),
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    classifier.fit(bins.number(features), bought, sample_weight=weight / weight.mean())
    return Trees(TreeTables(classifier, bins), kept)


def _share_kept(bought: NDArray[np.bool_], share: NDArray[np.float32], weight: NDArray[np.float32]) -> float:
    """Of all candidates not bought, those that are here, each standing for 1 / share of those like it, by weight."""
    others = weight[~bought]
    return float(others.sum() / (others / share[~bought]).sum()) if len(others) else 1.0


def _score(trees: Trees, features: FeatureTable) -> NDArray[np.float32]:
    if trees.tables is None:
        return np.full(len(features), trees.kept, dtype=np.float32)
    return _put_right(trees.tables.probabilities(features), trees.kept).astype(np.float32)


def _put_right(seen: NDArray[np.float64], kept: float) -> NDArray[np.float64]:
    """A probability with its odds put right for the rows that were left out.

    King, Zeng (2001), "Logistic Regression in Rare Events Data", section 4.1.
    """
    return seen * kept / (seen * kept + 1 - seen)
