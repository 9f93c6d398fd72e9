"""Affinities: several measures of how close a product is to a customer's taste."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags
from threadpoolctl import threadpool_limits

from recommender.settings import AlsSettings, Settings
from training.dataset.id_map import IdMap
from training.dataset.interactions import build_interactions
from training.dataset.orders import Orders
from training.dataset.pair_history import History, sum_by
from training.dataset.snapshot import Snapshot
from training.models.als import Factors, fit_factors
from training.models.customer_factors import fold_in
from training.models.neighbours import highest_of_rows, nearest_products, order_matrix, rows_of
from training.models.title_words import title_matrix

N_NEIGHBOURS = 60
_LARGE = 2_000_000
"""Lines from which one thing is fitted after the other: side by side they would be the most that a training holds."""
_LONG, _SHORT = 6.0, 2.0
"""Half-lives of what counts as a customer's taste, in horizons."""
_LATELY = 3.0
"""How long a discovery is news, in horizons."""
_TIMELESS_ROUNDS = 0.8
"""Rounds of the timeless factors, as a share of those of the recent ones."""
_MOST_PEERS, _N_PEERS = 10_000, 150
"""Customers looked at, and those of them who have a say."""


class AffinityMeasures(NamedTuple):
    """The affinity measures of a batch of customers; higher is closer, comparable within a customer.

    Attributes:
        factors: measure → (n, f) and (n_products, f) float32, whose inner products are its values.
        sparse: measure → (n, n_products) csr_matrix of float32; what has no entry is 0.
    """

    factors: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    sparse: dict[str, csr_matrix]


class Peers(NamedTuple):
    """The peers: the latest customers to order within a horizon, whose purchases in it may speak for others.

    Attributes:
        customer_ids: n_peers ids.
        directions: (n_peers, n_products) float32, see `_directions_of`.
        bought: (n_peers, n_products) float32, 1 for what each of them bought within the horizon.
        rarity: (n_products,) float32, ln(customers / buyers): a product that everybody buys says nothing of a taste.
    """

    customer_ids: tuple[str, ...]
    directions: csr_matrix
    bought: csr_matrix
    rarity: NDArray[np.float32]


@dataclass(frozen=True)
class Tastes:
    """The tastes of a shop: what affinity measures are computed from, whoever the customer is.

    Attributes:
        recent: ALS on purchases that fade, as the settings have it; factors of products, and of no customer.
        timeless: ALS on all purchases alike, likewise.
        by_customers, by_orders: (n_products, n_products) similarities of the nearest products.
        by_discovery: likewise, from what was bought for long to what the same customers discovered lately.
        words: (n_products, n_words) of the titles, rows of length 1.
        peers: customers of like taste are looked for among these.
        last_day: of the shop's last purchase, in days since 1970-01-01.
        settings: that it was learned with.
    """

    recent: Factors
    timeless: Factors
    by_customers: csr_matrix
    by_orders: csr_matrix
    by_discovery: csr_matrix
    words: csr_matrix
    peers: Peers
    last_day: int
    settings: Settings

    @cached_property
    def product_directions(self) -> NDArray[np.float32]:
        """The rows of `recent.products` at length 1, or 0."""
        return _directions(self.recent.products)


@dataclass(frozen=True)
class Affinities:
    """The affinities of some customers, by customer_index.

    Attributes:
        tastes: of the shop.
        recent, timeless: (n_customers, f) float32 factors, folded in.
        long, short: (n_customers, n_products) what each customer bought, fading slowly and fast.
        last: the same, 1 for what was in the last order.
        peer: (n_customers,) position of each among the shop's peers, -1 where it is none.
    """

    tastes: Tastes
    recent: NDArray[np.float32]
    timeless: NDArray[np.float32]
    long: csr_matrix
    short: csr_matrix
    last: csr_matrix
    peer: NDArray[np.int32]

    @cached_property
    def customer_directions(self) -> NDArray[np.float32]:
        """The rows of `recent` at length 1, or 0."""
        return _directions(self.recent)


def fit_tastes(
    snapshot: Snapshot, history: History, orders: Orders, titles: Sequence[str | None], settings: Settings
) -> Tastes:
    """The tastes fitted on a snapshot of everybody; `als`, `horizon_days` and `seed` are read."""
    timeless = _timeless(settings)
    long = _decayed(snapshot, history, _LONG * settings.horizon_days)
    discovered = _discovered(snapshot, history, _LATELY * settings.horizon_days)
    last_day, als, seed = int(snapshot.day.max(initial=0)), settings.als, settings.seed
    # independent fits, all outside the interpreter's lock; one limit for all, as the end of one would undo it
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(1 if len(snapshot.day) > _LARGE else None) as pool:
        recent = pool.submit(_fit_products, snapshot, als, seed)
        lasting = pool.submit(_fit_products, snapshot, timeless, seed)
        by_customers = pool.submit(nearest_products, long.log1p(), N_NEIGHBOURS)
        by_orders = pool.submit(lambda: nearest_products(order_matrix(snapshot), N_NEIGHBOURS))
        by_discovery = pool.submit(nearest_products, discovered, N_NEIGHBOURS, long.log1p())
    return Tastes(
        recent=recent.result(),
        timeless=lasting.result(),
        by_customers=by_customers.result(),
        by_orders=by_orders.result(),
        by_discovery=by_discovery.result(),
        words=title_matrix(titles),
        peers=_find_peers(snapshot, long, orders, settings.horizon_days),
        last_day=last_day,
        settings=settings,
    )


