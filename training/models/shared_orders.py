"""Shared orders: in how many orders two products meet, and in how many they would by chance."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from training.dataset.orders import build_orders
from training.dataset.snapshot import Snapshot

_MOST_LINES = 200
"""An order with more lines is a stock-up, not a choice: it says little and costs the square of its length."""
_PERIOD_DAYS = 91
"""Purchases further apart say nothing of each other: one product may have been gone before the other came."""


@dataclass(frozen=True)
class SharedOrders:
    """The orders of a shop, counted for pairs of products.

    Attributes:
        baskets: (n_orders, n_products) csr_matrix of float32, as `build_baskets` returns them.
        periods: (n_periods, n_products) csr_matrix of float32: in how many orders of a customer's quarter a product is.
        holders: (n_products, n_orders) csr_matrix: `baskets` by product.
        shares: (n_products, n_periods) csr_matrix: `periods` by product, as shares of a quarter's orders.
    """

    baskets: csr_matrix
    periods: csr_matrix
    holders: csr_matrix
    shares: csr_matrix

    def among(self, products: NDArray[np.integer]) -> Self:
        """The shared orders of some of the products (n,), by place among them."""
        return replace(
            self,
            baskets=self.baskets[:, products],
            periods=self.periods[:, products],
            holders=self.holders[products],
            shares=self.shares[products],
        )

    def observed(self, products: NDArray[np.integer]) -> csr_matrix:
        """(n, n_products) csr_matrix: orders that hold both."""
        return csr_matrix(self.holders[products] @ self.baskets)

    def expected(self, products: NDArray[np.integer]) -> csr_matrix:
        """(n, n_products) csr_matrix: orders that would hold both, if each buyer's quarter were dealt out by lot.

        Of n orders in a quarter, a in i and b in j, a · b / n hold both; the sum over the quarters of all customers.
        """
        return csr_matrix(self.shares[products] @ self.periods)


def count_shared_orders(snapshot: Snapshot) -> SharedOrders:
    """The shared orders of a snapshot; all are empty where there is none."""
    baskets, orders = build_baskets(snapshot), build_orders(snapshot)
    quarter = ((snapshot.as_of_day - orders.day) // _PERIOD_DAYS).astype(np.int64)
    period = orders.customer_index * (quarter.max(initial=0) + 1) + quarter
    kept = np.flatnonzero(np.diff(baskets.indptr))
    names, row = np.unique(period[kept], return_inverse=True)
    of_period = csr_matrix((np.ones(len(kept), np.float32), (row, kept)), shape=(len(names), baskets.shape[0]))
    periods, sizes = of_period @ baskets, np.bincount(row, minlength=len(names)).astype(np.float32)
    return SharedOrders(baskets, periods, baskets.T.tocsr(), (periods.T @ diags(1 / sizes)).tocsr())


def build_baskets(snapshot: Snapshot) -> csr_matrix:
    """1 where an order holds a product; float32 (n_orders, n_products), rows of orders of more than 200 lines empty."""
    lines = np.bincount(snapshot.order_index, minlength=snapshot.n_orders)
    kept = lines[snapshot.order_index] <= _MOST_LINES
    order, product = snapshot.order_index[kept], snapshot.product_index[kept]
    ones = np.ones(len(order), dtype=np.float32)
    return csr_matrix((ones, (order, product)), shape=(snapshot.n_orders, len(snapshot.products)))
