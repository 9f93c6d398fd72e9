"""Hooks of shop systems and of their analytics: lines with all cells of their order."""

from collections.abc import Mapping

import polars as pl

from training.cells.ids import filled
from training.ingest.formats.lines import add_up, explode_items, first_filled, price_of_one

_SHOPIFY_ITEM = ("sku", "name", "price", "quantity", "current_quantity")
_SHOPIFY_ORDER = {
    "name": "Name",
    "customer.id": "Customer ID",
    "email": "Email",
    "phone": "Phone",
    "created_at": "Created at",
    "financial_status": "Financial Status",
    "cancelled_at": "Cancelled at",
}
_WOOCOMMERCE_ITEM = ("name", "product_id", "sku", "quantity", "total", "refunded_qty")
_GA4_ITEM = ("item_id", "item_name", "item_category", "price", "quantity")


def prepare_shopify(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Shopify or Squarespace lines that all have their order's cells, which stand on the first line only.

    The customer is known by the first that is filled of id, e-mail address and phone number. A cancelled order gets the
    status `cancelled`; a line without SKU is known by its name.
    """
    names = rows.collect_schema().names()
    if "line_items" in names and "Name" not in names:
        rows = _shopifys_json(rows)
        names = rows.collect_schema().names()
    order = next((name for name in ("Name", "Order ID") if name in names), None)
    if order is None:
        return rows
    who = [name for name in ("Customer ID", "Customer Id", "Email", "Phone") if name in names]
    per_order = [*who, *(name for name in ("Created at", "Financial Status", "Cancelled at") if name in names)]
    rows = rows.with_columns(filled(name).first(ignore_nulls=True).over(order) for name in per_order)
    if len(who) > 1:
        rows = rows.with_columns(pl.coalesce(who).alias(who[0]))
    if {"Financial Status", "Cancelled at"} <= set(names):
        cancelled = pl.when(pl.col("Cancelled at").is_not_null()).then(pl.lit("cancelled"))
        rows = rows.with_columns(cancelled.otherwise("Financial Status").alias("Financial Status"))
    if {"Lineitem sku", "Lineitem name"} <= set(names):
        rows = rows.with_columns(pl.coalesce(filled("Lineitem sku"), "Lineitem name").alias("Lineitem sku"))
    return rows


def _shopifys_json(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Orders of Shopify's API as lines under the names of its export, with what went back of each."""
    rows = explode_items(rows, "line_items", {key: f"Lineitem {key}" for key in _SHOPIFY_ITEM})
    rows = rows.rename(_SHOPIFY_ORDER, strict=False)
    left = pl.col("Lineitem current_quantity").cast(pl.Float64, strict=False)
    gone = pl.col("Lineitem quantity").cast(pl.Float64, strict=False) - left
    return rows.with_columns(gone.alias("Lineitem refunded"))


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


def prepare_woocommerce(rows: pl.LazyFrame) -> pl.LazyFrame:
    """WooCommerce lines that all have their order's cells, which may stand on the first line only.

    The customer is known by the number of the account or else the e-mail address, a product by its SKU or else its
    number or its name. A price and a refunded quantity that are not there follow from the line's other numbers. Orders
    that hold their items in one cell, as those of the REST interface do, become a line each.
    """
    names = rows.collect_schema().names()
    if "line_items" in names and "item_quantity" not in names:
        rows = explode_items(rows, "line_items", {key: f"item_{key}" for key in _WOOCOMMERCE_ITEM})
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
    emails = ("Email (Billing)", "billing_email", "billing.email", "customer_email")
    rows = first_filled(rows, ("Customer User ID", "customer_id", *emails))
    rows = first_filled(rows, ("SKU", "item_sku", "Product Id", "item_product_id", "Item Name", "item_name"))
    if {"Quantity", "Quantity (- Refund)"} <= set(names) and "Quantity Refunded" not in names:
        bought, left = (pl.col(name).cast(pl.Float64, strict=False) for name in ("Quantity", "Quantity (- Refund)"))
        rows = rows.with_columns((bought - left).alias("Quantity Refunded"))
    if "item_price" not in names and {"item_total", "item_quantity"} <= set(names):
        rows = rows.with_columns(price_of_one("item_total", "item_quantity").alias("item_price"))
    return rows


def prepare_magento(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Magento items, of which those that are a part of another line have the status `part of another line`.

    A customer without an account is known by the e-mail address. What was cancelled before it was sent counts as
    refunded.
    """
    names = rows.collect_schema().names()
    rows = first_filled(rows, ("customer_id", "Customer ID", "customer_email"))
    rows = add_up(rows, ("qty_refunded", "qty_canceled"))
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


def prepare_prestashop(rows: pl.LazyFrame) -> pl.LazyFrame:
    """PrestaShop's lines with what was refunded before it was sent and what came back afterwards in one number.

    An order that the shop says is not valid has the state `not valid`, unless its own state tells why: 6 is cancelled,
    7 refunded, 8 a payment that failed, 9 paid and not in stock, 13 paid on delivery.
    """
    rows = add_up(rows, ("product_quantity_refunded", "product_quantity_return"))
    names = rows.collect_schema().names()
    if "valid" not in names:
        return rows
    state = next((name for name in ("current_state", "id_order_state", "order_state") if name in names), None)
    known = pl.col(state).cast(pl.String) if state else pl.lit(None, pl.String)
    told = known.str.contains(r"^(?:6|7|8|9|13)$|\D").fill_null(value=False)
    unpaid = (pl.col("valid").cast(pl.String) == "0") & ~told
    return rows.with_columns(pl.when(unpaid).then(pl.lit("not valid")).otherwise(known).alias(state or "current_state"))


def combine_prestashop(files: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """PrestaShop's lines with their order's customer, time and state.

    Args:
        files: `orders` and `order_detail`, or with the shop's prefix (`ps_orders`).
    """
    header = _file(files, "orders").collect_schema().names()
    wanted = [name for name in ("id_customer", "date_add", "current_state", "reference", "valid") if name in header]
    of_order = _file(files, "orders").select("id_order", *wanted)
    lines = _file(files, "order_detail").drop(wanted, strict=False).join(of_order, on="id_order", how="left")
    return prepare_prestashop(lines)


def _file(files: Mapping[str, pl.LazyFrame], end: str) -> pl.LazyFrame:
    """The file whose stem ends so."""
    return next(frame for stem, frame in sorted(files.items()) if stem.endswith(end))
