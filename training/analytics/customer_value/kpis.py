"""Key figures of the shop: repeat share, churn and value, by month and by group."""

from typing import Any

import polars as pl

from training.analytics.customer_value.cohorts import last_day_of_month, month_expression, month_label, month_of_day


def shop_kpis(order_days: pl.DataFrame, profiles: pl.DataFrame, until: int, window_days: int) -> dict[str, Any]:
    """The figures of the whole shop at the end of the day `until`.

    Args:
        order_days: schema ORDER_DAYS.
        profiles: schema PROFILES.
        until: days since 1970-01-01.
        window_days: see `churn_rate`.

    Returns:
        customers, orders, orders_per_customer, repeat_purchase_rate (share of the customers with two orders or more),
        median_days_between_orders (of the means of those), churn_rate, active_customers (ordered within the last
        `window_days`), revenue, revenue_per_customer, average_order_value (of orders with a known price),
        predicted_number_of_orders and predicted_clv (summed). Null where nothing is known.
    """
    past = order_days.filter(pl.col("day") <= until).rechunk()
    customers, orders, revenue = len(profiles), len(past), _sum(past["value"])
    return {
        "customers": customers,
        "orders": orders,
        "orders_per_customer": _ratio(orders, customers),
        "repeat_purchase_rate": _ratio(len(profiles.filter(pl.col("frequency") > 1)), customers),
        "median_days_between_orders": profiles["average_days_between_orders"].median(),
        "churn_rate": churn_rate(order_days, until, window_days),
        "active_customers": len(profiles.filter(pl.col("recency_days") < window_days)),
        "revenue": revenue,
        "revenue_per_customer": _ratio(revenue, customers),
        "average_order_value": past["value"].mean(),
        "predicted_number_of_orders": _sum(profiles["predicted_number_of_orders"]),
        "predicted_clv": _sum(profiles["predicted_clv"]),
    }


def churn_rate(order_days: pl.DataFrame, until: int, window_days: int) -> float | None:
    """Of the customers who ordered in the window before the last, the share that did not order in the last.

    A window is `window_days` long, the last ends with the day `until`. None where nobody ordered in the one before.
    """
    days_ago = until - pl.col("day")
    before = order_days.filter(days_ago.is_between(window_days, 2 * window_days - 1)).select("customer_id").unique()
    last = order_days.filter(days_ago.is_between(0, window_days - 1))
    return _ratio(len(before.join(last, on="customer_id", how="anti")), len(before))


def by_month(order_days: pl.DataFrame, until: int, window_days: int) -> list[dict[str, Any]]:
    """One dict per calendar month from the first order to `until`, oldest first; none without orders.

    month (`2026-11`), whole (whether its last day is known), orders, customers, new_customers, repeat_order_share (of
    its orders, those by customers who had ordered on an earlier day), revenue, average_order_value, churn_rate (see
    `churn_rate`, at the month's end; null until two windows are known).
    """
    # numbers in place of names: customers are counted over and over
    past = order_days.filter(pl.col("day") <= until).with_columns(pl.col("customer_id").rle_id()).rechunk()
    if past.is_empty():
        return []
    is_first = pl.col("day") == pl.col("day").min().over("customer_id")
    value = pl.col("value")
    months = (
        past.with_columns(month_expression(), is_first.alias("is_first"))
        # in one piece and in order: the same sums to the last digit on any number of cores
        .group_by("month", maintain_order=True)
        .agg(
            pl.len().alias("orders"),
            pl.col("customer_id").n_unique().alias("customers"),
            pl.col("is_first").sum().alias("new_customers"),
            (1 - pl.col("is_first").mean()).alias("repeat_order_share"),
            pl.when(value.count() > 0).then(value.sum()).alias("revenue"),
            value.mean().alias("average_order_value"),
        )
        .sort("month")
    )
    every = pl.int_range(months["month"][0], month_of_day(until) + 1, dtype=pl.Int32, eager=True).alias("month")
    rows = every.to_frame().join(months, on="month", how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("orders", "customers", "new_customers").fill_null(0))
    known_from = int(past["day"].min()) + 2 * window_days - 1  # type: ignore[arg-type]
    return [_with_churn(row, past, until, window_days, known_from) for row in rows.iter_rows(named=True)]


def by_group(profiles: pl.DataFrame, group: str) -> list[dict[str, Any]]:
    """Value of each group of a column of PROFILES, in the order of its names; groups without customers are left out.

    name, customers, customer_share, revenue, revenue_share, average_order_value (of its customers), churn_probability
    (mean), predicted_clv (sum), predicted_clv_per_customer.
    """
    revenue = _sum(profiles["monetary"])
    names = profiles.schema[group].categories  # type: ignore[attr-defined]
    parts = {name: profiles.filter(pl.col(group) == name).rechunk() for name in names}
    return [_describe_group(name, part, len(profiles), revenue) for name, part in parts.items() if len(part)]


def _describe_group(name: str, part: pl.DataFrame, n_customers: int, revenue: float | None) -> dict[str, Any]:
    own, predicted = _sum(part["monetary"]), _sum(part["predicted_clv"])
    return {
        "name": name,
        "customers": len(part),
        "customer_share": len(part) / n_customers,
        "revenue": own,
        "revenue_share": _ratio(own, revenue or 0),
        "average_order_value": part["average_order_value"].mean(),
        "churn_probability": part["churn_probability"].mean(),
        "predicted_clv": predicted,
        "predicted_clv_per_customer": _ratio(predicted, len(part)),
    }


def _with_churn(
    row: dict[str, Any], past: pl.DataFrame, until: int, window_days: int, known_from: int
) -> dict[str, Any]:
    month = int(row["month"])
    end = last_day_of_month(month)
    day = min(end, until)
    churn = churn_rate(past, day, window_days) if day >= known_from else None
    return {**row, "month": month_label(month), "whole": end <= until, "churn_rate": churn}


def _sum(values: pl.Series) -> float | None:
    return float(values.sum()) if values.count() else None


def _ratio(part: float | None, whole: float) -> float | None:
    return part / whole if part is not None and whole else None
