"""Bot detection: customer ids that are no person, such as tills, bots and shared guest checkouts.

The rule, stated in the report, needs at least FEWEST_CUSTOMERS customers; one of two signs is enough:

- more than 1/√n of all purchases, and more than SMALLEST_SHARE, n being the number of customers. A fair share is 1/n:
  in a shop of 100 nobody alone buys a tenth, in one of 5,000 nobody a twentieth.
- more than ORDERS_PER_DAY orders on an average day with orders, over at least FEWEST_ORDERS orders.

Wholesalers buy much, but neither that large a share nor a dozen times a day.
"""

import polars as pl

FEWEST_CUSTOMERS = 10
SMALLEST_SHARE = 0.05
ORDERS_PER_DAY = 10.0
FEWEST_ORDERS = 100
RULE = (
    f"more than 1/√customers of all purchases (and over {SMALLEST_SHARE:.0%}), or over {ORDERS_PER_DAY:.0f} orders a "
    f"day in {FEWEST_ORDERS} or more orders; asked from {FEWEST_CUSTOMERS} customers on"
)


def find_suspects(purchases: pl.DataFrame) -> pl.DataFrame:
    """Suspicious customers, most purchases first.

    Args:
        purchases: customer_id, order_id, ordered_at; one row per purchase.

    Returns:
        customer_id, purchases UInt32, share Float64 (of all purchases), orders_per_day Float64 (on days with orders).
        No rows where there are fewer than FEWEST_CUSTOMERS customers.
    """
    lines = purchases.lazy().group_by("customer_id").agg(pl.len().cast(pl.UInt32).alias("purchases"))
    counts = lines.collect(engine="streaming")  # a seventh of the memory
    large = max(SMALLEST_SHARE, len(counts) ** -0.5) if len(counts) else 1.0
    share = pl.col("purchases") / max(len(purchases), 1)
    # orders are only counted where there can be enough of them: that is a few customers
    busy = counts.filter((pl.col("purchases") >= FEWEST_ORDERS) | (share > large)).with_columns(share.alias("share"))
    days = (
        purchases.lazy()
        .join(busy.lazy().select("customer_id"), on="customer_id", how="semi")
        .group_by("customer_id")
        .agg(pl.col("order_id").n_unique().alias("orders"), pl.col("ordered_at").dt.date().n_unique().alias("days"))
        .with_columns((pl.col("orders") / pl.col("days")).alias("orders_per_day"))
        .collect()
    )
    many = (pl.col("orders") >= FEWEST_ORDERS) & (pl.col("orders_per_day") > ORDERS_PER_DAY)
    found = busy.join(days, on="customer_id").filter(many | (pl.col("share") > large))
    found = found.select("customer_id", "purchases", "share", "orders_per_day").sort(
        "purchases", "customer_id", descending=[True, False]
    )
    return found if len(counts) >= FEWEST_CUSTOMERS else found.clear()
