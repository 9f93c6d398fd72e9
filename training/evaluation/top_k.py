"""From a score for every customer and product to ranked lists, and the counts that simple scores are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.dataset.pair_history import sum_by
from training.dataset.pair_keys import unique_keys
from training.dataset.snapshot import Snapshot
from training.models.neighbours import are_highest, rows_of

Scorer = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Customer indices (n,) → scores (n, n_products), higher is better, 0 or less: nothing speaks for the product."""

POPULAR_DAYS = 30
_BLOCK_CELLS = 2_000_000
"""Scores held at once: 8 MB of float32, and some arrays of the same shape."""
_NOT_SHOWN = -1.0
"""Score of what nothing speaks for and nobody buys."""
_NO_LIST = (np.zeros(0, np.int64), np.zeros(0, np.bool_))


@dataclass(frozen=True)
class OwnAndShared:
    """A scorer by what the customer bought and what is the same for all, of which lists are made without dense scores.

    Attributes:
        own: (n_customers, n_products) csr_matrix of float32 with an entry for exactly what was bought.
        shared: (n_products,) float32, added to every customer's.
    """

    own: csr_matrix
    shared: NDArray[np.float32]

    def __call__(self, customers: NDArray[np.int64]) -> NDArray[np.float32]:
        """The dense scores of a `Scorer`."""
        scores: NDArray[np.float32] = self.own[customers].toarray() + self.shared
        return scores


class _Places(NamedTuple):
    """Places of lists, (n,) each: position of the customer, product_index, score, own or not."""

    customer: NDArray[np.int64]
    product: NDArray[np.int64]
    score: NDArray[np.float32]
    own: NDArray[np.bool_]


