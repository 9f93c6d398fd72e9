"""Features of a customer and a product with a common past: how often, how lately, in what rhythm."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from training.dataset.orders import Orders
from training.dataset.pair_history import Floats, History, sum_by
from training.dataset.snapshot import Snapshot
from training.models.repurchase import PairRhythms
from training.ranking.feature_table import Columns

DECAYS = (0.67, 2.0, 6.0, 18.0)
"""Half-lives of a purchase, in horizons: with 30 days 20, 60, 180 and 540 days."""
LAST_ORDERS = (1, 3, 6, 10)
ORDER_DECAYS = (0.8, 0.95)
"""What an order counts less than the next one, whenever it was."""
YEAR_DAYS = 365.0


def pair_features(snapshot: Snapshot, rhythm: PairRhythms, orders: Orders, horizon_days: int) -> Columns:
    """Every feature by position in `rhythm.history`."""
    groups = _groups(snapshot, rhythm, orders, horizon_days)
    return {f"pair_{name}": values.astype(np.float32) for group in groups for name, values in group.items()}


def _groups(
    snapshot: Snapshot, rhythm: PairRhythms, orders: Orders, horizon_days: int
) -> Iterator[dict[str, NDArray[np.generic]]]:
    """One group after the other: together, in float64, they would be the most that a training holds."""
    yield _counts(snapshot, rhythm.history, horizon_days)
    yield _recency(snapshot, rhythm.history)
    yield _in_last_orders(snapshot, rhythm.history, orders)
    yield _timing(snapshot, rhythm, horizon_days)
    yield _quantities(rhythm.history)


def _counts(snapshot: Snapshot, history: History, horizon_days: int) -> dict[str, NDArray[np.generic]]:
    """Orders; purchase days faded with several half-lives; those of the same season a year ago."""
    age = snapshot.as_of_day - history.day
    season = (age <= YEAR_DAYS + horizon_days / 2) & (age > YEAR_DAYS - 1.5 * horizon_days)
    decayed = {f"decayed_{each:g}": history.sum_by_pair(0.5 ** (age / (each * horizon_days))) for each in DECAYS}
    return {"orders": history.orders, "season": history.sum_by_pair(season), **decayed}


def _recency(snapshot: Snapshot, history: History) -> dict[str, NDArray[np.generic]]:
    """Days since the first and the last purchase, the mean gap between them, and the last gap."""
    first, last = history.day[history.first_visit], history.day[history.last_visit]
    again = history.visits > 1
    before_last = history.day[history.last_visit - again]
    return {
        "days_since_first": snapshot.as_of_day - first,
        "days_since_last": snapshot.as_of_day - last,
        "gap": np.where(again, (last - first) / np.maximum(history.visits - 1, 1), np.nan),
        "last_gap": np.where(again, last - before_last, np.nan),
    }


def _in_last_orders(snapshot: Snapshot, history: History, orders: Orders) -> dict[str, NDArray[np.generic]]:
    """Orders made since the product was last in one; in how many of the last, of all, and since the first it was."""
    later = orders.later[snapshot.order_index]
    pair, n_pairs = _pair_of_line(snapshot, history), len(history.orders)
    since, first = np.full(n_pairs, np.iinfo(np.int64).max), np.zeros(n_pairs, np.int64)
    np.minimum.at(since, pair, later)
    np.maximum.at(first, pair, later)
    total = np.bincount(orders.customer_index, minlength=len(snapshot.customers))[history.customer_index]
    last = {f"in_last_{n}": np.bincount(pair[later < n], minlength=n_pairs) for n in LAST_ORDERS[1:]}
    faded = {f"faded_{each:g}": sum_by(pair, each**later, n_pairs) for each in ORDER_DECAYS}
    return {
        "orders_since_last": since,
        "share_of_orders": history.orders / np.maximum(total, 1),
        "share_since_first": history.orders / (first + 1),
        **last,
        **faded,
    }


def _timing(snapshot: Snapshot, rhythm: PairRhythms, horizon_days: int) -> dict[str, NDArray[np.generic]]:
    """The pair's own rhythm, how far the time since the last purchase is into it, and the chance that it makes.

    The chance is that of a return in rhythm: a gap that ends within the horizon, given that it has lasted so far, and a
    customer who may have left; `recommender.slate.due` adds those who come late.
    """
    log_gap, sd, share = rhythm.pairs
    elapsed = np.maximum(snapshot.as_of_day - rhythm.history.day[rhythm.history.last_visit], 0.5)
    gone = _bought_by(elapsed, log_gap, sd)
    due = share * (_bought_by(elapsed + horizon_days, log_gap, sd) - gone) / np.maximum(1 - share * gone, 1e-9)
    return {
        "log_gap": log_gap,
        "log_gap_sd": sd,
        "return_share": share,
        "lateness": (np.log(elapsed) - log_gap) / sd,
        "log_elapsed_gaps": np.log(elapsed) - log_gap,
        "due": due,
    }


def _quantities(history: History) -> dict[str, NDArray[np.generic]]:
    """Logarithm of the last and of the mean quantity."""
    return {
        "last_quantity": np.log1p(history.quantity[history.last_visit]),
        "quantity": np.log1p(history.sum_by_pair(history.quantity) / np.maximum(history.visits, 1)),
    }


def _pair_of_line(snapshot: Snapshot, history: History) -> NDArray[np.int64]:
    """(n_lines,) position of each line's customer and product in `history`."""
    n_products = len(snapshot.products)
    keys = history.customer_index * n_products + history.product_index
    return np.searchsorted(keys, snapshot.customer_index.astype(np.int64) * n_products + snapshot.product_index)


def _bought_by(days: Floats, log_gap: Floats, sd: Floats) -> Floats:
    share: Floats = ndtr((np.log(days) - log_gap) / sd)
    return share
