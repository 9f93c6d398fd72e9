"""The catalogue: the shop's product file, completed by titles and categories of the purchases."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recommender.errors import MissingColumnError
from training.ingest.files import BROKEN, LINE, reading, scan_file
from training.ingest.schema import CATALOGUE, number_of, text_of

LAST_PURCHASES = 10
"""A product without a price of the shop's costs the median of what its last purchases cost."""
_NO = ("false", "f", "no", "n", "0", "0.0", "out of stock", "out_of_stock", "outofstock", "sold out", "discontinued")


@dataclass(frozen=True)
class NamedProducts:
    """The products of a product file.

    Attributes:
        products: schema CATALOGUE, one row per product.
        repeated: lines whose product stood on a later line too; the last line counts.
        unusable: lines without a product_id.
    """

    products: pl.DataFrame
    repeated: int
    unusable: int


def read_products(file: Path) -> NamedProducts:
    """The products of a file of product_id and any of the catalogue's other columns; other columns are ignored.

    A price that is no number or is negative, and an address that is neither http(s) nor a path of the shop, are taken
    as not given. A product is in stock unless its cell says otherwise (`false`, `no`, `0`, `out of stock`, …).

    Raises:
        UnreadableFileError: the file is absent, empty, of the wrong kind or encoding.
        MissingColumnError: it has no product_id.
    """
    frame = scan_file(file)
    with reading(file):
        schema = frame.collect_schema()
        if "product_id" not in schema:
            seen = ", ".join(repr(name) for name in schema.names() if name not in {LINE, BROKEN})
            raise MissingColumnError(f"{file} has no column 'product_id'; its columns are {seen}; rename one of them")
        listed = frame.select(_product_file_column(name, schema) for name in CATALOGUE.names()).collect()
    usable = listed.filter(pl.col("product_id").is_not_null())
    products = usable.unique("product_id", keep="last", maintain_order=True)
    return NamedProducts(products, repeated=len(usable) - len(products), unusable=len(listed) - len(usable))


def _product_file_column(name: str, schema: pl.Schema) -> pl.Expr:
    """One catalogue column from a product file."""
    if name not in schema:
        absent = True if name == "in_stock" else None
        return pl.lit(absent, CATALOGUE[name]).alias(name)
    if name == "price":
        return _price(number_of(name, schema[name])).alias(name)
    text = text_of(name, schema[name])
    if name in {"url", "image_url"}:
        # anything else, `javascript:` above all, must not reach a page
        return pl.when(text.str.contains(r"^(https?://|/)")).then(text).alias(name)
    if name in {"in_stock", "replenishable"}:
        is_yes = ~text.str.to_lowercase().is_in(_NO)
        return (is_yes.fill_null(value=True) if name == "in_stock" else is_yes).alias(name)
    return text.alias(name)


def _price(number: pl.Expr) -> pl.Expr:
    """`12.90`; null for null, NaN, infinite and negative numbers."""
    cents = pl.when(number.is_finite() & (number >= 0) & (number < 1e15)).then((number * 100).round()).cast(pl.Int64)
    return pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2))


def build_catalogue(
    purchases: pl.DataFrame, ledger: pl.DataFrame, named: NamedProducts | None
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The catalogue: one row per product of the product file or the ledger, sorted by product_id.

    Args:
        purchases: product_id, and title and category where the purchase file has them.
        ledger: sorted by time.
        named: the product file; None without one.

    Returns:
        The catalogue (schema CATALOGUE) and the counts of `IngestReport.catalogue`. What the product file leaves empty
        is filled from the purchases: the commonest title and category, and the median of the last prices.
    """
    listed = named.products if named else pl.DataFrame(schema=CATALOGUE)
    sold = ledger.group_by("product_id").agg(
        _price(pl.col("unit_price").drop_nulls().tail(LAST_PURCHASES).median()).alias("price")
    )
    for name in ("title", "category"):
        sold = sold.join(_commonest(purchases, name), on="product_id", how="left")
    both = listed.join(sold, on="product_id", how="full", coalesce=True, suffix="_sold")
    filled = both.with_columns(
        *(pl.coalesce(name, f"{name}_sold").alias(name) for name in ("title", "category", "price")),
        pl.col("in_stock").fill_null(value=True),
    )
    catalogue = filled.select(CATALOGUE.names()).sort("product_id")
    return catalogue, {
        "products": len(catalogue),
        "from_file": len(listed),
        "sold_but_not_in_file": len(catalogue) - len(listed),
        "never_sold": len(catalogue) - len(sold),
        "repeated_in_file": named.repeated if named else 0,
        "unusable_in_file": named.unusable if named else 0,
    }


def _commonest(purchases: pl.DataFrame, name: str) -> pl.DataFrame:
    """product_id and its most frequent `name`, the alphabetically first of equals."""
    if name not in purchases.columns:
        return pl.DataFrame(schema={"product_id": pl.String, name: pl.String})
    counts = purchases.filter(pl.col(name).is_not_null()).group_by("product_id", name).len()
    best = counts.sort("len", name, descending=[True, False]).unique("product_id", keep="first", maintain_order=True)
    return best.select("product_id", name)
