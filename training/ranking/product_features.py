"""Features of a product for all customers, and of a customer for all products."""

import numpy as np
from numpy.typing import NDArray

from training.dataset.orders import Orders
from training.dataset.pair_history import Floats, History, sum_by
from training.dataset.snapshot import Snapshot
from training.models.repurchase import Gaps
from training.ranking.feature_table import Columns
from training.ranking.pair_features import YEAR_DAYS

_WINDOWS = (0.25, 0.5, 1.0, 3.0, 12.0)
"""Windows of popularity, in horizons: with 30 days a week, a fortnight, a month, a quarter, a year."""
_CONVERSIONS = (1.0, 3.0)
"""Windows of conversion, in horizons, and the owners that a product borrows, one in twenty of whom came back."""
_OWNERS = 20.0
_TEMPO_DECAYS = (1.0, 3.0, 12.0)
"""Half-lives of a customer's orders, in horizons."""

FeatureColumns = dict[str, NDArray[np.generic]]


def product_features(
    snapshot: Snapshot, history: History, rhythms: Gaps, prices: NDArray[np.float64], horizon_days: int
) -> Columns:
    """Every feature by product_index, from everybody; `prices` (n_products,) are NaN where unknown."""
    groups = (
        _popularity(snapshot, horizon_days),
        _newcomers(snapshot, history, horizon_days),
        _conversion(snapshot, history, horizon_days),
        _season(snapshot, horizon_days),
        _life(snapshot, 3 * horizon_days),
        _repeats(history, rhythms),
        _lines(snapshot),
        {"price": np.log1p(prices)},
    )
    return {f"product_{name}": values.astype(np.float32) for group in groups for name, values in group.items()}


def customer_features(
    snapshot: Snapshot, history: History, orders: Orders, prices: NDArray[np.float64], horizon_days: int
) -> Columns:
    """Every feature by customer_index; `prices` as in `product_features`."""
    groups = (
        _tempo(snapshot, orders, horizon_days),
        _baskets(snapshot, orders),
        _habits(snapshot, history, orders),
        {"price": _mean_price(snapshot, prices)},
    )
    return {f"customer_{name}": values.astype(np.float32) for group in groups for name, values in group.items()}


def _popularity(snapshot: Snapshot, horizon_days: int) -> FeatureColumns:
    """Orders in the last week, month, quarter, year, as logarithms, and the growth of the short over the long."""
    sold = {each: _sold(snapshot, 0, each * horizon_days) for each in _WINDOWS}
    week, _, month, quarter, _ = _WINDOWS
    return {
        **{f"sold_{each:g}": np.log1p(sold[each]) for each in _WINDOWS},
        "growth": np.log1p(sold[month]) - np.log1p(sold[quarter] * month / quarter),
        "growth_week": np.log1p(sold[week]) - np.log1p(sold[month] * week / month),
    }


def _newcomers(snapshot: Snapshot, history: History, horizon_days: int) -> FeatureColumns:
    """Customers who bought the product for the first time lately: what people discover, not what they live on."""
    age = snapshot.as_of_day - history.day[history.first_visit]
    n_products = len(snapshot.products)
    month = np.bincount(history.product_index[age <= horizon_days], minlength=n_products)
    quarter = np.bincount(history.product_index[age <= 3 * horizon_days], minlength=n_products)
    return {
        "discovered_1": np.log1p(month),
        "discovered_3": np.log1p(quarter),
        "discovered_share": (month + 1) / (_sold(snapshot, 0, horizon_days) + 2),
    }


def _conversion(snapshot: Snapshot, history: History, horizon_days: int) -> FeatureColumns:
    """Of those who had bought the product before a window, the share who bought it again in it."""
    shares: FeatureColumns = {}
    for each in _CONVERSIONS:
        begin = snapshot.as_of_day - each * horizon_days
        own = history.day[history.first_visit] < begin
        again = own & (history.day[history.last_visit] >= begin)
        owners, returned = (
            np.bincount(history.product_index[who], minlength=len(snapshot.products)) for who in (own, again)
        )
        shares[f"conversion_{each:g}"] = (returned + 1) / (owners + _OWNERS)
    return shares


def _season(snapshot: Snapshot, horizon_days: int) -> FeatureColumns:
    """What sold a year ago in the days that are coming now, alone and against the days before these."""
    coming = _sold(snapshot, YEAR_DAYS - horizon_days, YEAR_DAYS)
    before = _sold(snapshot, YEAR_DAYS, YEAR_DAYS + horizon_days)
    return {"season": np.log1p(coming), "season_growth": np.log1p(coming) - np.log1p(before)}


