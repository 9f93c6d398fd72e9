"""Similar products: what is bought instead of a product, and best sellers where too few bought it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recommender.publication.lists import WHOLE_SHOP, Basis, ListTable
from training.dataset.pair_keys import unique_keys
from training.dataset.ranked_lists import RankedLists, build_table, split_lists, spread_lists, starts_of
from training.dataset.snapshot import Snapshot
from training.models.affinity import Tastes
from training.models.als import rank_products
from training.models.neighbours import rows_of
from training.models.popularity import build_popular
from training.models.shared_orders import SharedOrders, count_shared_orders

_ENOUGH_PRODUCTS = 3
"""Best sellers that a category must offer besides the product itself."""
_SAME_CATEGORY = np.float32(0.2)
"""Worth of the same category, in cosines."""
_PRIOR_ORDERS = np.float32(3.0)
"""Shared orders that must be outweighed before their number is believed."""


def build_similar(
    tastes: Tastes,
    snapshot: Snapshot,
    categories: Sequence[str | None],
    best_sellers_scores: NDArray[np.float32],
    k: int,
    *,
    min_buyers: int = 5,
) -> ListTable:
    """The similar lists: one for every product, none with the product itself; see `Likeness`.

    A product with fewer than `min_buyers` customers neither gets a learned list nor appears in one. It gets the best
    sellers of its category (basis CATEGORY) or, where the category has fewer than 3 others, of the shop (POPULAR).

    Args:
        tastes: factors learned from purchases of any age, and words of titles.
        snapshot: says who bought what, and in which order.
        categories: (n_products,) category or None.
        best_sellers_scores: (n_products,) float32; 0 for products that never sold.
        k: longest list.
        min_buyers: customers who must have bought a product.

    Returns:
        n_products owners. The score is the likeness, or the best seller's score. A list is empty only where nothing
        else was ever sold.
    """
    known = np.flatnonzero(_count_buyers(snapshot) >= min_buyers)
    learned = _learn(find_likeness(tastes, snapshot, categories, known), known, len(snapshot.products), k)
    # one more than k, as a product is taken out of its own list
    best = _by_owner(build_popular(best_sellers_scores, snapshot.products, categories, k + 1))
    basis = np.full(len(snapshot.products), Basis.MODEL, dtype=np.uint8)
    lists = split_lists(learned.product_index, learned.starts)
    scores = split_lists(learned.score, learned.starts)
    for product in np.flatnonzero(learned.lengths == 0).tolist():
        basis[product], lists[product] = _fallback(product, categories[product], best, k)
        scores[product] = best_sellers_scores[lists[product]]
    return build_table(snapshot.products.ids, _join(lists, scores), basis)


@dataclass(frozen=True)
class Likeness:
    """The likeness of n products, by place among them: how well one does instead of the other.

        likeness(a, b) = (factor cosine + title cosine + 0.2 · same category) · (expected + 3) / (observed + 3)

    What replaces a product is bought by the same customers, and so is what goes with it. But these meet in orders, and
    those seldom do: see `training.models.shared_orders.SharedOrders`, whose counts of shared orders outweigh the rest
    where they are many. A negative cosine counts as 0.

    Attributes:
        directions: (n, f) float32 factors at length 1 or 0.
        words: (n, n_words) csr_matrix of the titles, rows of length 1 or empty.
        category: (n, n_categories) csr_matrix of float32: 1 for that of a product.
        orders: in which the products meet.
    """

    directions: NDArray[np.float32]
    words: csr_matrix
    category: csr_matrix
    orders: SharedOrders

    def of(self, places: NDArray[np.integer]) -> NDArray[np.float32]:
        """The likeness of some of the products (m,) to all: (m, n) float32."""
        likeness: NDArray[np.float32] = np.maximum(self.directions[places] @ self.directions.T, np.float32(0))
        titles, same = (csr_matrix(each[places] @ each.T) for each in (self.words, self.category))
        likeness[rows_of(titles), titles.indices] += titles.data
        likeness[rows_of(same), same.indices] += _SAME_CATEGORY
        expected, observed = self.orders.expected(places), self.orders.observed(places)
        likeness[rows_of(expected), expected.indices] *= 1 + expected.data / _PRIOR_ORDERS
        likeness[rows_of(observed), observed.indices] /= 1 + observed.data / _PRIOR_ORDERS
        return likeness


def _learn(likeness: Likeness, known: NDArray[np.int64], n_products: int, k: int) -> RankedLists:
    """A list for each of `n_products`; those of products that are not known are empty."""
    among_known = rank_products(likeness.of, len(known), k)
    named = among_known._replace(product_index=known[among_known.product_index].astype(np.int32))
    return spread_lists(named, known, n_products)


def find_likeness(
    tastes: Tastes, snapshot: Snapshot, categories: Sequence[str | None], products: NDArray[np.int64]
) -> Likeness:
    """The likeness of some products (n,), by index; a shop may have many times as many that hardly anybody bought."""
    factors = tastes.timeless.products[products]
    lengths = np.linalg.norm(factors, axis=1)[:, None]
    return Likeness(
        directions=np.divide(factors, lengths, out=np.zeros_like(factors), where=lengths > 0),
        words=tastes.words[products],
        category=_category_matrix([categories[product] for product in products.tolist()]),
        orders=count_shared_orders(snapshot).among(products),
    )


def _category_matrix(categories: Sequence[str | None]) -> csr_matrix:
    names = {name: number for number, name in enumerate(sorted({name for name in categories if name}))}
    rows = [row for row, name in enumerate(categories) if name]
    columns = [names[name] for name in categories if name]
    return csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(categories), len(names)))


def _count_buyers(snapshot: Snapshot) -> NDArray[np.int64]:
    """(n_products,) distinct customers."""
    n_products = max(1, len(snapshot.products))
    pairs = unique_keys(snapshot.customer_index.astype(np.int64) * n_products + snapshot.product_index)
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
