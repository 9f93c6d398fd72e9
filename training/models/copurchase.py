"""Products bought together: pairs that share more orders than chance would put them in."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.publication.lists import ListTable
from training.dataset.ranked_lists import RankedLists, build_table, concatenate_lists, starts_of
from training.dataset.snapshot import Snapshot
from training.models.shared_orders import build_baskets

_PRIOR_ORDERS = 10.0
"""Orders that a pair must outweigh before its lift is believed."""
_FEWEST_ORDERS = 3
"""Two products that met once or twice met by accident."""
_BLOCK = 512
"""Products counted at a time: at most 512 times n_products counts in memory."""


def build_together(snapshot: Snapshot, k: int) -> ListTable:
    """The `k` products that go best with each product.

        score = ln((observed + 10) / (expected + 10)),   expected = orders of a * orders of b / all orders

    `observed` is the number of orders that hold both, from the sparse product of the order by product matrix with
    itself. The ratio is the posterior mean of the lift under a Gamma(10, 10) prior around 1 (DuMouchel 1999, The
    American Statistician 53, with one Gamma): a coincidence of rare products stays near 1, a best seller is expected
    everywhere. Pairs in fewer than 3 orders or in fewer than chance explains are left out, and so are orders of more
    than 200 lines.

    Args:
        snapshot: what is known.
        k: longest list, at least 1.

    Returns:
        An owner for every product in the order of `snapshot.products`; an empty list where nothing is known. Dtype
        RANKED, ties by product_index.
    """
    baskets = build_baskets(snapshot)
    orders = np.asarray(baskets.sum(axis=0), dtype=np.float64).ravel()
    n_orders = int(np.count_nonzero(np.diff(baskets.indptr)))
    holders = baskets.T.tocsr()
    blocks = []
    for first in range(0, len(orders), _BLOCK):
        together = (holders[first : first + _BLOCK] @ baskets).tocoo()
        product, other, score = _lift(together, first, orders, n_orders)
        blocks.append(_rank(product, other, score, together.shape[0], k))
    return build_table(snapshot.products.ids, concatenate_lists(blocks))


def _lift(
    together: sparse.coo_matrix, first: int, orders: NDArray[np.float64], n_orders: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Row of the block, other product and score of the pairs worth showing."""
    kept = (together.data >= _FEWEST_ORDERS) & (together.row + first != together.col)
    product, other = together.row[kept], together.col[kept]
    observed, expected = together.data[kept], orders[product + first] * orders[other] / n_orders
    likely = observed >= expected
    score = np.log((observed + _PRIOR_ORDERS) / (expected + _PRIOR_ORDERS))
    return product[likely], other[likely], score[likely]


def _rank(
    product: NDArray[np.int32], other: NDArray[np.int32], score: NDArray[np.float64], n_products: int, k: int
) -> RankedLists:
    """The lists of a block, best first."""
    best = np.lexsort((other, -score, product))
    counts = np.bincount(product, minlength=n_products)
    rank = np.arange(len(best)) - np.repeat(np.cumsum(counts) - counts, counts)
    best = best[rank < k]
    return RankedLists(starts_of(np.minimum(counts, k)), other[best], score[best].astype(np.float32))
