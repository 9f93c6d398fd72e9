"""Hooks of product files: preparation of exports that do not say in one column what our columns hold."""

from collections.abc import Callable, Mapping

import polars as pl


def prepare_google(rows: pl.LazyFrame) -> pl.LazyFrame:
    """A Google feed with the sale's price as the price, where the sale has no end."""
    return _with_sale(rows, "price", "sale_price", ("sale_price_effective_date",))


def prepare_shopify(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Shopify's variants, each with the title of its product, which stands on the first line only.

    A variant without SKU is known by its name, as orders know it. Lines of further pictures are dropped. What may be
    sold without stock, or is not tracked, is in stock; drafts and archived products are not.
    """
    names = rows.collect_schema().names()
    of_product = [
        name
        for name in ("Title", "Type", "Product Category", "Custom Product Type", "Status", "Published", "Image Src")
        if name in names
    ]
    rows = rows.with_columns(_filled(name).first(ignore_nulls=True).over("Handle") for name in of_product)
    rows = rows.filter(_filled("Variant Price").is_not_null())
    option = _cell(names, "Option1 Value")
    variant = pl.when(option != "Default Title").then(pl.format("{} - {}", "Title", option)).otherwise(pl.col("Title"))
    gone = _cell(names, "Status").str.to_lowercase().is_in(["draft", "archived"]).fill_null(value=False)
    hidden = (_cell(names, "Published").str.to_lowercase() == "false").fill_null(value=False)
    untracked = _cell(names, "Variant Inventory Tracker").is_null()
    always = (_cell(names, "Variant Inventory Policy").str.to_lowercase() == "continue").fill_null(value=False)
    pieces = _cell(names, "Variant Inventory Qty").cast(pl.Float64, strict=False)
    left = untracked | always | pieces.is_null() | (pieces > 0)
    return rows.with_columns(
        pl.coalesce(_cell(names, "Variant SKU"), variant).alias("Variant SKU"),
        pl.format("/products/{}", "Handle").alias("url"),
        (left & ~gone & ~hidden).cast(pl.String).alias("in_stock"),
    )


def prepare_woocommerce(rows: pl.LazyFrame) -> pl.LazyFrame:
    """WooCommerce's products, known by SKU or else by number, with the first of several categories and pictures.

    What is not published is not in stock.
    """
    names = rows.collect_schema().names()
    rows = _with_sale(rows, "Regular price", "Sale price", ("Date sale price starts", "Date sale price ends"))
    number = pl.coalesce(_cell(names, "SKU"), _cell(names, "ID")).alias("SKU")
    firsts = [_cell(names, name).str.split(", ").list.first().alias(name) for name in ("Categories", "Images")]
    hidden = _cell(names, "Published").is_in(["0", "-1"]).fill_null(value=False)
    stock = pl.when(hidden).then(pl.lit("0")).otherwise(_cell(names, "In stock?")).alias("In stock?")
    return rows.with_columns(number, stock, *(first for first in firsts if first.meta.output_name() in names))


def prepare_magento(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Magento's products, one line each, with the first of several categories; what is disabled is not in stock.

    Lines of another store view repeat a product under the same SKU.
    """
    names = rows.collect_schema().names()
    rows = _with_sale(rows, "price", "special_price", ("special_price_from_date", "special_price_to_date"))
    stock = next((name for name in ("is_in_stock", "qty") if name in names), None)
    if stock:
        off = (_cell(names, "product_online") == "2") | (_cell(names, "product_online") == "0")
        rows = rows.with_columns(pl.when(off).then(pl.lit("0")).otherwise(_filled(stock)).alias(stock))
    if "categories" in names:
        rows = rows.with_columns(_filled("categories").str.split(",").list.first())
    if "store_view_code" in names:
        rows = rows.filter(_filled("store_view_code").is_null())
    return rows


def prepare_prestashop(rows: pl.LazyFrame) -> pl.LazyFrame:
    """PrestaShop's products, with the first of several categories and pictures; what is inactive is not in stock."""
    names = rows.collect_schema().names()
    lists = [name for name in ("Categories (x,y,z...)", "Image URLs (x,y,z...)") if name in names]
    rows = rows.with_columns(_filled(name).str.split(",").list.first().str.strip_chars() for name in lists)
    if {"Active (0/1)", "Quantity"} <= set(names):
        stock = pl.when(_filled("Active (0/1)") == "0").then(pl.lit("0")).otherwise(_filled("Quantity"))
        rows = rows.with_columns(stock.alias("Quantity"))
    return rows


def _with_sale(rows: pl.LazyFrame, price: str, sale: str, dates: tuple[str, ...]) -> pl.LazyFrame:
    """The sale's price as the price where there is one that has neither begin nor end."""
    names = rows.collect_schema().names()
    if not {price, sale} <= set(names):
        return rows
    dated = pl.any_horizontal(*(_cell(names, date).is_not_null() for date in dates))
    return rows.with_columns(pl.coalesce(pl.when(~dated).then(_filled(sale)), _filled(price)).alias(price))


def _cell(names: list[str], name: str) -> pl.Expr:
    """The column with blank text as null; null where it is not there."""
    return _filled(name) if name in names else pl.lit(None, pl.String).alias(name)


def _filled(name: str) -> pl.Expr:
    text = pl.col(name).cast(pl.String)
    return pl.when(text.str.strip_chars() != "").then(text)


PREPARE: Mapping[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    "google": prepare_google,
    "shopify": prepare_shopify,
    "woocommerce": prepare_woocommerce,
    "magento": prepare_magento,
    "prestashop": prepare_prestashop,
}
"""Hooks by the names that product formats call them by."""
