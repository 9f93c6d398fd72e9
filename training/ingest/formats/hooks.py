"""Hooks of formats: preparation of exports that are no table of purchase lines."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from recommender.errors import UnreadableFileError
from training.cells.ids import filled
from training.tables.files import BROKEN, LINE

INSTACART_START = datetime(2015, 1, 1, tzinfo=UTC)
"""Instacart has no dates: every customer's first order is set on this day, the others by days since the prior one."""
DUNNHUMBY_START = datetime(2016, 1, 1, tzinfo=UTC)
"""dunnhumby has days numbered from 1 and no dates: day 1 is set on this day."""
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

    The customer is known by the first that is filled of id, e-mail address and phone number. A cancelled order gets the
    status `cancelled`; a line without SKU is known by its name.
    """
    names = rows.collect_schema().names()
    if "Name" not in names:
        return rows
    who = [name for name in ("Customer ID", "Customer Id", "Email", "Phone") if name in names]
    per_order = [*who, *(name for name in ("Created at", "Financial Status", "Cancelled at") if name in names)]
    rows = rows.with_columns(filled(name).first(ignore_nulls=True).over("Name") for name in per_order)
    if len(who) > 1:
        rows = rows.with_columns(pl.coalesce(who).alias(who[0]))
    if {"Financial Status", "Cancelled at"} <= set(names):
        cancelled = pl.when(pl.col("Cancelled at").is_not_null()).then(pl.lit("cancelled"))
        rows = rows.with_columns(cancelled.otherwise("Financial Status").alias("Financial Status"))
    if {"Lineitem sku", "Lineitem name"} <= set(names):
        rows = rows.with_columns(pl.coalesce(filled("Lineitem sku"), "Lineitem name").alias("Lineitem sku"))
    return rows


def prepare_ga4(rows: pl.LazyFrame) -> pl.LazyFrame:
    """GA4 rows, one per item of an event's `items`; flattened tables stay as they are.

    `user_id` is filled from `user_pseudo_id` where the visitor was not signed in.
    """
    schema = rows.collect_schema()
    if {"user_id", "user_pseudo_id"} <= set(schema.names()):
        rows = rows.with_columns(pl.coalesce(filled("user_id"), "user_pseudo_id").alias("user_id"))
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


def prepare_woocommerce(rows: pl.LazyFrame) -> pl.LazyFrame:
    """WooCommerce lines that all have their order's cells, which may stand on the first line only.

    The customer is known by the number of the account or else the e-mail address, a product by its SKU or else its
    number or its name. A price and a refunded quantity that are not there follow from the line's other numbers.
    """
    names = rows.collect_schema().names()
    if "Order Number" in names:
        of_order = [
            name for name in ("Order Status", "Order Date", "Email (Billing)", "Customer User ID") if name in names
        ]
        further = (
            filled("Order Number").is_null() & filled("Item Name" if "Item Name" in names else "SKU").is_not_null()
        )
        cells = [pl.when(further).then(filled(name).forward_fill()).otherwise(filled(name)) for name in of_order]
        number = pl.when(further).then(filled("Order Number").forward_fill()).otherwise(filled("Order Number"))
        rows = rows.with_columns(*(cell.alias(name) for cell, name in zip(cells, of_order, strict=True)))
        rows = rows.with_columns(number.alias("Order Number"))
    rows = _firstfilled(rows, ("Customer User ID", "customer_id", "Email (Billing)", "billing_email", "customer_email"))
    rows = _firstfilled(rows, ("SKU", "item_sku", "Product Id", "item_product_id", "Item Name", "item_name"))
    if {"Quantity", "Quantity (- Refund)"} <= set(names) and "Quantity Refunded" not in names:
        bought, left = (pl.col(name).cast(pl.Float64, strict=False) for name in ("Quantity", "Quantity (- Refund)"))
        rows = rows.with_columns((bought - left).alias("Quantity Refunded"))
    if "item_price" not in names and {"item_total", "item_quantity"} <= set(names):
        rows = rows.with_columns(_share("item_total", "item_quantity").alias("item_price"))
    return rows


def _firstfilled(rows: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Rows whose first of these columns holds the first of them that is filled; 0 stands for nothing."""
    present = [name for name in names if name in rows.collect_schema().names()]
    if len(present) < 2:
        return rows
    cells = [pl.when(filled(name) != "0").then(filled(name)) for name in present]
    return rows.with_columns(pl.coalesce(cells).alias(present[0]))


def _share(total: str, quantity: str) -> pl.Expr:
    """The price of one, from a line's total; null where it cannot be known."""
    units = pl.col(quantity).cast(pl.Float64, strict=False)
    return pl.when(units > 0).then(pl.col(total).cast(pl.Float64, strict=False) / units)


