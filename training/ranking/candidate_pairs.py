"""Candidate pairs: a few hundred products for each customer, instead of the whole shop, for the ranker."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.dataset.pair_history import Ints
from training.models.affinity import AffinityMeasures
from training.models.neighbours import top_columns

_TOP = {
    "als": 80,
    "neighbours": 80,
    "together_last": 30,
    "together": 30,
    "discovery": 40,
    "peers": 40,
    "titles_last": 20,
}
"""Products never bought before that each measure puts forward."""
_TRENDING = 50
"""Products of the whole shop that are put forward to everybody."""


class Candidates(NamedTuple):
    """Candidates: pairs of a customer and a product, sorted by customer, then product.

    Attributes:
        customer_index, product_index: (n,) int64.
        affinity: measure → (n,) float32, and measure with the ending `_rank` → its rank from 1 among the customer's
            candidates, float32.
    """

    customer_index: Ints
    product_index: Ints
    affinity: dict[str, NDArray[np.float32]]

    def keep(self, chosen: NDArray[np.bool_]) -> "Candidates":
        """Those that are chosen."""
        affinity = {name: values[chosen] for name, values in self.affinity.items()}
        return Candidates(self.customer_index[chosen], self.product_index[chosen], affinity)


def choose_candidates(
    customers: NDArray[np.integer], own: csr_matrix, measures: AffinityMeasures, sales: NDArray[np.float32]
) -> Candidates:
    """The candidates of a batch of customers: all products bought, the nearest by each measure, and the trending ones.

    Args:
        customers: (n,) customer indices of the block, rising.
        own: (n, n_products) with an entry for what was bought before.
        measures: (n, n_products) each, as `training.models.affinity.measure` returns them.
        sales: (n_products,) recent sales, NaN for a product that was never sold: such a one is no candidate.
    """
    bought = np.zeros(own.shape, dtype=bool)
    bought[np.repeat(np.arange(own.shape[0]), np.diff(own.indptr)), own.indices] = True
    chosen = bought.copy()
    for name, k in _TOP.items():
        chosen |= _top_new(measures[name], bought, k)
    chosen[:, np.argsort(-sales, kind="stable")[:_TRENDING]] = True
    chosen[:, np.isnan(sales)] = False
    row, product = np.nonzero(chosen)
    affinity = {}
    for name, scores in measures.items():
        affinity[name] = scores[row, product]
        affinity[f"{name}_rank"] = _rank_within(row, affinity[name])
    return Candidates(customers[row].astype(np.int64), product, affinity)


def _top_new(scores: NDArray[np.float32], bought: NDArray[np.bool_], k: int) -> NDArray[np.bool_]:
    """Where the `k` highest scores above 0 of each row are, what was bought left out."""
    new = np.where(bought, np.float32(0), scores)
    chosen = np.zeros(scores.shape, dtype=bool)
    np.put_along_axis(chosen, top_columns(new, k), values=True, axis=1)
    return chosen & (new > 0)


def _rank_within(row: Ints, score: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rank from 1 of each score within its row, ties in order; `row` rises."""
    order = np.lexsort((-score, row))
    rank = np.empty(len(row), dtype=np.float32)
    rank[order] = np.arange(len(row)) - np.searchsorted(row, row) + 1
    return rank
