"""Schemas of purchase rows, the ledger and the catalogue, and the rules by which a row is bad.

Rules are plain polars expressions: they run inside the streaming scan, before anything is collected, and the first
rule that a row breaks is its reason.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.event_log import PURCHASE
from training.cells.findings import READ
from training.cells.forms.time_text import UTC_MOMENT
from training.cells.ids import SCIENTIFIC
from training.tables.files import BROKEN

REQUIRED = ("customer_id", "product_id", "ordered_at")
OPTIONAL = ("order_id", "quantity", "unit_price", "status", "refunded_quantity", "title", "category")
PURCHASE_COLUMNS = REQUIRED + OPTIONAL
"""Columns of a purchase file by our names. An empty optional cell counts like an absent column."""

LEDGER = pl.Schema(
    {
        "customer_id": pl.String(),
        "product_id": pl.String(),
        "ordered_at": UTC_MOMENT,
        "order_id": pl.String(),
        "quantity": pl.Float64(),
        "unit_price": pl.Float64(),
    }
)
CATALOGUE = pl.Schema(
    {
        "product_id": pl.String(),
        "title": pl.String(),
        "category": pl.String(),
        "price": pl.String(),
        "currency": pl.String(),
        "url": pl.String(),
        "image_url": pl.String(),
        "in_stock": pl.Boolean(),
        "replenishable": pl.Boolean(),
    }
)

LONGEST_ID = 512
LARGEST_QUANTITY = 10_000_000
"""Of one line; more is another number, such as a barcode, in the wrong column."""
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
EVENTS_KNOWN = "not a purchase event"
"""Reason of formats that know which events of a log are purchases."""
LOST_DIGITS = "id in scientific notation: its last digits are lost; format the column as text and export it again"
ANONYMOUS = "no customer (anonymous sale)"
_SOLD = pl.col("product_id").is_not_null() & pl.col("ordered_at").is_not_null()
NOTHING_LEFT = "quantity 0: nothing is left"
NORMAL: Mapping[str, pl.Expr] = {
    ANONYMOUS: pl.col("customer_id").is_null() & _SOLD,
    "product_id is a word for nothing": pl.col("product_id").is_null()
    & (pl.when(pl.col("product_id").is_null()).then(pl.col(READ + "product_id")).str.strip_chars() != ""),
    NOTHING_LEFT: pl.col("quantity") == 0,
}
"""The rules by which a row is normal in any file and no purchase by a customer, by reason. Null counts as false."""


def user_rules(options: ReadingOptions) -> dict[str, pl.Expr]:
    """The rules by which a row is no purchase because the user says so, by reason."""
    rules = {}
    if options.purchases_where is not None:
        rules[f"not {options.purchases_where}"] = ~pl.col(PURCHASE)
    if options.not_products:
        named = [one.strip().lower() for one in options.not_products]
        cells = (pl.col(name).str.to_lowercase().is_in(named) for name in ("product_id", "title"))
        rules["no product (--not-products)"] = pl.any_horizontal(cells)
    return rules


def bad_rules(as_of: datetime) -> dict[str, pl.Expr]:
    """The rules by which a row is bad, by reason, in the order in which they apply. Null counts as false.

    The first two come before NORMAL.
    """
    quantity, ordered_at = pl.col("quantity"), pl.col("ordered_at")
    ids = ("customer_id", "product_id", "order_id")
    no_id = (pl.when(pl.col(name).is_null()).then(pl.col(READ + name)) for name in ids)
    return {
        "broken line": pl.col(BROKEN).is_not_null(),
        LOST_DIGITS: pl.any_horizontal(cell.str.contains(SCIENTIFIC) for cell in no_id),
        "no customer_id": pl.col("customer_id").is_null(),
        "no product_id": pl.col("product_id").is_null(),
        f"id over {LONGEST_ID} characters": pl.any_horizontal(
            pl.col("customer_id", "product_id", "order_id").str.len_chars() > LONGEST_ID
        ),
        'id is an object of JSON; name one of its keys, such as customer_id="customer.id"': (
            pl.any_horizontal(pl.col("customer_id", "product_id", "order_id").str.starts_with('{"'))
        ),
        "ordered_at cannot be read as a time": ordered_at.is_null(),
        "ordered_at before 1990": ordered_at < EARLIEST,
        "ordered_at in the future": ordered_at > as_of,
        "quantity is not a number": ~quantity.is_finite(),
        f"quantity over {LARGEST_QUANTITY:,}": quantity.abs() > LARGEST_QUANTITY,
    }


def first_reason(rules: Mapping[str, pl.Expr]) -> pl.Expr:
    """The reason of the first rule that holds, as an Enum column; null where none does, and without rules."""
    kind = pl.Enum(list(rules))
    held = [pl.when(rule).then(pl.lit(reason, kind)) for reason, rule in rules.items()]
    return pl.coalesce(*held) if held else pl.lit(None, kind)
