"""TIFU-KNN, a published baseline: a customer's own orders, grouped and decayed, and those of the nearest customers.

Source: Hu, He, Gao, Zhang 2020, Modeling Personalized Item Frequency Information for Next-basket Recommendation,
SIGIR.
"""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.dataset.orders import build_orders
from training.dataset.snapshot import Snapshot
from training.evaluation.top_k import Scorer, count_orders


@dataclass(frozen=True)
class Tifu:
    """The method's parameters, with the authors' choice for TaFeng as default.

    Attributes:
        group_size: orders in a group; m in the paper.
        within: what an order counts less than the next one of its group; r_b.
        between: what a group counts less than the next one; r_g.
        neighbours: customers alike; k.
        own: weight of the customer's own orders against those of the neighbours; alpha.
    """

    group_size: int = 7
    within: float = 0.9
    between: float = 0.7
    neighbours: int = 300
    own: float = 0.7

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class TasteVectors:
    """Every customer's orders as one vector, (n_customers, n_products) float32, as `build_vectors` makes them."""

    matrix: csr_matrix

    @cached_property
    def _squares(self) -> NDArray[np.float32]:
        squares: NDArray[np.float32] = np.asarray(self.matrix.multiply(self.matrix).sum(axis=1), np.float32).ravel()
        return squares

    def mean_of_neighbours(self, customers: NDArray[np.int64], k: int) -> NDArray[np.float32]:
        """(n, n_products) mean vector of the `k` nearest other customers by Euclidean distance."""
        rows = np.arange(len(customers))
        distance = self._squares - 2 * (self.matrix[customers] @ self.matrix.T).toarray()
        distance[rows, customers] = np.inf
        k = min(k, distance.shape[1] - 1)
        if k < 1:
            return np.zeros((len(customers), self.matrix.shape[1]), np.float32)
        # all of a tie's customers are as near: whichever of them argpartition takes is right
        nearest = np.sort(np.argpartition(distance, k - 1, axis=1)[:, :k], axis=1)
        share = np.full(nearest.size, 1 / k, np.float32)
        choice = csr_matrix((share, nearest.ravel(), np.arange(len(rows) + 1) * k), shape=distance.shape)
        mean: NDArray[np.float32] = (choice @ self.matrix).toarray()
        return mean


def tifu_knn(snapshot: Snapshot, tifu: Tifu) -> Scorer:
    """The scores of TIFU-KNN: the customer's vector, weighted `own`, plus the neighbours' mean, weighted 1 - own."""
    vectors = build_vectors(snapshot, tifu)

    def score(customers: NDArray[np.int64]) -> NDArray[np.float32]:
        mean = vectors.mean_of_neighbours(customers, tifu.neighbours)
        own: NDArray[np.float32] = vectors.matrix[customers].toarray()
        return np.float32(tifu.own) * own + np.float32(1 - tifu.own) * mean

    return score


def build_vectors(snapshot: Snapshot, tifu: Tifu) -> TasteVectors:
    """The taste vectors: the decayed sum of each customer's orders.

    An order counts within ^ (orders after it in its group) · between ^ (groups after it), divided by the size of its
    group and by the number of groups. Groups are counted from the last order on, so that the oldest may be
    smaller.
    """
    orders = build_orders(snapshot)
    n_orders = np.bincount(orders.customer_index, minlength=len(snapshot.customers))[orders.customer_index]
    n_groups = -(-n_orders // tifu.group_size)
    group, place = orders.later // tifu.group_size, orders.later % tifu.group_size
    size = np.minimum(tifu.group_size, n_orders - group * tifu.group_size)
    weight = tifu.within**place * tifu.between**group / (size * n_groups)
    return TasteVectors(count_orders(snapshot, weight[snapshot.order_index]))
