"""Candidate pairs: a few hundred products for each customer, instead of the whole shop, for the ranker."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, starmap
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.dataset.pair_history import Ints
from training.dataset.ranked_lists import split_lists
from training.models.affinity import AffinityMeasures
from training.models.als import nearest_others
from training.models.neighbours import are_highest

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

    What it costs grows with what the customers bought, not with the shop.

    Args:
        customers: (n,) customer indices of the block, rising.
        own: (n, n_products) with an entry for what was bought before.
        measures: of these customers.
        sales: (n_products,) recent sales, NaN for a product that was never sold: such a one is no candidate.
    """
    chosen = _Chooser(own, measures, sales).choose()
    row = np.repeat(np.arange(len(chosen)), [len(each) for each in chosen])
    product = np.concatenate([np.zeros(0, np.int64), *chosen])
    affinity = {name: _inner(*pair, row, product) for name, pair in measures.factors.items()}
    affinity |= {name: _look_up(matrix, chosen) for name, matrix in measures.sparse.items()}
    return Candidates(customers[row].astype(np.int64), product, affinity | _ranks(affinity, chosen))


class _Chooser:
    """Which products are chosen for each customer of a batch; `measures` and `sales` as in `choose_candidates`."""

    def __init__(self, own: csr_matrix, measures: AffinityMeasures, sales: NDArray[np.float32]) -> None:
        factors, sparse = measures
        self._own, self._sparse = own, [(sparse[name], k) for name, k in _TOP.items() if name in sparse]
        tops = [nearest_others(*factors[name], own, k) for name, k in _TOP.items() if name in factors]
        self._tops = [split_lists(top.product_index, top.starts) for top in tops]
        self._sold, self._trending = ~np.isnan(sales), np.argsort(-sales, kind="stable")[:_TRENDING]
        self._is_new = np.ones(len(sales), dtype=bool)

    def choose(self) -> list[Ints]:
        """The products of each customer, rising."""
        return [self._choose(row) for row in range(self._own.shape[0])]

    def _choose(self, row: int) -> Ints:
        own = _row(self._own, row)[0]
        self._is_new[own] = False
        found: list[NDArray[np.integer]] = [own, self._trending, *(top[row] for top in self._tops)]
        found += [_top_new(*_row(matrix, row), self._is_new, k) for matrix, k in self._sparse]
        self._is_new[own] = True
        chosen = np.unique(np.concatenate(found)).astype(np.int64)
        return chosen[self._sold[chosen]]


def _row(matrix: csr_matrix, row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Columns and values of the entries of a row."""
    entries = slice(matrix.indptr[row], matrix.indptr[row + 1])
    return matrix.indices[entries], matrix.data[entries]


def _top_new(
    products: NDArray[np.int32], scores: NDArray[np.float32], is_new: NDArray[np.bool_], k: int
) -> NDArray[np.int32]:
    """The products with the `k` highest scores above 0, of those that are new; in any order."""
    wanted = is_new[products] & (scores > 0)
    products, scores = products[wanted], scores[wanted]
    return products if len(products) <= k else products[are_highest(scores, k)]


def _inner(
    customers: NDArray[np.float32], products: NDArray[np.float32], row: Ints, product: Ints
) -> NDArray[np.float32]:
    """The inner products of the factors of chosen pairs."""
    values: NDArray[np.float32] = np.einsum("ij,ij->i", customers[row], products[product])
    return values


def _look_up(matrix: csr_matrix, chosen: Sequence[Ints]) -> NDArray[np.float32]:
    """The values of each row's chosen columns, one row after the other."""
    values, scratch = [np.zeros(0, np.float32)], np.zeros(matrix.shape[1], dtype=np.float32)
    for row, columns in enumerate(chosen):
        there, data = _row(matrix, row)
        scratch[there] = data
        values.append(scratch[columns])
        scratch[there] = 0
    return np.concatenate(values)


def _ranks(affinity: Mapping[str, NDArray[np.float32]], chosen: Sequence[Ints]) -> dict[str, NDArray[np.float32]]:
    """Rank from 1 of each value among its row's, ties in order, by the measure's name with the ending `_rank`."""
    values = np.stack([-each for each in affinity.values()])
    ranks = np.empty(values.shape, dtype=np.float32)
    for columns in _slices(chosen):
        places = np.argsort(values[:, columns], axis=1, kind="stable")
        np.put_along_axis(ranks[:, columns], places, np.arange(1, places.shape[1] + 1, dtype=np.float32)[None], axis=1)
    return {f"{name}_rank": rank for name, rank in zip(affinity, ranks, strict=True)}


def _slices(chosen: Sequence[Ints]) -> Iterator[slice]:
    """Where the pairs of each row are."""
    ends = np.cumsum([len(each) for each in chosen]).tolist()
    return starmap(slice, pairwise([0, *ends]))
