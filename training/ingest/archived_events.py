"""Archived purchases and refunds as one more source of the ledger beside the purchase files.

A purchase that is in both counts once, as the file has it. It is taken for the same

- where customer, product and order id are the same, or
- where customer, product and moment, to the second, are the same.

So is a refund, among refunds; a line of a file whose status says that it went back is both. Nothing else tells them
apart: purchases of a file that has neither order ids nor times of day count again beside their events, so export such
files up to the day on which the events begin. Likewise a file's `refunded_quantity` and a refund event count both.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from recommender.errors import UnreadableFileError
from recommender.events.event import EventType
from training.events.archive import Archive
from training.ingest.rows import ParsedRows, with_order_ids
from training.ingest.schema import EARLIEST, LEDGER

IN_FILES = "in a purchase file, too"
ORDERS: tuple[EventType, ...] = ("purchase", "refund")


def read_ledger(folder: Path, shop: str, event_types: Collection[EventType] = ORDERS) -> pl.DataFrame:
    """The archived events of a shop, of some types.

    Args:
        folder: REPRISE_HOME/ledger of those who run `reprise worker`.
        shop: whose.
        event_types: such as exposure, impression, click; else those that a training learns from.

    Returns:
        Schema `training.events.archive.EVENTS`, each event once; no rows where none was archived yet.

    Raises:
        UnreadableFileError: there is no such folder.
        HomeError: a file in it cannot be read.
    """
    if not folder.is_dir():
        raise UnreadableFileError(f"{folder} does not exist; `reprise worker` archives under REPRISE_HOME/ledger")
    return Archive(folder, shop).read(event_types)


def to_part(events: pl.DataFrame, parts: Sequence[ParsedRows], as_of: datetime) -> ParsedRows:
    """Archived purchases and refunds as a source that was read.

    Args:
        events: as `read_ledger` returns them.
        parts: what was read from files; what is there already is left out and counted.
        as_of: what happened later, by a clock that is ahead of ours, is for the next training.
    """
    events = events.filter(pl.col("occurred_at").is_between(EARLIEST, as_of))
    refund = pl.col("event_type") == "refund"
    rows = events.select(
        "customer_id",
        "product_id",
        pl.col("occurred_at").cast(LEDGER["ordered_at"]).alias("ordered_at"),
        "order_id",
        pl.when(refund).then(-pl.col("quantity")).otherwise(pl.col("quantity")).alias("quantity"),
        "unit_price",
        (refund & pl.col("order_id").is_not_null()).alias("of_order"),
        pl.lit(None, pl.Float64).alias("paid_back"),
    )
    new = _not_in_files(rows, [part.rows for part in parts])
    return ParsedRows(
        rows=with_order_ids(new),
        bad=pl.DataFrame(),
        taken={},
        unused=(),
        times="events",
        notes=(),
        questions=(),
        rows_read=len(rows),
        rows_good=len(new),
        prices_ignored=0,
        own_refunds=0,
        left_out={IN_FILES: len(rows) - len(new)} if len(new) < len(rows) else {},
        quarantined={},
    )


def _not_in_files(rows: pl.DataFrame, files: Sequence[pl.DataFrame]) -> pl.DataFrame:
    if not files:
        return rows
    known = _with_keys(pl.concat([file.select(rows.columns) for file in files]))
    bought_too = known.filter("refund", "of_order").with_columns(refund=pl.lit(value=False))
    known, left = pl.concat([known, bought_too]), _with_keys(rows)
    for same in ("order_id", "second"):
        left = left.join(known, on=["customer_id", "product_id", same, "refund"], how="anti")
    return left.select(rows.columns)


def _with_keys(rows: pl.DataFrame) -> pl.DataFrame:
    second = pl.col("ordered_at").dt.truncate("1s")
    return rows.with_columns(second.alias("second"), (pl.col("quantity") < 0).alias("refund"))
