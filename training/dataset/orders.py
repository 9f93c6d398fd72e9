"""The orders of a snapshot, each once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.dataset.pair_history import Ints
from training.dataset.snapshot import Snapshot


@dataclass(frozen=True)
class Orders:
    """One row per order, by customer, then day. All arrays are (n_orders,) int64; an empty past gives empty ones.

    Attributes:
        customer_index: who ordered.
        day: days since 1970-01-01.
        lines: distinct products in it.
        later: orders that the same customer made after it; 0 for the last.
    """

    customer_index: Ints
    day: Ints
    lines: Ints
    later: Ints


def build_orders(snapshot: Snapshot) -> Orders:
    """The orders of a snapshot's lines, which are sorted by customer, day and order."""
    lines = np.bincount(snapshot.order_index, minlength=snapshot.n_orders)
    first_line = np.cumsum(lines) - lines
    customer: NDArray[np.int64] = snapshot.customer_index[first_line].astype(np.int64)
    end = np.cumsum(np.bincount(customer, minlength=len(snapshot.customers)))
    later = end[customer] - 1 - np.arange(len(customer))
    return Orders(customer, snapshot.day[first_line].astype(np.int64), lines.astype(np.int64), later)