def _life(snapshot: Snapshot, days: float) -> FeatureColumns:
    """Days since the product was first and last sold, and the orders missed since, at the rate of the last `days`.

    Many are missed where it is sold out. NaN where it never was sold.
    """
    first, last = np.full(len(snapshot.products), np.nan), np.full(len(snapshot.products), np.nan)
    np.fmin.at(first, snapshot.product_index, snapshot.day)
    np.fmax.at(last, snapshot.product_index, snapshot.day)
    since = snapshot.as_of_day - last
    missed = np.log1p(since * (_sold(snapshot, 0, days) + 0.5) / days)
    return {"age_days": snapshot.as_of_day - first, "days_since_sold": since, "missed_orders": missed}


def _repeats(history: History, rhythms: Gaps) -> FeatureColumns:
    """How many buyers it has, how many come back, after how long."""
    log_gap, sd, share = rhythms
    return {
        "buyers": np.log1p(np.bincount(history.product_index, minlength=len(share))),
        "return_share": share,
        "log_gap": log_gap,
        "log_gap_sd": sd,
    }


def _lines(snapshot: Snapshot) -> FeatureColumns:
    """Mean logarithm of the quantity of one line."""
    lines = np.bincount(snapshot.product_index, minlength=len(snapshot.products))
    quantity = sum_by(snapshot.product_index, np.log1p(snapshot.quantity), len(snapshot.products))
    return {"quantity": quantity / np.maximum(lines, 1)}


def _tempo(snapshot: Snapshot, orders: Orders, horizon_days: int) -> FeatureColumns:
    """How many orders, how lately, how regularly; how late the next one is against the own mean gap."""
    age, customer, n = snapshot.as_of_day - orders.day, orders.customer_index, len(snapshot.customers)
    n_orders = np.bincount(customer, minlength=n)
    first, last = np.zeros(n), np.full(n, np.inf)
    np.maximum.at(first, customer, age)
    np.minimum.at(last, customer, age)
    gap = np.where(n_orders > 1, (first - last) / np.maximum(n_orders - 1, 1), np.nan)
    season = (age <= YEAR_DAYS) & (age > YEAR_DAYS - horizon_days)
    faded = {f"orders_{each:g}": sum_by(customer, 0.5 ** (age / (each * horizon_days)), n) for each in _TEMPO_DECAYS}
    return {
        "orders": n_orders,
        "days_since_first": first,
        "days_since_last": last,
        "order_gap": gap,
        "lateness": last / np.maximum(gap, 1),
        "season_orders": sum_by(customer, season, n),
        **faded,
    }


def _baskets(snapshot: Snapshot, orders: Orders) -> FeatureColumns:
    """Distinct products in the mean order and in the last one."""
    n = len(snapshot.customers)
    n_orders = np.maximum(np.bincount(orders.customer_index, minlength=n), 1)
    return {
        "basket": sum_by(orders.customer_index, orders.lines, n) / n_orders,
        "last_basket": sum_by(orders.customer_index, orders.lines * (orders.later == 0), n),
    }


def _habits(snapshot: Snapshot, history: History, orders: Orders) -> FeatureColumns:
    """Distinct products, the share of them bought again, and how much of the latest orders was new to the customer."""
    n = len(snapshot.customers)
    products = np.bincount(history.customer_index, minlength=n)
    repeated = sum_by(history.customer_index, history.visits > 1, n)
    recent_day = _day_of_order(orders, n, 3)
    is_recent = history.day >= recent_day[history.customer_index[history.pair]]
    is_new = np.zeros(len(history.day), dtype=bool)
    is_new[history.first_visit] = True
    recent = sum_by(history.customer_index[history.pair], is_recent, n)
    new = sum_by(history.customer_index[history.pair], is_recent & is_new, n)
    return {
        "products": products,
        "repeat_share": repeated / np.maximum(products, 1),
        "new_share": new / np.maximum(recent, 1),
    }


def _day_of_order(orders: Orders, n_customers: int, n: int) -> Floats:
    """Day of each customer's n-th last order, or of the first where there are fewer."""
    day = np.full(n_customers, np.inf)
    kept = orders.later < n
    np.minimum.at(day, orders.customer_index[kept], orders.day[kept])
    return day


def _mean_price(snapshot: Snapshot, prices: Floats) -> Floats:
    """Mean logarithm of the prices of what the customer buys; NaN where none is known."""
    log_price = np.log1p(prices)[snapshot.product_index]
    known = np.isfinite(log_price)
    n = len(snapshot.customers)
    lines = np.bincount(snapshot.customer_index[known], minlength=n)
    total = sum_by(snapshot.customer_index[known], log_price[known], n)
    return np.where(lines > 0, total / np.maximum(lines, 1), np.nan)


def _sold(snapshot: Snapshot, youngest: float, oldest: float) -> Floats:
    """(n_products,) orders between `youngest` (exclusive) and `oldest` days ago."""
    age = snapshot.as_of_day - snapshot.day
    return sum_by(snapshot.product_index, (age > youngest) & (age <= oldest), len(snapshot.products))