def prepare_magento(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Magento items, of which those that are a part of another line have the status `part of another line`.

    A customer without an account is known by the e-mail address.
    """
    names = rows.collect_schema().names()
    rows = _firstfilled(rows, ("customer_id", "Customer ID", "customer_email"))
    if "parent_item_id" not in names:
        return rows
    part = pl.when(filled("parent_item_id").is_not_null()).then(pl.lit("part of another line"))
    status = pl.col("status").cast(pl.String) if "status" in names else pl.lit(None, pl.String)
    return rows.with_columns(part.otherwise(status).alias("status"))


def combine_magento(files: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Magento items with their order's number, customer, time and status.

    Args:
        files: `sales_order` and `sales_order_item`, or with `flat` in their names as in Magento 1.
    """
    items, orders = _file(files, "order_item"), _file(files, "order")
    header = orders.collect_schema().names()
    wanted = [
        name for name in ("increment_id", "customer_id", "customer_email", "created_at", "status") if name in header
    ]
    of_order = orders.select(pl.col("entity_id").alias("order_id"), *wanted)
    lines = items.drop(wanted, strict=False).join(of_order, on="order_id", how="left")
    return prepare_magento(lines)


def combine_prestashop(files: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """PrestaShop's lines with their order's customer, time and state.

    Args:
        files: `orders` and `order_detail`, or with the shop's prefix (`ps_orders`).
    """
    header = _file(files, "orders").collect_schema().names()
    wanted = [name for name in ("id_customer", "date_add", "current_state", "reference") if name in header]
    of_order = _file(files, "orders").select("id_order", *wanted)
    return _file(files, "order_detail").drop(wanted, strict=False).join(of_order, on="id_order", how="left")


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
    """Dunnhumby's lines with the price of one and a date: day 1 is DUNNHUMBY_START; TRANS_TIME is 1631 for 16:31."""
    names = rows.collect_schema().names()
    if "DAY" in names:
        day = pl.col("DAY").cast(pl.Int64, strict=False) - 1
        clock = pl.col("TRANS_TIME").cast(pl.Int64, strict=False).fill_null(0) if "TRANS_TIME" in names else pl.lit(0)
        minutes = day * 24 * 60 + clock // 100 * 60 + clock % 100
        ordered_at = pl.lit(DUNNHUMBY_START) + pl.duration(minutes=minutes, time_unit="us")
        rows = rows.with_columns(ordered_at.alias("ordered_at"))
    return _with_price(rows, "SALES_VALUE", "QUANTITY")


def prepare_tafeng(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Ta-Feng's lines with the price of one."""
    return _with_price(rows, "SALES_PRICE", "AMOUNT")


def _with_price(rows: pl.LazyFrame, total: str, quantity: str) -> pl.LazyFrame:
    if not {total, quantity} <= set(rows.collect_schema().names()):
        return rows
    return rows.with_columns(_share(total, quantity).alias("unit_price"))


def combine_dunnhumby(files: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Dunnhumby's lines with the price of one and, where product.csv is there, the product's group."""
    return prepare_dunnhumby(_with_products(files, "transaction_data", "product", "PRODUCT_ID"))


def combine_hm(files: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """H&M's lines and, where articles.csv is there, the article's name and type."""
    return _with_products(files, "transactions", "articles", "article_id")


def _with_products(files: Mapping[str, pl.LazyFrame], lines: str, products: str, key: str) -> pl.LazyFrame:
    """The files whose stem begins with `lines`, joined with the file `products`, where there is one."""
    joined = pl.concat([frame for stem, frame in sorted(files.items()) if stem.startswith(lines)])
    if products not in files:
        return joined
    return joined.join(files[products].drop(LINE, BROKEN), on=key, how="left")


def _file(files: Mapping[str, pl.LazyFrame], end: str) -> pl.LazyFrame:
    """The file whose stem ends so."""
    return next(frame for stem, frame in sorted(files.items()) if stem.endswith(end))


PREPARE: Mapping[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    "online_retail": prepare_online_retail,
    "shopify": prepare_shopify,
    "ga4": prepare_ga4,
    "woocommerce": prepare_woocommerce,
    "magento": prepare_magento,
    "dunnhumby": prepare_dunnhumby,
    "tafeng": prepare_tafeng,
}
"""Hooks that reshape one file, by the names that formats call them by."""

COMBINE: Mapping[str, Callable[[Mapping[str, pl.LazyFrame]], pl.LazyFrame]] = {
    "instacart": combine_instacart,
    "magento": combine_magento,
    "prestashop": combine_prestashop,
    "olist": combine_olist,
    "dunnhumby": combine_dunnhumby,
    "hm": combine_hm,
}
"""Hooks that join the files of a folder (stem → frame) into one frame."""
