"""Preparation of exports that are no table of purchase lines: the hooks of `training.ingest.formats`."""

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from recommender.errors import UnreadableFileError
from training.tables.files import BROKEN, LINE

INSTACART_START = datetime(2015, 1, 1, tzinfo=UTC)
"""Instacart has no dates: every customer's first order is set on this day, the others by days since the prior one."""
_GA4_ITEM = ("item_id", "item_name", "item_category", "price", "quantity")


def prepare_online_retail(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Online Retail rows with clean ids: `85123a` is product `85123A`, and `13085.0` customer `13085`."""
    names = rows.collect_schema().names()
    rules = {"StockCode": pl.col("StockCode").cast(pl.String).str.strip_chars().str.to_uppercase()} | {
        name: pl.col(name).cast(pl.String).str.replace(r"\.0$", "") for name in ("Customer ID", "CustomerID")
    }
    return rows.with_columns(rule.alias(name) for name, rule in rules.items() if name in names)


def prepare_shopify(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Shopify lines that all have their order's cells, which stand on the first line only.

    A cancelled order gets the status `cancelled`; a line without SKU is known by its name.
    """
    names = rows.collect_schema().names()
    if "Name" not in names:
        return rows
    per_order = [
        name
        for name in ("Email", "Customer ID", "Customer Id", "Created at", "Financial Status", "Cancelled at")
        if name in names
    ]
    rows = rows.with_columns(_filled(name).first(ignore_nulls=True).over("Name") for name in per_order)
    if {"Financial Status", "Cancelled at"} <= set(names):
        cancelled = pl.when(pl.col("Cancelled at").is_not_null()).then(pl.lit("cancelled"))
        rows = rows.with_columns(cancelled.otherwise("Financial Status").alias("Financial Status"))
    if {"Lineitem sku", "Lineitem name"} <= set(names):
        rows = rows.with_columns(pl.coalesce(_filled("Lineitem sku"), "Lineitem name").alias("Lineitem sku"))
    return rows


def _filled(name: str) -> pl.Expr:
    """The column with blank text as null."""
    text = pl.col(name).cast(pl.String)
    return pl.when(text.str.strip_chars() != "").then(text)


def prepare_ga4(rows: pl.LazyFrame) -> pl.LazyFrame:
    """GA4 rows, one per item of an event's `items`; flattened tables stay as they are.

    `user_id` is filled from `user_pseudo_id` where the visitor was not signed in.
    """
    schema = rows.collect_schema()
    if {"user_id", "user_pseudo_id"} <= set(schema.names()):
        rows = rows.with_columns(pl.coalesce(_filled("user_id"), "user_pseudo_id").alias("user_id"))
    if "ecommerce" in schema:
        rows = rows.with_columns(_inside("ecommerce", "transaction_id", schema["ecommerce"]))
    if "items" not in schema:
        return rows
    items = pl.col("items")
    if schema["items"] == pl.String:
        # one event whose items are no list must not stop the file
        items = pl.when(items.str.starts_with("[")).then(items)
        items = items.str.json_decode(pl.List(pl.Struct(dict.fromkeys(_GA4_ITEM, pl.String))))
    rows = rows.with_columns(items.alias("__item__")).explode("__item__")
    element = rows.collect_schema()["__item__"]
    present = [field.name for field in element.fields if field.name in _GA4_ITEM]  # type: ignore[attr-defined]
    return rows.with_columns(pl.col("__item__").struct.field(name).alias(name) for name in present).drop("__item__")


def _inside(column: str, key: str, dtype: pl.DataType) -> pl.Expr:
    """`key` of an object that is JSON text or a struct."""
    cell = pl.col(column)
    inner = cell.str.json_path_match(f"$.{key}") if dtype == pl.String else cell.struct.field(key)
    return inner.alias(key)


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
