"""Similar products: neighbours by their buyers, and best sellers where there are too few."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recommender.publication.lists import WHOLE_SHOP, Basis, ListTable
from training.dataset.ranked_lists import RankedLists, build_table, split_lists, starts_of
from training.dataset.snapshot import Snapshot
from training.models.als import Factors, similar_products
from training.models.popularity import build_popular

_ENOUGH_PRODUCTS = 3
"""Best sellers that a category must offer besides the product itself."""


def build_similar(
    factors: Factors,
    snapshot: Snapshot,
    categories: Sequence[str | None],
    best_sellers_scores: NDArray[np.float32],
    k: int,
    *,
    min_buyers: int = 5,
) -> ListTable:
    """The similar lists: one for every product, none with the product itself.

    A product with fewer than `min_buyers` customers neither gets a learned list nor appears in one. It gets the best
    sellers of its category (basis CATEGORY) or, where the category has fewer than 3 others, of the shop (POPULAR).

    Args:
        factors: learned from purchases of any age: what is alike does not change with the season.
        snapshot: says who bought what.
        categories: (n_products,) category or None.
        best_sellers_scores: (n_products,) float32; 0 for products that never sold.
        k: longest list.
        min_buyers: customers who must have bought a product.

    Returns:
        n_products owners. The score is a cosine, or the best seller's score. A list is empty only where nothing else
        was ever sold.
    """
    known = _count_buyers(snapshot) >= min_buyers
    learned = similar_products(replace(factors, products=np.where(known[:, None], factors.products, np.float32(0))), k)
    # one more than k, as a product is taken out of its own list
    best = _by_owner(build_popular(best_sellers_scores, snapshot.products, categories, k + 1))
    basis = np.full(len(snapshot.products), Basis.MODEL, dtype=np.uint8)
    lists = split_lists(learned.product_index, learned.starts)
    scores = split_lists(learned.score, learned.starts)
    for product in np.flatnonzero(learned.lengths == 0).tolist():
        basis[product], lists[product] = _fallback(product, categories[product], best, k)
        scores[product] = best_sellers_scores[lists[product]]
    return build_table(snapshot.products.ids, _join(lists, scores), basis)


def _count_buyers(snapshot: Snapshot) -> NDArray[np.int64]:
    """(n_products,) distinct customers."""
    n_products = max(1, len(snapshot.products))
    pairs = np.unique(snapshot.customer_index.astype(np.int64) * n_products + snapshot.product_index)
    return np.bincount(pairs % n_products, minlength=len(snapshot.products))


def _by_owner(table: ListTable) -> dict[str, NDArray[np.int32]]:
    return dict(zip(table.owner_ids, split_lists(table.records["product_index"], table.starts), strict=True))


def _fallback(
    product: int, category: str | None, best: Mapping[str, NDArray[np.int32]], k: int
) -> tuple[Basis, NDArray[np.int32]]:
    if category:
        others = best[category][best[category] != product]
        if len(others) >= _ENOUGH_PRODUCTS:
            return Basis.CATEGORY, others[:k]
    return Basis.POPULAR, best[WHOLE_SHOP][best[WHOLE_SHOP] != product][:k]


def _join(lists: Sequence[NDArray[np.int32]], scores: Sequence[NDArray[np.float32]]) -> RankedLists:
    return RankedLists(
        starts_of(np.array([len(each) for each in lists], dtype=np.int64)),
        np.concatenate([np.zeros(0, np.int32), *lists]),
        np.concatenate([np.zeros(0, np.float32), *scores]),
    )
