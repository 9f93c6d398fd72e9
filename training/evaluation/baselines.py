"""Baselines: simple rankings that a model has to beat.

Each learns from a snapshot and gives a `Scorer`; `training.evaluation.top_k.rank_by` makes lists of its scores.
"""

import numpy as np
from implicit.cpu.bpr import BayesianPersonalizedRanking
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from recommender.settings import AlsSettings
from training.dataset.interactions import build_interactions
from training.dataset.snapshot import Snapshot
from training.evaluation.top_k import POPULAR_DAYS, OwnAndShared, Scorer, count_orders, recent_buyers
from training.models.als import fit_factors
from training.models.neighbours import highest_of_rows, nearest_products, rows_of
from training.models.popularity import trend

_BLOCK_PRODUCTS = 1_000
"""Products whose likeness to all others is held at once."""


def popular(snapshot: Snapshot) -> Scorer:
    """Best sellers, the same for all customers: most distinct buyers in the 30 days up to the last purchase.

    As strong as any simple kind: on five windows of Online Retail II (cuts 2011-05-01 to 2011-09-01) its NDCG@10 is
    .133, that of 14 and 90 days .132 and .123, that of orders decayed with half-lives of 14, 30 and 90 days .134,
    .129 and .122.
    """
    return _same_for_all(snapshot, recent_buyers(snapshot))


def trending(snapshot: Snapshot) -> Scorer:
    """Trending products, the same for all customers: the highest `trend` of the last 30 days."""
    return _same_for_all(snapshot, trend(snapshot, POPULAR_DAYS))


def own_counts(snapshot: Snapshot) -> Scorer:
    """Each customer's own products, by number of orders."""
    return OwnAndShared(count_orders(snapshot), np.zeros(len(snapshot.products), np.float32))


def decayed_own(snapshot: Snapshot, half_life_days: float, popularity: float = 0.0) -> Scorer:
    """Each customer's own products, each order counted 0.5 ^ (age / half-life), plus the shop's best sellers.

    Args:
        snapshot: what is known.
        half_life_days: age at which an order counts half.
        popularity: how many fresh orders of one's own a product bought by every recent customer is worth.
    """
    decayed = count_orders(snapshot, 0.5 ** ((snapshot.as_of_day - snapshot.day) / half_life_days))
    buyers = recent_buyers(snapshot)
    shared = np.float32(popularity) * buyers / max(float(buyers.max(initial=0)), 1.0)
    return OwnAndShared(decayed, shared)


def item_cosine(snapshot: Snapshot, n_neighbours: int = 100) -> Scorer:
    """Sum of the shrunken cosines between a product and what the customer bought before, over its nearest products.

    Source: Sarwar et al. 2001, Item-based collaborative filtering recommendation algorithms, WWW 10, on whether a
    product was ever bought.
    """
    bought = count_orders(snapshot).sign()
    nearest = nearest_products(bought, n_neighbours)
    return lambda customers: (bought[customers] @ nearest).toarray()


def sar(snapshot: Snapshot, half_life_days: float, n_neighbours: int = 500) -> Scorer:
    """Smart adaptive recommendations with time decay: what a customer bought, by how alike products are in buyers.

        score(u, j) = Σ_i Σ_orders of i 0.5 ^ (age / half-life) · |both| / (|buyers of i| + |buyers of j| - |both|)

    A product is like itself by 1, so that what was bought before is scored, too. Source: Microsoft Recommenders, SAR.

    Args:
        snapshot: what is known.
        half_life_days: age at which an order counts half.
        n_neighbours: of a product, the ones most alike; the others count as unlike.
    """
    affinity = count_orders(snapshot, 0.5 ** ((snapshot.as_of_day - snapshot.day) / half_life_days))
    alike = _jaccard(count_orders(snapshot).sign(), n_neighbours)
    return lambda customers: (affinity[customers] @ alike).toarray()


def _jaccard(bought: csr_matrix, k: int) -> csr_matrix:
    """(n_products, n_products) share of either's buyers who bought both, the `k` highest of each row."""
    by_product, n_buyers = bought.T.tocsr(), np.bincount(bought.indices, minlength=bought.shape[1])
    blocks = []
    for first in range(0, bought.shape[1], _BLOCK_PRODUCTS):
        both = csr_matrix(by_product[first : first + _BLOCK_PRODUCTS] @ bought)
        both.data /= n_buyers[first + rows_of(both)] + n_buyers[both.indices] - both.data
        blocks.append(highest_of_rows(both, k))
    alike: csr_matrix = vstack(blocks, format="csr") if blocks else csr_matrix(np.zeros((0, 0), np.float32))
    return alike


def als_alone(snapshot: Snapshot, als: AlsSettings, seed: int) -> Scorer:
    """Predicted preference of the collaborative filtering alone, nothing hidden."""
    factors = fit_factors(build_interactions(snapshot, als), als, seed)
    return lambda customers: factors.customers[customers] @ factors.products.T


def bpr(snapshot: Snapshot, n_factors: int, seed: int) -> Scorer:
    """Bayesian personalized ranking (Rendle et al. 2009), nothing hidden; a product gets its bias as a factor on top.

    One thread, so that the same seed gives the same bytes.
    """
    model = BayesianPersonalizedRanking(factors=n_factors, iterations=100, num_threads=1, random_state=seed)
    model.fit(count_orders(snapshot).sign(), show_progress=False)

    def score(customers: NDArray[np.int64]) -> NDArray[np.float32]:
        scores = model.user_factors[customers] @ model.item_factors.T
        # only the order means something: moved up, so that nothing counts as unwanted
        positive: NDArray[np.float32] = scores - scores.min(axis=1, keepdims=True) + np.float32(1e-3)
        return positive

    return score


def _same_for_all(snapshot: Snapshot, scores: NDArray[np.float32]) -> Scorer:
    return OwnAndShared(count_orders(snapshot) * np.float32(0), scores)
