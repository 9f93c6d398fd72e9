"""Schemas of purchase rows, the ledger and the catalogue, and the rules by which a row is bad.

Rules are plain polars expressions: they run inside the streaming scan, before anything is collected, and the first
rule that a row breaks is its reason.
"""

import difflib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from recommender.errors import MissingColumnError, UsageError
from training.ingest.files import BROKEN
from training.ingest.times import UTC_MOMENT

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
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
REFUND_STATUSES = (
    "refunded",
    "refund",
    "cancelled",
    "canceled",
    "returned",
    "return",
    "voided",
    "void",
    "expired",
    "chargeback",
)
"""Values of `status`, in any case, that say that the row's whole quantity went back."""
_NULL_WORDS = r"^(?i:nan|null|none|<na>|\\N)?$"
"""What exports write where there is nothing."""


def text_of(column: str, dtype: pl.DataType) -> pl.Expr:
    """A cell as trimmed text; null where it is empty. Whole floats lose their `.0`: they were integers with gaps."""
    cell = pl.col(column)
    if dtype.is_float():
        whole = cell.is_finite() & (cell == cell.round()) & (cell.abs() < 2**53)
        cell = pl.when(whole).then(cell.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(cell.cast(pl.String))
    text = cell.cast(pl.String).str.strip_chars()
    return pl.when(~text.str.contains(_NULL_WORDS)).then(text)


def number_of(column: str, dtype: pl.DataType) -> pl.Expr:
    """A cell as Float64; null where it is empty, NaN where it is not a number."""
    if dtype.is_numeric():
        return pl.col(column).cast(pl.Float64)
    text = pl.col(column).cast(pl.String).str.strip_chars()
    empty = text.is_null() | (text == "")
    return pl.when(~empty).then(text.cast(pl.Float64, strict=False).fill_null(float("nan")))


def take_columns(
    seen: Sequence[str], known: Mapping[str, Sequence[str]], named: Mapping[str, str], file: str
) -> dict[str, str]:
    """The file's column for each of ours.

    Args:
        seen: the file's columns.
        known: our name → names that the format may use, best first.
        named: our name → the file's name, as the caller says; wins over `known`.
        file: for messages.

    Raises:
        UsageError: `named` has a name that is not ours.
        MissingColumnError: a required or named column is not in the file.
    """
    for ours in named:
        if ours not in PURCHASE_COLUMNS:
            raise UsageError(f"{ours!r} is not a column of ours; name one of {', '.join(PURCHASE_COLUMNS)}")
    taken: dict[str, str] = {}
    for ours in PURCHASE_COLUMNS:
        wanted = (named[ours],) if ours in named else tuple(known.get(ours, ()))
        theirs = next((name for name in wanted if name in seen), None)
        if theirs is not None:
            taken[ours] = theirs
        elif ours in REQUIRED or ours in named:
            raise MissingColumnError(_missing(ours, wanted, seen, file))
    return taken


def _missing(ours: str, wanted: Sequence[str], seen: Sequence[str], file: str) -> str:
    shown = ", ".join(repr(name[:60]) for name in seen[:30]) or "none"
    near = _nearest([*wanted, ours], seen)
    hint = f"nearest is {near!r}: try --columns {ours}={near!r}" if near else f"name it with --columns {ours}=…"
    expected = " or ".join(repr(name) for name in wanted) or repr(ours)
    return f"{file} has no column {expected} for {ours}; its columns are {shown}; {hint}, or choose another --format"


def _nearest(wanted: Sequence[str], seen: Sequence[str]) -> str | None:
    plain = {name.lower().replace(" ", "_"): name for name in reversed(seen)}
    for name in wanted:
        if close := difflib.get_close_matches(name.lower().replace(" ", "_"), plain, n=1, cutoff=0.5):
            return plain[close[0]]
    return None


def bad_rules(as_of: datetime) -> dict[str, pl.Expr]:
    """The rules by which a row is bad, by reason, in the order in which they apply. Null counts as false."""
    quantity, ordered_at = pl.col("quantity"), pl.col("ordered_at")
    return {
        "broken line": pl.col(BROKEN).is_not_null(),
        "no customer_id": pl.col("customer_id").is_null(),
        "no product_id": pl.col("product_id").is_null(),
        f"id over {LONGEST_ID} characters": pl.any_horizontal(
            pl.col("customer_id", "product_id", "order_id").str.len_chars() > LONGEST_ID
        ),
        "ordered_at cannot be read as a time": ordered_at.is_null(),
        "ordered_at before 1990": ordered_at < EARLIEST,
        "ordered_at in the future": ordered_at > as_of,
        "quantity is not a number": ~quantity.is_finite(),
        "quantity is zero": quantity == 0,
    }


def first_reason(rules: Mapping[str, pl.Expr]) -> pl.Expr:
    """The reason of the first rule that holds, as an Enum column; null where none does, and without rules."""
    kind = pl.Enum(list(rules))
    held = [pl.when(rule).then(pl.lit(reason, kind)) for reason, rule in rules.items()]
    return pl.coalesce(*held) if held else pl.lit(None, kind)
