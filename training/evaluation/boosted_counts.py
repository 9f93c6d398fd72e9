"""Boosted counts, a baseline: what a data scientist has after a day, gradient-boosted trees on a dozen counts.

Candidates are what a customer bought and the shop's best sellers; the trees learn from one earlier window which of them
are bought within the horizon.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.ensemble import HistGradientBoostingClassifier

from training.dataset.batches import customer_batches
from training.dataset.orders import build_orders
from training.dataset.pair_history import Floats, Ints, build_history
from training.dataset.pair_keys import find_keys
from training.dataset.snapshot import Snapshot
from training.evaluation.top_k import Scorer, recent_buyers

_BEST_SELLERS = 200
_DECAY_DAYS = 60.0
_MOST_CUSTOMERS = 10_000
"""Customers who are learned from."""
_WINDOWS = (7, 30, 90)
"""Days of popularity."""


def boosted_counts(snapshot: Snapshot, horizon_days: int, seed: int) -> Scorer:
    """The scores of trees that learned from the last `horizon_days` of the snapshot; 0 where there is no candidate.

    Where that window holds nothing to learn, or nothing was known before it, all scores are 0.
    """
    past, now = _Counts(_before(snapshot, horizon_days)), _Counts(snapshot)
    later = snapshot.day >= snapshot.as_of_day - horizon_days
    n_products = max(1, len(snapshot.products))
    bought = np.unique(snapshot.customer_index[later].astype(np.int64) * n_products + snapshot.product_index[later])
    active = np.intersect1d(bought // n_products, past.customers)
    if len(active) > _MOST_CUSTOMERS:
        active = np.sort(np.random.default_rng(seed).choice(active, _MOST_CUSTOMERS, replace=False))
    customer, product = past.candidates(active)
    labels = find_keys(bought, customer * n_products + product) >= 0
    if not 0 < labels.sum() < len(labels):
        return lambda customers: np.zeros((len(customers), len(snapshot.products)), np.float32)
    trees = HistGradientBoostingClassifier(random_state=seed).fit(past.features(customer, product), labels)

    def score(customers: NDArray[np.int64]) -> NDArray[np.float32]:
        scores = np.zeros((len(customers), len(snapshot.products)), np.float32)
        for batch in customer_batches(np.arange(len(customers)), len(snapshot.products)):
            row, product = now.candidates(customers[batch])
            features = now.features(row, product)
            place = batch[np.searchsorted(customers[batch], row)]
            scores[place, product] = trees.predict_proba(features)[:, 1] if len(features) else 0
        return scores

    return score


class _Counts:
    """The counts that candidates are judged by."""

    def __init__(self, snapshot: Snapshot) -> None:
        history, orders, now = build_history(snapshot), build_orders(snapshot), snapshot.as_of_day
        n, self._n_products = len(snapshot.customers), max(1, len(snapshot.products))
        self.customers = np.unique(history.customer_index)
        self._keys = history.customer_index * self._n_products + history.product_index
        first, last = history.day[history.first_visit], history.day[history.last_visit]
        gap = (last - first) / np.maximum(history.visits - 1, 1)
        decayed = history.sum_by_pair(0.5 ** ((now - history.day) / _DECAY_DAYS))
        none = [0.0, np.nan, np.nan, np.nan, 0.0]
        pairs = np.stack([history.orders, now - last, now - first, np.where(history.visits > 1, gap, np.nan), decayed])
        self._pairs: Floats = np.vstack([pairs.T, none])  # the last row is of what was never bought
        age = now - snapshot.day
        sold = [np.bincount(snapshot.product_index[age <= days], minlength=self._n_products) for days in _WINDOWS]
        self._products: Floats = np.stack(sold, axis=1).astype(np.float64)
        n_orders = np.bincount(orders.customer_index, minlength=n)
        latest, lines = np.full(n, -np.inf), np.bincount(orders.customer_index, weights=orders.lines, minlength=n)
        np.maximum.at(latest, orders.customer_index, orders.day)
        self._customers: Floats = np.stack([n_orders, now - latest, lines / np.maximum(n_orders, 1)], axis=1)
        self._own = csr_matrix(
            (np.ones(len(self._keys), bool), (history.customer_index, history.product_index)), (n, self._n_products)
        )
        self._best = np.argsort(-recent_buyers(snapshot), kind="stable")[:_BEST_SELLERS]

    def candidates(self, customers: Ints) -> tuple[Ints, Ints]:
        """Customer and product of each candidate."""
        chosen = self._own[customers].toarray()
        chosen[:, self._best] = True
        row, product = np.nonzero(chosen)
        return customers[row], product.astype(np.int64)

    def features(self, customer: Ints, product: Ints) -> Floats:
        """(n, 11): recency, frequency and popularity."""
        pair = find_keys(self._keys, customer * self._n_products + product)
        return np.hstack([self._pairs[pair], self._products[product], self._customers[customer]])


def _before(snapshot: Snapshot, days: int) -> Snapshot:
    """What was known some days ago, with the customers and products of now."""
    known = snapshot.day < snapshot.as_of_day - days
    lines = ("customer_index", "product_index", "order_index", "day", "quantity")
    # orders are numbered one after the other, as a snapshot has them
    kept = {name: getattr(snapshot, name)[known] for name in lines}
    kept["order_index"] = np.unique(kept["order_index"], return_inverse=True)[1].astype(np.int32)
    return replace(snapshot, as_of=snapshot.as_of - timedelta(days=days), **kept)
