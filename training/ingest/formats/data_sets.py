"""Hooks of public data sets: the dates and prices that they lack, and the join of their files."""

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from recommender.errors import UnreadableFileError
from training.ingest.formats.lines import price_of_one
from training.tables.files import BROKEN, LINE

INSTACART_START = datetime(2015, 1, 1, tzinfo=UTC)
"""Instacart has no dates: every customer's first order is set on this day, the others by days since the prior one."""
DUNNHUMBY_START = datetime(2016, 1, 1, tzinfo=UTC)
"""dunnhumby has days numbered from 1 and no dates: day 1 is set on this day."""


def prepare_online_retail(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Online Retail rows with clean ids: `85123a` is product `85123A`, and `13085.0` customer `13085`."""
    names = rows.collect_schema().names()
    rules = {"StockCode": pl.col("StockCode").cast(pl.String).str.strip_chars().str.to_uppercase()} | {
        name: pl.col(name).cast(pl.String).str.replace(r"\.0$", "") for name in ("Customer ID", "CustomerID")
    }
    return rows.with_columns(rule.alias(name) for name, rule in rules.items() if name in names)


def combine_instacart(files: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Instacart lines with their order's customer and a relative date (see INSTACART_START), and the product's name.

    Args:
        files: `orders`, one or more whose stem begins with `order_products`, and perhaps `products`, `departments`.

    Raises:
        UnreadableFileError: the orders or the order lines are not there.
    """
    parts = [frame for stem, frame in sorted(files.items()) if stem.startswith("order_products")]
    if "orders" not in files or not parts:
        raise UnreadableFileError(
            f"instacart needs orders.csv and order_products__*.csv, found {', '.join(sorted(files)) or 'nothing'}; "
            "give the folder that holds them all"
        )
    lines = pl.concat(parts).join(_dated(files["orders"]), on="order_id", how="left")
    for stem, key in (("products", "product_id"), ("departments", "department_id")):
        if stem in files:
            lines = lines.join(files[stem].drop(LINE, BROKEN), on=key, how="left")
            if "department_id" not in lines.collect_schema():
                break
    return lines


def _dated(orders: pl.LazyFrame) -> pl.LazyFrame:
    """order_id, user_id, ordered_at of every order."""
    days = pl.col("days_since_prior_order").cast(pl.Float64, strict=False).fill_null(0.0)
    hours = pl.col("order_hour_of_day").cast(pl.Float64, strict=False).fill_null(0.0)
    number = pl.col("order_number").cast(pl.Int64, strict=False)
    hours_since = (days.cum_sum().over("user_id", order_by=number) * 24 + hours) * 3_600_000_000
    ordered_at = (pl.lit(INSTACART_START) + hours_since.cast(pl.Duration("us"))).alias("ordered_at")
    return orders.select("order_id", "user_id", ordered_at)


def combine_olist(files: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Olist's items with their order's status and time, its customer, and the product's category.

    Args:
        files: orders, items and customers, and perhaps products and the translation of their categories.

    Raises:
        UnreadableFileError: one of the first three is not there.
    """
    known = {
        key: next((frame for stem, frame in sorted(files.items()) if key in stem), None)
        for key in ("order_items", "orders", "customers", "products", "translation")
    }
    items, orders, customers = known["order_items"], known["orders"], known["customers"]
    if items is None or orders is None or customers is None:
        raise UnreadableFileError(
            "olist needs the files of orders, order_items and customers (in Olist's orders every customer_id is new), "
            f"found {', '.join(sorted(files)) or 'nothing'}; give the folder that holds them all"
        )
    lines = items.join(orders.drop(LINE, BROKEN), on="order_id", how="left")
    lines = lines.join(customers.select("customer_id", "customer_unique_id"), on="customer_id", how="left")
    for frame, key in ((known["products"], "product_id"), (known["translation"], "product_category_name")):
        if frame is not None and key in lines.collect_schema():
            lines = lines.join(frame.drop(LINE, BROKEN), on=key, how="left")
    return lines


def prepare_dunnhumby(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Dunnhumby's lines with the price of one and a date: day 1 is DUNNHUMBY_START; TRANS_TIME is 1631 for 16:31.

    The package `completejourney` has the same lines under names in lower case, with times of the year 2017.
    """
    names = rows.collect_schema().names()
    if "DAY" in names:
        day = pl.col("DAY").cast(pl.Int64, strict=False) - 1
        clock = pl.col("TRANS_TIME").cast(pl.Int64, strict=False).fill_null(0) if "TRANS_TIME" in names else pl.lit(0)
        minutes = day * 24 * 60 + clock // 100 * 60 + clock % 100
        ordered_at = pl.lit(DUNNHUMBY_START) + pl.duration(minutes=minutes, time_unit="us")
        rows = rows.with_columns(ordered_at.alias("ordered_at"))
    return _with_price(_with_price(rows, "SALES_VALUE", "QUANTITY"), "sales_value", "quantity")


def prepare_tafeng(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Ta-Feng's lines with the price of one."""
    return _with_price(rows, "SALES_PRICE", "AMOUNT")


def _with_price(rows: pl.LazyFrame, total: str, quantity: str) -> pl.LazyFrame:
    if not {total, quantity} <= set(rows.collect_schema().names()):
        return rows
    return rows.with_columns(price_of_one(total, quantity).alias("unit_price"))


def combine_dunnhumby(files: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Dunnhumby's lines with the price of one and, where product.csv is there, the product's group."""
    if any(stem.startswith("transaction_data") for stem in files):
        return prepare_dunnhumby(_with_products(files, "transaction_data", "product", "PRODUCT_ID"))
    return prepare_dunnhumby(_with_products(files, "transaction", "products", "product_id"))


def combine_hm(files: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """H&M's lines and, where articles.csv is there, the article's name and type."""
    return _with_products(files, "transactions", "articles", "article_id")


def _with_products(files: Mapping[str, pl.LazyFrame], lines: str, products: str, key: str) -> pl.LazyFrame:
    """The files whose stem begins with `lines`, joined with the file `products`, where there is one."""
    joined = pl.concat([frame for stem, frame in sorted(files.items()) if stem.startswith(lines)])
    if products not in files:
        return joined
    return joined.join(files[products].drop(LINE, BROKEN), on=key, how="left")
