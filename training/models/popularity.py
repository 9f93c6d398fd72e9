"""Best sellers and trending products: the lists for customers of whom nothing personal is known."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.publication.lists import WHOLE_SHOP, ListTable
from training.dataset.id_map import IdMap
from training.dataset.pair_history import sum_by
from training.dataset.ranked_lists import RankedLists, build_table, starts_of
from training.dataset.snapshot import Snapshot

_QUIET_WINDOWS = 3
"""How many windows before the present one say what is usual: long enough to be steady, short enough for a season."""
_PRIOR_ORDERS = 5.0
"""Orders added to now and to before: three sales after one are no trend."""


def best_sellers(snapshot: Snapshot, half_life_days: float) -> NDArray[np.float32]:
    """Best-seller scores: the decayed number of orders that hold each product.

    One line is one order and product, so a wholesale quantity counts as one sale. The age is counted from the last
    purchase of the shop, not from `as_of`: a shop that was closed for a year still has its best sellers.

    Returns:
        (n_products,) float32, at least 0; 0 for a product that was never sold.
    """
    age_days = snapshot.day.max(initial=0) - snapshot.day
    weight = 0.5 ** (age_days / half_life_days)
    return _sum_by_product(snapshot, weight).astype(np.float32)


def trend(snapshot: Snapshot, window_days: int = 30) -> NDArray[np.float32]:
    """Trend scores: orders in the last `window_days`, times the smoothed growth over the windows before.

        score = now · (now + 5) / (before + 5),   before = orders a window in the three windows before this one

    The 5 orders on both sides keep chance out. The shop's own growth is left in: it is common to all products. The
    last window ends with the shop's last purchase.

    Returns:
        (n_products,) float32, at least 0; 0 for a product not sold in the window.
    """
    window = (snapshot.day.max(initial=0) - snapshot.day) // window_days
    now = _sum_by_product(snapshot, window == 0)
    before = _sum_by_product(snapshot, (window >= 1) & (window <= _QUIET_WINDOWS)) / _QUIET_WINDOWS
    return (now * (now + _PRIOR_ORDERS) / (before + _PRIOR_ORDERS)).astype(np.float32)


def build_popular(scores: NDArray[np.float32], products: IdMap, categories: Sequence[str | None], k: int) -> ListTable:
    """The popular lists: the `k` products with the highest scores, in the whole shop and in each category.

    Args:
        scores: (n_products,) by product_index; products with score 0 are left out.
        products: only their number is used.
        categories: (n_products,) category or None.
        k: longest list.

    Returns:
        Owners WHOLE_SHOP, then every category by name; an empty list where nothing was sold. Ties by product_index.
    """
    ranked = np.lexsort((np.arange(len(products)), -scores))
    ranked = ranked[scores[ranked] > 0]
    by_category: dict[str, list[int]] = {name: [] for name in sorted({name for name in categories if name})}
    for index in ranked.tolist():
        name = categories[index]
        if name and len(by_category[name]) < k:
            by_category[name].append(index)
    lists = [ranked[:k].tolist(), *by_category.values()]
    shown = np.array([index for each in lists for index in each], dtype=np.int32)
    starts = starts_of(np.array([len(each) for each in lists], dtype=np.int64))
    return build_table([WHOLE_SHOP, *by_category], RankedLists(starts, shown, scores[shown]))


def _sum_by_product(snapshot: Snapshot, weight: NDArray[np.generic]) -> NDArray[np.float64]:
    return sum_by(snapshot.product_index, weight, len(snapshot.products))