def find_affinities(snapshot: Snapshot, history: History, orders: Orders, tastes: Tastes) -> Affinities:
    """The affinities of a snapshot's customers, who may be any of the shop's."""
    settings, timeless = tastes.settings, _timeless(tastes.settings)
    return Affinities(
        tastes=tastes,
        recent=fold_in(tastes.recent, build_interactions(snapshot, settings.als, tastes.last_day), settings.als),
        timeless=fold_in(tastes.timeless, build_interactions(snapshot, timeless, tastes.last_day), timeless),
        long=_decayed(snapshot, history, _LONG * settings.horizon_days),
        short=_decayed(snapshot, history, _SHORT * settings.horizon_days),
        last=_last_orders(snapshot, orders),
        peer=IdMap(tastes.peers.customer_ids).indices(snapshot.customers.ids, unknown="mark"),
    )


def measure(affinities: Affinities, customers: NDArray[np.integer]) -> AffinityMeasures:
    """The measures of a batch of customers (n,)."""
    tastes, long, last = affinities.tastes, affinities.long[customers], affinities.last[customers]
    return AffinityMeasures(
        factors={
            "als": (affinities.recent[customers], tastes.recent.products),
            "als_timeless": (affinities.timeless[customers], tastes.timeless.products),
        },
        sparse={
            "neighbours": long @ tastes.by_customers,
            "together": affinities.short[customers] @ tastes.by_orders,
            "together_last": last @ tastes.by_orders,
            "discovery": long @ tastes.by_discovery,
            "peers": _peers(affinities, customers),
            "titles": (long @ tastes.words) @ tastes.words.T,
            "titles_last": (last @ tastes.words) @ tastes.words.T,
        },
    )


def _timeless(settings: Settings) -> AlsSettings:
    rounds = math.ceil(_TIMELESS_ROUNDS * settings.als.iterations)
    return settings.als.model_copy(update={"weighting": "binary", "iterations": rounds})


def _fit_products(snapshot: Snapshot, als: AlsSettings, seed: int) -> Factors:
    factors = fit_factors(build_interactions(snapshot, als), als, seed)
    return replace(factors, customers=np.zeros((0, als.factors), np.float32))


def _find_peers(snapshot: Snapshot, long: csr_matrix, orders: Orders, horizon_days: int) -> Peers:
    last_day = np.zeros(len(snapshot.customers))
    np.maximum.at(last_day, orders.customer_index, orders.day)
    latest = np.argsort(-last_day, kind="stable")[:_MOST_PEERS]
    rows = latest[last_day[latest] >= snapshot.as_of_day - horizon_days]
    lately = snapshot.day >= snapshot.as_of_day - horizon_days
    customer, product = snapshot.customer_index[lately], snapshot.product_index[lately]
    bought = _pairs(snapshot, customer, product, np.ones(len(customer)))[rows]
    bought.data[:] = 1
    buyers = np.bincount(long.indices, minlength=long.shape[1])
    rarity = np.log(np.maximum(long.shape[0], 1) / np.maximum(buyers, 1)).astype(np.float32)
    ids = tuple(snapshot.customers[row] for row in rows.tolist())
    return Peers(ids, _directions_of(long[rows], rarity), bought, rarity)


def _directions_of(long: csr_matrix, rarity: NDArray[np.float32]) -> csr_matrix:
    """Rows of the logarithms of what was bought times its rarity, of length 1 or 0."""
    weighted = csr_matrix(long.log1p() @ diags(rarity))
    lengths = np.sqrt(sum_by(rows_of(weighted), weighted.data**2, weighted.shape[0])).astype(np.float32)
    weighted.data /= np.maximum(lengths, np.float32(1e-6))[rows_of(weighted)]
    return weighted


def _peers(affinities: Affinities, customers: NDArray[np.integer]) -> csr_matrix:
    """The share of the most similar customers who bought each product lately, by how similar they are.

    Collaborative filtering by users (Herlocker et al. 1999, SIGIR).
    """
    peers = affinities.tastes.peers
    near = csr_matrix(_directions_of(affinities.long[customers], peers.rarity) @ peers.directions.T)
    row = rows_of(near)
    near.data[near.indices == affinities.peer[customers][row]] = 0
    votes = highest_of_rows(near, _N_PEERS)
    total = sum_by(rows_of(votes), votes.data, votes.shape[0]).astype(np.float32)
    votes.data /= total[rows_of(votes)]
    return csr_matrix(votes @ peers.bought)


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