def rank_by(scorer: Scorer, snapshot: Snapshot, customers: pl.Series, k: int) -> pl.DataFrame:
    """The `k` best products that each customer bought before and the `k` best others, in one order by score.

    Products that nothing speaks for are ordered by their buyers in the last 30 days and stand below all others, with
    a score below 0, so that no list ends early; those without a buyer then are not shown.

    Args:
        scorer: learned from `snapshot`.
        snapshot: what is known.
        customers: ids of those who get a list, unique. Those without a past get best sellers.
        k: longest list of each kind.

    Returns:
        [customer_id String, product_id String, rank Int32 from 1, score Float32, kind String: `buy_again` or
        `discover`], sorted by customer_id and rank. Ties go to the smaller product_id.
    """
    customers = customers.sort()
    index = snapshot.customers.indices(customers.to_list(), unknown="mark").astype(np.int64)
    fill = (-1 / (1 + recent_buyers(snapshot))).astype(np.float32)
    if isinstance(scorer, OwnAndShared):
        kinds = _rank_own_and_shared(scorer, index, fill, k)
        return _frame(kinds, customers, pl.Series(snapshot.products.ids, dtype=pl.String))
    own = count_orders(snapshot)
    size = max(1, _BLOCK_CELLS // max(1, len(snapshot.products)))
    batches = []
    for first in range(0, len(index), size):
        places = _rank_batch(scorer, index[first : first + size], own, fill, k)
        batches.append(places._replace(customer=places.customer + first))
    return _frame(batches, customers, pl.Series(snapshot.products.ids, dtype=pl.String))


def count_orders(snapshot: Snapshot, weight: NDArray[np.floating] | None = None) -> csr_matrix:
    """(n_customers, n_products) float32: orders of each customer that held the product, each counted `weight`.

    `weight` is (n_lines,); None: 1. Without purchases the matrix has no entries.
    """
    weight = np.ones(len(snapshot.day)) if weight is None else weight
    shape = (len(snapshot.customers), len(snapshot.products))
    return csr_matrix((weight, (snapshot.customer_index, snapshot.product_index)), shape=shape).astype(np.float32)


def recent_buyers(snapshot: Snapshot) -> NDArray[np.float32]:
    """(n_products,) distinct buyers in the 30 days up to the shop's last purchase."""
    recent = snapshot.day > snapshot.day.max(initial=0) - POPULAR_DAYS
    n_products = max(1, len(snapshot.products))
    pairs = unique_keys(snapshot.customer_index[recent].astype(np.int64) * n_products + snapshot.product_index[recent])
    return sum_by(pairs % n_products, np.ones(len(pairs)), len(snapshot.products)).astype(np.float32)


def _rank_batch(
    scorer: Scorer, index: NDArray[np.int64], own: csr_matrix, fill: NDArray[np.float32], k: int
) -> _Places:
    """The lists of a batch of customers, by row; an index of -1 is a customer without a past."""
    scores = np.tile(fill, (len(index), 1))
    known = np.flatnonzero(index >= 0)
    if len(known):
        learned = scorer(index[known])
        scores[known] = np.where(learned > 0, learned, fill)
    bought = [own.indices[slice(*own.indptr[i : i + 2])] if i >= 0 else own.indices[:0] for i in index.tolist()]
    lists = [_best(of_customer, products, k) for of_customer, products in zip(scores, bought, strict=True)]
    row = np.repeat(np.arange(len(index)), [len(product) for product, _ in lists])
    product, is_own = (np.concatenate(part) for part in zip(_NO_LIST, *lists, strict=True))
    return _Places(row, product, scores[row, product], is_own)


def _rank_own_and_shared(
    scorer: OwnAndShared, index: NDArray[np.int64], fill: NDArray[np.float32], k: int
) -> list[_Places]:
    """The lists of customers, in no order; an index of -1 is a customer without a past, who gets best sellers."""
    known, unknown = np.flatnonzero(index >= 0), np.flatnonzero(index < 0)
    base = np.where(scorer.shared > 0, scorer.shared, fill)
    own = scorer.own[index[known]]
    learned = own.data + scorer.shared[own.indices]
    own.data = np.where(learned > 0, learned, fill[own.indices])
    nothing = csr_matrix(
        (own.data[:0], own.indices[:0], np.zeros(len(unknown) + 1, np.int32)), shape=(len(unknown), len(fill))
    )
    return [_of_each_kind(known, own, base, k), _of_each_kind(unknown, nothing, fill, k)]


def _of_each_kind(customer: NDArray[np.int64], own: csr_matrix, others: NDArray[np.float32], k: int) -> _Places:
    """The `k` best of each row's own products and of the others, in no order; `others` scores them, alike for all."""
    row, shown = rows_of(own), own.data > _NOT_SHOWN
    by_row = np.lexsort((own.indices, -own.data, row))
    place = np.empty(len(row), np.int64)
    place[by_row] = np.arange(len(row)) - own.indptr[row[by_row]]
    kept = np.flatnonzero(shown & (place < k))
    new_row, new = _first_others(own, others, k)
    return _Places(
        customer=customer[np.concatenate([row[kept], new_row])],
        product=np.concatenate([own.indices[kept].astype(np.int64), new]),
        score=np.concatenate([own.data[kept], others[new]]),
        own=np.arange(len(kept) + len(new)) < len(kept),
    )


def _first_others(own: csr_matrix, scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and products of the `k` products with the highest of `scores` that each row of `own` does not have."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > _NOT_SHOWN][: k + int(np.diff(own.indptr).max(initial=0))]
    place = np.full(len(scores), -1)
    place[order] = np.arange(len(order))
    rows, products = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    size = max(1, _BLOCK_CELLS // max(1, len(order)))
    for first in range(0, own.shape[0], size):
        block = own[first : first + size]
        free = np.ones((block.shape[0], len(order) + 1), bool)
        free[rows_of(block), place[block.indices]] = False  # -1, not among the first, is the last column
        free[:, -1] = False
        row, at = np.nonzero(free & (np.cumsum(free, axis=1) <= k))
        rows.append(first + row)
        products.append(order[at])
    return np.concatenate(rows), np.concatenate(products)


def _best(
    scores: NDArray[np.float32], bought: NDArray[np.int32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The products of one customer's list, and which of them are own ones."""
    own = np.zeros(len(scores), dtype=bool)
    own[bought] = True
    product = np.concatenate([_highest(scores, np.flatnonzero(kind), k) for kind in (own, ~own)])
    product = product[scores[product] > _NOT_SHOWN]
    product = product[np.lexsort((product, -scores[product]))]
    return product, own[product]


def _highest(scores: NDArray[np.float32], products: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The `k` of some products with the highest scores, rising; of equals the first."""
    return products if len(products) <= k else products[are_highest(scores[products], k)]


def _frame(batches: list[_Places], customers: pl.Series, products: pl.Series) -> pl.DataFrame:
    empty = _Places(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.bool_))
    places = _Places(*(np.concatenate(part) for part in zip(empty, *batches, strict=True)))
    order = np.lexsort((places.product, -places.score, places.customer))
    places = _Places(places.customer[order], places.product[order], places.score[order], places.own[order])
    rank = np.arange(len(places.customer)) - np.searchsorted(places.customer, places.customer) + 1
    return pl.DataFrame(
        {
            "customer_id": customers.gather(places.customer).rename("customer_id"),
            "product_id": products.gather(places.product),
            "rank": rank.astype(np.int32),
            "score": places.score,
            "kind": np.where(places.own, "buy_again", "discover"),
        },
        schema_overrides={"kind": pl.String},
    )
