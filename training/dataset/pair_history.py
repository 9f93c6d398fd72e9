"""The pair history: the days on which each customer bought each product, from which purchase gaps are learned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.dataset.snapshot import Snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class History:
    """Visits, one per customer, product and day, sorted by customer, product, day.

    A pair is one customer with one product; a visit is one pair on one day. An empty past gives empty arrays.

    Attributes:
        customer_index, product_index: (n_pairs,) int64.
        orders: (n_pairs,) int64, distinct orders.
        visits: (n_pairs,) int64, distinct days, at least 1.
        first_visit, last_visit: (n_pairs,) int64, positions among the visits.
        pair: (n_visits,) int64.
        day: (n_visits,) int64, days since 1970-01-01.
        quantity: (n_visits,) float64, all that was bought on the day.
    """

    customer_index: Ints
    product_index: Ints
    orders: Ints
    visits: Ints
    first_visit: Ints
    last_visit: Ints
    pair: Ints
    day: Ints
    quantity: Floats

    def sum_by_pair(self, values: NDArray[np.generic]) -> Floats:
        """(n_pairs,) sums of (n_visits,) values."""
        return sum_by(self.pair, values, len(self.orders))


def sum_by(index: NDArray[np.integer], values: NDArray[np.generic], size: int) -> Floats:
    """(size,) float64: the sum of `values` for each index, 0 where there is none."""
    return np.bincount(index, weights=values, minlength=size).astype(np.float64, copy=False)


def build_history(snapshot: Snapshot) -> History:
    """The pair history of a snapshot's lines."""
    key = snapshot.customer_index.astype(np.int64) * len(snapshot.products) + snapshot.product_index
    order = np.argsort(key, kind="stable")  # the snapshot is sorted by day within a customer, and stays so
    key, day = key[order], snapshot.day[order].astype(np.int64)
    new_pair = _changes(key)
    new_visit = new_pair | _changes(day)
    pair, visit = np.cumsum(new_pair) - 1, np.cumsum(new_visit) - 1
    visits = np.bincount(pair[new_visit])
    return History(
        customer_index=snapshot.customer_index[order][new_pair].astype(np.int64),
        product_index=snapshot.product_index[order][new_pair].astype(np.int64),
        orders=np.bincount(pair),
        visits=visits,
        first_visit=np.cumsum(visits) - visits,
        last_visit=np.cumsum(visits) - 1,
        pair=pair[new_visit],
        day=day[new_visit],
        quantity=sum_by(visit, snapshot.quantity[order], int(np.count_nonzero(new_visit))),
    )


def _changes(values: Ints) -> NDArray[np.bool_]:
    changed = np.ones(len(values), dtype=bool)
    changed[1:] = values[1:] != values[:-1]
    return changed
