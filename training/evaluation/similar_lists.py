"""Evaluation of lists of products for a product, such as similar products, against best sellers."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recommender.publication.lists import Basis, ListTable
from training.dataset.ranked_lists import owners_of
from training.dataset.snapshot import Snapshot
from training.dataset.split import Window
from training.evaluation.top_k import recent_buyers

BEST_SELLERS = 10


def judge_similar(
    table: ListTable, snapshot: Snapshot, categories: Sequence[str | None], window: Window, k: int = 10
) -> dict[str, Any]:
    """The scores of the first `k` products of each product's list.

    Args:
        table: `similar` or `together`: an owner for each product, in the order of `snapshot.products`.
        snapshot: what the lists were learned from.
        categories: (n_products,) category or None.
        window: what was bought later.
        k: places that are judged.

    Returns:
        Plain JSON types, None where there is nothing to judge by:
        `n_products`, and `n_lists` that are not empty;
        `n_recommended`: products that stand on any list, and `coverage`, their share of all products;
        `same_category_share`: of the places whose product and owner both have a category, and
        `same_category_by_chance`: the same had the places been filled by lot;
        `best_seller_share`: of the places, those of the ten products with most buyers lately, and
        `n_dominated`: learned lists of which these fill more than half;
        `n_fallback`: lists that are not learned but best sellers, as the product has too few buyers;
        `co_purchase_hit_rate`: how often a list holds something else of the same later order, a mean over orders of
        the mean over the order's products; `co_purchase_hit_rate_popular`: the same for best sellers on every list;
        `n_orders`: later orders with at least two products to judge by;
        `fingerprint`: of all lists; the same input gives the same one.
    """
    lists = _first_places(table, len(snapshot.products), k)
    best = _best_sellers(snapshot)
    orders = _later_orders(window, snapshot)
    recommended, lengths = np.unique(lists.indices).size, np.diff(lists.indptr)
    from_best = np.asarray(lists[:, best[:BEST_SELLERS]].sum(axis=1)).ravel()
    return {
        "n_products": len(snapshot.products),
        "n_lists": int((lengths > 0).sum()),
        "n_recommended": recommended,
        "coverage": _share(recommended, len(snapshot.products)),
        **_category_shares(lists, categories),
        "best_seller_share": _share(from_best.sum(), lengths.sum()),
        "n_dominated": int(((2 * from_best > lengths) & (table.basis == Basis.MODEL)).sum()),
        "n_fallback": int(((lengths > 0) & (table.basis != Basis.MODEL)).sum()),
        "co_purchase_hit_rate": _hit_rate(lists, orders),
        "co_purchase_hit_rate_popular": _hit_rate(_popular_lists(best, len(snapshot.products), k), orders),
        "n_orders": orders.shape[0],
        "fingerprint": hashlib.sha256(table.starts.tobytes() + table.records.tobytes()).hexdigest()[:16],
    }


def _first_places(table: ListTable, n_products: int, k: int) -> csr_matrix:
    """(n_products, n_products) float32 with a 1 for each of the first `k` of the row's list."""
    owner = owners_of(table.starts)
    shown = np.arange(len(owner)) - table.starts[owner] < k
    return _marks(owner[shown], table.records["product_index"][shown], (n_products, n_products))


def _marks(rows: NDArray[np.integer], columns: NDArray[np.integer], shape: tuple[int, int]) -> csr_matrix:
    return csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)


def _best_sellers(snapshot: Snapshot) -> NDArray[np.int64]:
    """Products by falling number of recent buyers; those without any are left out."""
    buyers = recent_buyers(snapshot)
    ranked = np.argsort(-buyers, kind="stable")
    return ranked[buyers[ranked] > 0]


def _popular_lists(best: NDArray[np.int64], n_products: int, k: int) -> csr_matrix:
    """The best sellers on every list, the owner left out."""
    owner, product = np.repeat(np.arange(n_products), len(best[: k + 1])), np.tile(best[: k + 1], n_products)
    owner, product = owner[owner != product], product[owner != product]
    place = np.arange(len(owner)) - np.searchsorted(owner, owner)
    return _marks(owner[place < k], product[place < k], (n_products, n_products))


def _later_orders(window: Window, snapshot: Snapshot) -> csr_matrix:
    """(n_orders, n_products): what the orders of the window held of the products known; those with at least two."""
    lines = window.later
    order = lines.select(pl.struct("customer_id", "order_id").rank("dense")).to_series().to_numpy().astype(np.int64) - 1
    product = snapshot.products.indices(lines["product_id"].to_list(), unknown="mark")
    known = product >= 0
    shape = (int(order.max(initial=-1)) + 1, len(snapshot.products))
    held = _marks(order[known], product[known], shape).sign()
    return held[held.getnnz(axis=1) >= 2]


def _hit_rate(lists: csr_matrix, orders: csr_matrix) -> float | None:
    if not orders.shape[0]:
        return None
    # [order, product]: how many others of the order stand on the product's list
    found = (orders @ lists.T).multiply(orders).tocsr()
    hits = np.asarray(found.sign().sum(axis=1)).ravel()
    return float((hits / orders.getnnz(axis=1)).mean())


def _category_shares(lists: csr_matrix, categories: Sequence[str | None]) -> dict[str, float | None]:
    names = sorted({name for name in categories if name})
    number = {name: i for i, name in enumerate(names)}
    category = np.array([number.get(name or "", -1) for name in categories], dtype=np.int64)
    owner, product = np.repeat(category, np.diff(lists.indptr)), category[lists.indices]
    judged = (owner >= 0) & (product >= 0)
    owner, product = owner[judged], product[judged]
    sizes = np.bincount(category[category >= 0], minlength=len(names))
    # of the other products, how many are in the owner's category
    by_chance = (sizes[owner] - 1) / max(int(sizes.sum()) - 1, 1)
    return {
        "same_category_share": float((owner == product).mean()) if len(owner) else None,
        "same_category_by_chance": float(by_chance.mean()) if len(owner) else None,
    }


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
