"""Candidate pairs: a few hundred products for each customer, instead of the whole shop, for the ranker."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, starmap
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.dataset.batches import batch_size
from training.dataset.pair_history import Ints
from training.dataset.ranked_lists import owners_of, split_lists, starts_of
from training.models.affinity import AffinityMeasures
from training.models.als import nearest_others
from training.models.neighbours import highest_of_rows, rows_of

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
_RANKED = ("als", "als_timeless", "discovery", "peers")
"""Measures whose rank among the customer's candidates is a feature, too; of the others it says nothing more."""
_TRENDING = 50
"""Products of the whole shop that are put forward to everybody."""


class Candidates(NamedTuple):
    """Candidates: pairs of a customer and a product, sorted by customer, then product.

    Attributes:
        customer_index, product_index: (n,) int64.
        affinity: measure → (n,) float32, and some measures with the ending `_rank` → the rank from 1 among the
            customer's candidates, float32.
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
        measures: of these customers.
        sales: (n_products,) recent sales, NaN for a product that was never sold: such a one is no candidate.
    """
    row, product = np.nonzero(_are_chosen(own, measures, sales))
    chosen = split_lists(product, starts_of(np.bincount(row, minlength=len(customers))))
    affinity = {name: _inner(*factors, chosen) for name, factors in measures.factors.items()}
    affinity |= {name: _look_up(matrix, chosen) for name, matrix in measures.sparse.items()}
    return Candidates(
        customers[row].astype(np.int64), product, affinity | _ranks({name: affinity[name] for name in _RANKED}, chosen)
    )


def _are_chosen(own: csr_matrix, measures: AffinityMeasures, sales: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n, n_products) whether each product is a candidate of each customer."""
    bought = np.zeros(own.shape, dtype=bool)
    bought[rows_of(own), own.indices] = True
    chosen = bought.copy()
    for name, k in _TOP.items():
        if name in measures.factors:
            nearest = nearest_others(*measures.factors[name], own, k, batch_size(own.shape[1]))
            chosen[owners_of(nearest.starts), nearest.product_index] = True
        else:
            highest = highest_of_rows(_without(bought, measures.sparse[name]), k)
            chosen[rows_of(highest), highest.indices] = True
    chosen[:, np.argsort(-sales, kind="stable")[:_TRENDING]] = True
    chosen[:, np.isnan(sales)] = False
    return chosen


def _without(bought: NDArray[np.bool_], matrix: csr_matrix) -> csr_matrix:
    """The same entries, 0 for what was bought."""
    values = np.where(bought[rows_of(matrix), matrix.indices], np.float32(0), matrix.data)
    return csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def _inner(
    customers: NDArray[np.float32], products: NDArray[np.float32], chosen: Sequence[Ints]
) -> NDArray[np.float32]:
    """The inner products of each customer's factors with those of its products, one customer after the other."""
    pairs = zip(customers, chosen, strict=True)
    return np.concatenate([np.zeros(0, np.float32), *(products[columns] @ customer for customer, columns in pairs)])


def _look_up(matrix: csr_matrix, chosen: Sequence[Ints]) -> NDArray[np.float32]:
    """The values of each row's chosen columns, one row after the other."""
    values, scratch = [np.zeros(0, np.float32)], np.zeros(matrix.shape[1], dtype=np.float32)
    for entries, columns in zip(starmap(slice, pairwise(matrix.indptr.tolist())), chosen, strict=True):
        there = matrix.indices[entries]
        scratch[there] = matrix.data[entries]
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
