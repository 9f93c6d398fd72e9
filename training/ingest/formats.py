"""Named formats of exports: their columns, their hooks, and the rows that are normal and no purchase.

A format is data. `prepare` reshapes one file where columns alone do not say it, `combine` joins the files of a folder
into one. Rows that `left_out` matches are normal there (postage lines, guests): they are counted, not called bad.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from training.ingest.exports import combine_instacart, prepare_ga4, prepare_online_retail, prepare_shopify
from training.ingest.schema import EVENTS_KNOWN, PURCHASE_COLUMNS

Prepare = Callable[[pl.LazyFrame], pl.LazyFrame]
Combine = Callable[[Mapping[str, pl.LazyFrame]], pl.LazyFrame]


@dataclass(frozen=True)
class Format:
    """The format of one kind of export.

    Attributes:
        about: one line for people.
        columns: our name → names that the export may use, best first.
        left_out: reason → rows that are normal there and no purchase by a customer; over our columns.
        prepare: reshapes one file before its columns are taken.
        combine: joins files (stem → frame) into one frame; None: each file stands for itself.
        time_patterns: strptime patterns besides ISO-8601.
    """

    about: str
    columns: Mapping[str, tuple[str, ...]]
    left_out: Mapping[str, pl.Expr] = field(default_factory=dict)
    prepare: Prepare = lambda frame: frame
    combine: Combine | None = None
    time_patterns: tuple[str, ...] = ()


_NO_CUSTOMER = pl.col("customer_id").is_null()
_EVENT = pl.col("status").str.to_lowercase()
_PURCHASE_EVENTS = ("purchase", "purchased", "buy", "bought", "order", "checkout", "transaction")

FORMATS: dict[str, Format] = {
    "reprise": Format(
        about="our own names: customer_id, product_id, ordered_at, and the optional ones",
        columns={name: (name,) for name in PURCHASE_COLUMNS},
    ),
    "online-retail": Format(
        about="UCI Online Retail and Online Retail II",
        columns={
            "customer_id": ("Customer ID", "CustomerID"),
            "product_id": ("StockCode",),
            "ordered_at": ("InvoiceDate",),
            "order_id": ("Invoice", "InvoiceNo"),
            "quantity": ("Quantity",),
            "unit_price": ("Price", "UnitPrice"),
            "title": ("Description",),
        },
        left_out={
            "no customer (guest sale)": _NO_CUSTOMER,
            # the data set's documentation: a product has a 5-digit code; here one or two letters name its variant
            "not a product code": ~pl.col("product_id").str.contains(r"^\d{5}[A-Z]{0,2}$"),
            "price 0": (pl.col("unit_price") <= 0) & (pl.col("quantity") > 0),
        },
        prepare=prepare_online_retail,
        time_patterns=("%m/%d/%Y %H:%M",),
    ),
    "shopify": Format(
        about="Shopify's orders export (CSV)",
        columns={
            "customer_id": ("Customer ID", "Customer Id", "Email"),
            "product_id": ("Lineitem sku",),
            "ordered_at": ("Created at",),
            "order_id": ("Name",),
            "quantity": ("Lineitem quantity",),
            "unit_price": ("Lineitem price",),
            "status": ("Financial Status",),
            "title": ("Lineitem name",),
        },
        left_out={"no customer (guest or till)": _NO_CUSTOMER},
        prepare=prepare_shopify,
    ),
    "ga4": Format(
        about="GA4 purchase events from BigQuery: JSON-lines or Parquet with items, or a flattened table",
        columns={
            "customer_id": ("user_id", "user_pseudo_id"),
            "product_id": ("item_id", "items.item_id", "items_item_id"),
            "ordered_at": ("event_timestamp", "event_date"),
            "order_id": ("transaction_id", "ecommerce.transaction_id", "ecommerce_transaction_id"),
            "quantity": ("quantity", "items.quantity", "items_quantity"),
            "unit_price": ("price", "items.price", "items_price"),
            "status": ("event_name",),
            "title": ("item_name", "items.item_name", "items_item_name"),
            "category": ("item_category", "items.item_category", "items_item_category"),
        },
        left_out={
            EVENTS_KNOWN: ~_EVENT.is_in(("purchase", "refund")),
            "no customer (no consent)": _NO_CUSTOMER,
        },
        prepare=prepare_ga4,
    ),
    "personalize": Format(
        about="Amazon Personalize interactions",
        columns={
            "customer_id": ("USER_ID",),
            "product_id": ("ITEM_ID",),
            "ordered_at": ("TIMESTAMP",),
            "status": ("EVENT_TYPE",),
        },
        # a file without any purchase event is one of purchases under another name
        left_out={
            EVENTS_KNOWN: _EVENT.is_in(_PURCHASE_EVENTS).any() & ~_EVENT.is_in(_PURCHASE_EVENTS),
        },
    ),
    "instacart": Format(
        about="Instacart Market Basket: a folder with orders.csv and order_products__*.csv",
        columns={
            "customer_id": ("user_id",),
            "product_id": ("product_id",),
            "ordered_at": ("ordered_at",),
            "order_id": ("order_id",),
            "title": ("product_name",),
            "category": ("department", "department_id"),
        },
        combine=combine_instacart,
    ),
}
