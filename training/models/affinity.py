"""Affinities: several measures of how close a product is to a customer's taste."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recommender.settings import Settings
from training.dataset.interactions import build_interactions
from training.dataset.orders import Orders
from training.dataset.pair_history import History
from training.dataset.snapshot import Snapshot
from training.models.als import Factors, fit_factors, nearest_others
from training.models.neighbours import nearest_products, order_matrix
from training.models.title_words import title_matrix

N_NEIGHBOURS = 60
_LONG, _SHORT = 6.0, 2.0
"""Half-lives of what counts as a customer's taste, in horizons."""
_LATELY = 3.0
"""How long a discovery is news, in horizons."""
_TIMELESS_ROUNDS = 0.8
"""Rounds of the timeless factors, as a share of those of the recent ones."""
_MOST_PEERS, _N_PEERS = 10_000, 100
"""Customers looked at, and those of them who have a say."""


class AffinityMeasures(NamedTuple):
    """The affinity measures of a batch of customers; higher is closer, comparable within a customer.

    Attributes:
        factors: measure → (n, f) and (n_products, f) float32, whose inner products are its values.
        sparse: measure → (n, n_products) csr_matrix of float32; what has no entry is 0.
    """

    factors: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    sparse: dict[str, csr_matrix]


@dataclass(frozen=True)
class Affinities:
    """The factors and similarities that affinity measures are computed from.

    Attributes:
        recent: ALS on purchases that fade, as the settings have it.
        timeless: ALS on all purchases alike.
        long, short: (n_customers, n_products) what each customer bought, fading slowly and fast.
        last: the same, 1 for what was in the last order.
        by_customers, by_orders: (n_products, n_products) similarities of the nearest products.
        by_discovery: likewise, from what was bought for long to what the same customers discovered lately.
        words: (n_products, n_words) of the titles, rows of length 1.
        peers: (n_peers,) customers whose purchases may speak for others: the latest to order.
    """

    recent: Factors
    timeless: Factors
    long: csr_matrix
    short: csr_matrix
    last: csr_matrix
    by_customers: csr_matrix
    by_orders: csr_matrix
    by_discovery: csr_matrix
    words: csr_matrix
    peers: NDArray[np.int64]

    @cached_property
    def customer_directions(self) -> NDArray[np.float32]:
        """The rows of `recent.customers` at length 1, or 0."""
        return _directions(self.recent.customers)

    @cached_property
    def product_directions(self) -> NDArray[np.float32]:
        """The rows of `recent.products` at length 1, or 0."""
        return _directions(self.recent.products)


def fit_affinities(
    snapshot: Snapshot, history: History, orders: Orders, titles: Sequence[str | None], settings: Settings
) -> Affinities:
    """The affinities fitted on a snapshot; `als`, `horizon_days` and `seed` are read."""
    timeless = settings.als.model_copy(
        update={"weighting": "binary", "iterations": math.ceil(_TIMELESS_ROUNDS * settings.als.iterations)}
    )
    long = _decayed(snapshot, history, _LONG * settings.horizon_days)
    discovered = _discovered(snapshot, history, _LATELY * settings.horizon_days)
    last_day = np.zeros(len(snapshot.customers))
    np.maximum.at(last_day, orders.customer_index, orders.day)
    als, seed = settings.als, settings.seed
    # five independent fits, all outside the interpreter's lock; one limit for all, as the end of one would undo it
    with threadpool_limits(1, "blas"), ThreadPoolExecutor() as pool:
        recent = pool.submit(fit_factors, build_interactions(snapshot, als), als, seed)
        lasting = pool.submit(fit_factors, build_interactions(snapshot, timeless), timeless, seed)
        by_customers = pool.submit(nearest_products, long.log1p(), N_NEIGHBOURS)
        by_orders = pool.submit(nearest_products, order_matrix(snapshot), N_NEIGHBOURS)
        by_discovery = pool.submit(nearest_products, discovered, N_NEIGHBOURS, long.log1p())
    return Affinities(
        recent=recent.result(),
        timeless=lasting.result(),
        long=long,
        short=_decayed(snapshot, history, _SHORT * settings.horizon_days),
        last=_last_orders(snapshot, orders),
        by_customers=by_customers.result(),
        by_orders=by_orders.result(),
        by_discovery=by_discovery.result(),
        words=title_matrix(titles),
        peers=np.argsort(-last_day, kind="stable")[:_MOST_PEERS],
    )


def measure(affinities: Affinities, customers: NDArray[np.integer]) -> AffinityMeasures:
    """The measures of a batch of customers (n,)."""
    long, last = affinities.long[customers], affinities.last[customers]
    return AffinityMeasures(
        factors={
            name: (factors.customers[customers], factors.products)
            for name, factors in (("als", affinities.recent), ("als_timeless", affinities.timeless))
        },
        sparse={
            "neighbours": long @ affinities.by_customers,
            "together": affinities.short[customers] @ affinities.by_orders,
            "together_last": last @ affinities.by_orders,
            "discovery": long @ affinities.by_discovery,
            "peers": _peers(affinities, customers),
            "titles": (long @ affinities.words) @ affinities.words.T,
            "titles_last": (last @ affinities.words) @ affinities.words.T,
        },
    )


def _peers(affinities: Affinities, customers: NDArray[np.integer]) -> csr_matrix:
    """What the customers of like taste bought lately, each by how like it is (user-based nearest neighbours)."""
    directions, n_peers = affinities.customer_directions, len(affinities.peers)
    _, row, itself = np.intersect1d(customers, affinities.peers, assume_unique=True, return_indices=True)
    others = csr_matrix((np.ones(len(row), bool), (row, itself)), shape=(len(customers), n_peers))
    likest = nearest_others(directions[customers], directions[affinities.peers], others, _N_PEERS)
    votes = csr_matrix((likest.score, likest.product_index, likest.starts), shape=others.shape)
    bought: csr_matrix = votes @ affinities.short[affinities.peers]
    return bought


def _directions(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    directions: NDArray[np.float32] = np.divide(factors, lengths, out=np.zeros_like(factors), where=lengths > 0)
    return directions


def _discovered(snapshot: Snapshot, history: History, days: float) -> csr_matrix:
    """1 where a customer bought a product for the first time in the last `days`."""
    kept = snapshot.as_of_day - history.day[history.first_visit] <= days
    customer, product = history.customer_index[kept], history.product_index[kept]
    return _pairs(snapshot, customer, product, np.ones(len(customer)))


def _decayed(snapshot: Snapshot, history: History, half_life_days: float) -> csr_matrix:
    decay = 0.5 ** ((snapshot.as_of_day - history.day) / half_life_days)
    return _pairs(snapshot, history.customer_index, history.product_index, history.sum_by_pair(decay))


def _last_orders(snapshot: Snapshot, orders: Orders) -> csr_matrix:
    is_last = orders.later[snapshot.order_index] == 0
    customer, product = snapshot.customer_index[is_last], snapshot.product_index[is_last]
    return _pairs(snapshot, customer, product, np.ones(len(customer)))


def _pairs(
    snapshot: Snapshot, customer: NDArray[np.integer], product: NDArray[np.integer], values: NDArray[np.float64]
) -> csr_matrix:
    shape = (len(snapshot.customers), len(snapshot.products))
    return csr_matrix((values.astype(np.float32), (customer, product)), shape=shape)
