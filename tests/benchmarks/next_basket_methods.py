"""Published simple methods for the next basket, each a score for every customer and product.

A method takes all that is known and the rows to score and returns (n_rows, n_products) float32; a list is the highest
scores first, ties by product number, -inf left out. Ages count baskets, not days: 0 is a customer's latest known one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from next_basket_data import KS, Lists, Problem
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Scores = NDArray[np.float32]
Rows = NDArray[np.int64]
_BLOCK = 512
"""Customers scored at a time."""


@dataclass(frozen=True)
class Known:
    """Baskets that may be learned from, one line per basket and product.

    Attributes:
        customer, product, age: (n_lines,) int64.
        n_baskets: (n_customers,) int64, each at least 1.
        n_products: products are 0 to n_products - 1.
    """

    customer: NDArray[np.int64]
    product: NDArray[np.int64]
    age: NDArray[np.int64]
    n_baskets: NDArray[np.int64]
    n_products: int

    def sum(self, weight: NDArray[np.number]) -> csr_matrix:
        """(n_customers, n_products) csr_matrix of float32: the (n_lines,) weights added up."""
        shape = (len(self.n_baskets), self.n_products)
        return csr_matrix((weight.astype(np.float32), (self.customer, self.product)), shape=shape)

    @cached_property
    def counts(self) -> csr_matrix:
        """(n_customers, n_products): baskets of the customer that hold the product."""
        return self.sum(np.ones(len(self.product)))

    @cached_property
    def popularity(self) -> Scores:
        """(n_products,) baskets that hold the product, the largest scaled to 1."""
        baskets = np.bincount(self.product, minlength=self.n_products)
        return (baskets / max(baskets.max(initial=0), 1)).astype(np.float32)


Method = Callable[[Known, Rows], Scores]


def read_known(problem: Problem) -> Known:
    """The known baskets as lines; a row is a customer's place in `problem.known`."""
    lines = [
        (row, item, age)
        for row, baskets in enumerate(problem.known.values())
        for age, basket in enumerate(reversed(baskets))
        for item in basket
    ]
    customer, item, age = np.array(lines, dtype=np.int64).T
    n_baskets = np.array([len(each) for each in problem.known.values()])
    return Known(customer, item, age, n_baskets, problem.n_products)


def rank_by(method: Method, problem: Problem, known: Known) -> Lists:
    """The lists of those who are asked; `known` is `read_known(problem)`."""
    row_of = {customer_id: row for row, customer_id in enumerate(problem.known)}
    rows = np.array([row_of[each] for each in problem.asked], dtype=np.int64)
    blocks = (rows[first : first + _BLOCK] for first in range(0, len(rows), _BLOCK))
    return [_best(scores, max(KS)) for block in blocks for scores in method(known, block)]


def _best(scores: Scores, k: int) -> list[int]:
    lowest = np.partition(scores, -k)[-k] if len(scores) > k else -np.inf
    columns = np.flatnonzero((scores >= lowest) & (scores > -np.inf))
    return columns[np.argsort(-scores[columns], kind="stable")][:k].tolist()


def score_general(known: Known, rows: Rows) -> Scores:
    """G-TopFreq: what most baskets hold, the same for everybody."""
    return np.tile(known.popularity, (len(rows), 1))


def score_personal(known: Known, rows: Rows) -> Scores:
    """P-TopFreq: the customer's own baskets counted; what the customer never bought is not ranked."""
    counts: Scores = known.counts[rows].toarray()
    counts[counts == 0] = -np.inf
    return counts


def score_personal_then_general(known: Known, rows: Rows) -> Scores:
    """GP-TopFreq: P-TopFreq filled up with G-TopFreq (Li et al. 2023, A Next Basket Recommendation Reality Check)."""
    counts = known.counts[rows].toarray()
    return np.where(counts > 0, 1 + counts, known.popularity)


def decayed_and_popular(decay: float, popular: float) -> Method:
    """Own baskets counted decay ^ age, plus `popular` times how common the product is in everybody's latest baskets."""

    def score(known: Known, rows: Rows) -> Scores:
        latest = np.bincount(known.product[known.age == 0], minlength=known.n_products)
        share = (latest / max(latest.max(initial=0), 1)).astype(np.float32)
        return known.sum(decay**known.age)[rows].toarray() + np.float32(popular) * share

    return score


def tifu_knn(group: int, within: float, between: float, own: float, neighbours: int = 300) -> Method:
    """TIFU-KNN: a time-decayed vector for each customer, mixed with the mean of the nearest customers' vectors.

    Baskets are put in groups of `group`, the latest first. A basket weighs within ^ (age in its group), a group
    between ^ (age of the group), each mean over the group and over the groups. The prediction is
    own · vector + (1 - own) · mean of the `neighbours` nearest by Euclidean distance.
    Source: Hu, He, Gao, Zhang, Modeling Personalized Item Frequency Information for Next-basket Recommendation,
    SIGIR 2020, equations 1 to 4; they use group 7, .9, .7, own .7 and 300 neighbours on TaFeng.
    """

    def score(known: Known, rows: Rows) -> Scores:
        vectors = _tifu_vectors(known, group, within, between)
        squares = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
        distance = squares - 2 * (vectors[rows] @ vectors.T).toarray()
        distance[np.arange(len(rows)), rows] = np.inf
        mean = _pick_nearest(distance, neighbours) @ vectors
        return np.asarray((own * vectors[rows] + (1 - own) * mean).toarray(), dtype=np.float32)

    return score


def _tifu_vectors(known: Known, group: int, within: float, between: float) -> csr_matrix:
    group_age, age_in_group = np.divmod(known.age, group)
    n_baskets = known.n_baskets[known.customer]
    group_size = np.minimum(group, n_baskets - group_age * group)
    n_groups = -(-n_baskets // group)
    return known.sum(within**age_in_group * between**group_age / (group_size * n_groups))


def _pick_nearest(distance: NDArray[np.floating], k: int) -> csr_matrix:
    """(n_rows, n_customers): 1 / k for the k smallest of each row."""
    k = min(k, distance.shape[1] - 1)
    nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
    starts = np.arange(0, nearest.size + 1, k)
    return csr_matrix((np.full(nearest.size, 1 / k, np.float32), nearest.ravel(), starts), shape=distance.shape)


def up_cf(recency: int, locality: float, asymmetry: float) -> Method:
    """UP-CF@r: everybody's share of the last `recency` baskets, weighed by likeness to the customer.

        score = Σ_v likeness(u, v) ^ locality · share_v
        likeness = |u ∩ v| / (|u| ^ asymmetry · |v| ^ (1 - asymmetry))

    over the products that each ever bought; v runs over all customers, the customer too (likeness 1).
    `recency` 1 counts everybody's latest basket alone.
    Source: Faggioli, Polato, Aiolli, Recency Aware Collaborative Filtering for Next Basket Recommendation, UMAP 2020.
    """

    def score(known: Known, rows: Rows) -> Scores:
        shares = known.sum((known.age < recency) / np.minimum(recency, known.n_baskets)[known.customer])
        bought = known.counts.sign()
        sizes = np.asarray(bought.sum(axis=1)).ravel()
        both = (bought[rows] @ bought.T).tocoo()
        likeness = both.data / (sizes[rows][both.row] ** asymmetry * sizes[both.col] ** (1 - asymmetry))
        weights = csr_matrix((likeness**locality, (both.row, both.col)), shape=both.shape)
        return np.asarray((weights @ shares).toarray(), dtype=np.float32)

    return score
