"""Tree tables: gradient-boosted trees, evaluated for many rows without walking down from node to node.

The leaves of a tree are the bits of a number. For each feature a table tells, by the interval between two thresholds
that a value lies in, which leaves of each tree are still in reach; what is in reach of all features is the leaf. The
idea is that of QuickScorer (Lucchese et al. 2015, SIGIR), with tables in place of comparisons. Features that many rows
share, such as those of a product, are looked up once for all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier

from training.dataset.pair_history import Floats
from training.ranking.binning import Bins
from training.ranking.feature_table import FeatureTable

MOST_LEAVES = 16
"""Leaves of a tree: a bit of a uint16 for each."""
_BLOCK_ROWS = 1_000
"""Rows evaluated at once: they stay near the processor while feature after feature reads them."""
_LEAF_OF_BIT = np.zeros(2**MOST_LEAVES, np.uint8)
_LEAF_OF_BIT[1 << np.arange(MOST_LEAVES)] = np.arange(MOST_LEAVES)

Reach = NDArray[np.uint16]
"""(n, n_trees) bits of the leaves in reach."""


class _Table(NamedTuple):
    """The leaves in reach by one feature.

    Attributes:
        thresholds: (t + 1,) float32, rising, the last one infinite. NaN is sorted behind it.
        reach: (t + 2, n_trees): of values up to each threshold, and of a missing value.
    """

    thresholds: NDArray[np.float32]
    reach: Reach

    def narrow(self, reach: Reach, values: NDArray[np.float32]) -> None:
        """Take from `reach` (n, n_trees) what is out of reach of the values (n,)."""
        reach &= self.reach.take(np.searchsorted(self.thresholds, values), axis=0)


class TreeTables:
    """The tables of a fitted binary classifier of binned features and at most 16 leaves a tree."""

    def __init__(self, classifier: HistGradientBoostingClassifier, bins: Bins) -> None:
        """Compile `classifier`, which was fitted on numbers of these bins; the tables read values.

        scikit-learn keeps its trees in private attributes; that they mean what is read here, the tests tell.
        """
        trees = [predictor.nodes for (predictor,) in classifier._predictors]
        self._base = float(classifier._baseline_prediction.item())
        self._values = np.zeros((len(trees), MOST_LEAVES))
        for values, nodes in zip(self._values, trees, strict=True):
            leaves = nodes["value"][nodes["is_leaf"] == 1]
            values[: len(leaves)] = leaves
        self._leaves = np.array([_leaves_below(nodes)[0] for nodes in trees], np.uint16)
        self._tables = dict(_tabulate(trees, bins))

    def probabilities(self, features: FeatureTable) -> Floats:
        """(n,) float64 probabilities of the positive class, as `predict_proba` gives them."""
        raw = np.full(len(features), self._base)
        groups = [each for each in features.groups if not self._tables.keys().isdisjoint(each.columns)]
        shared = [self._reach_of_rows(columns, rows) for columns, rows in groups if rows is not None]
        own = [each.columns for each in groups if each.rows is None]
        for first in range(0, len(raw), _BLOCK_ROWS):
            block = slice(first, first + _BLOCK_ROWS)
            reach = self._all_leaves(len(raw[block]))
            for columns in own:
                self._narrow(reach, columns, block)
            for of_rows, rows in shared:
                reach &= of_rows.take(rows[block], axis=0)
            leaf = _LEAF_OF_BIT.take(reach) + MOST_LEAVES * np.arange(len(self._values))
            raw[block] += self._values.take(leaf).sum(axis=1)
        return expit(raw)

    def _reach_of_rows(
        self, columns: Mapping[str, NDArray[np.float32]], rows: NDArray[np.int64]
    ) -> tuple[Reach, NDArray[np.intp]]:
        """The reach by each row of a group that a candidate has, and which of them each candidate has."""
        used, row = np.unique(rows, return_inverse=True)
        reach = self._all_leaves(len(used))
        self._narrow(reach, columns, used)
        return reach, row

    def _narrow(
        self, reach: Reach, columns: Mapping[str, NDArray[np.float32]], rows: slice | NDArray[np.int64]
    ) -> None:
        for name in self._tables.keys() & columns.keys():
            self._tables[name].narrow(reach, columns[name][rows])

    def _all_leaves(self, n: int) -> Reach:
        return np.tile(self._leaves, (n, 1))


def _tabulate(trees: Sequence[NDArray[np.void]], bins: Bins) -> Iterator[tuple[str, _Table]]:
    """The table of each feature that any of the trees reads."""
    nodes, below = np.concatenate(trees), np.concatenate([_leaves_below(each) for each in trees])
    sizes = [len(each) for each in trees]
    tree, first = np.repeat(np.arange(len(trees)), sizes), np.repeat(np.cumsum(sizes) - sizes, sizes)
    left, right = below[first + nodes["left"]], below[first + nodes["right"]]
    features = list(bins.edges.items())
    for feature in np.unique(nodes["feature_idx"][nodes["is_leaf"] == 0]):
        splits = np.flatnonzero((nodes["feature_idx"] == feature) & (nodes["is_leaf"] == 0))
        thresholds, place = np.unique(nodes["num_threshold"][splits], return_inverse=True)
        reach = np.full((len(thresholds) + 2, len(trees)), 2**MOST_LEAVES - 1, np.uint16)
        for split, at in zip(splits, place, strict=True):
            column = reach[:, tree[split]]
            column[: at + 1] &= ~right[split]
            column[at + 1 : -1] &= ~left[split]
            column[-1] &= ~(right if nodes["missing_go_to_left"][split] else left)[split]
        name, edges = features[feature]
        # a threshold lies between two numbers of bins, or above all of them where only missing values go right
        upper = np.append(edges, np.inf)[np.minimum(thresholds, len(edges)).astype(np.int64)]
        yield name, _Table(np.append(_round_down(upper), np.float32(np.inf)), reach)


def _round_down(thresholds: Floats) -> NDArray[np.float32]:
    """The largest float32 up to each: the same float32 values are up to it."""
    nearest = thresholds.astype(np.float32)
    return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _leaves_below(nodes: NDArray[np.void]) -> NDArray[np.uint16]:
    """(n_nodes,) bits of the leaves below each node of a tree, its own for a leaf; children stand after parents."""
    below = np.zeros(len(nodes), np.uint16)
    leaves = np.flatnonzero(nodes["is_leaf"])
    below[leaves] = 1 << np.arange(len(leaves))
    for node in np.flatnonzero(nodes["is_leaf"] == 0)[::-1]:
        below[node] = below[nodes["left"][node]] | below[nodes["right"][node]]
    return below
