"""Archived purchases and refunds as one more source of the ledger beside the purchase files.

A purchase that is in both counts once, as the file has it. It is taken for the same

- where customer, product and order id are the same, or
- where customer, product and moment, to the second, are the same.

So is a refund, among refunds; a line of a file whose status says that it went back is both. Nothing else tells them
apart: purchases of a file that has neither order ids nor times of day count again beside their events, so export such
files up to the day on which the events begin. Likewise a file's `refunded_quantity` and a refund event count both.

A like rule joins several readings of a database: a row that comes again counts once, as it comes now. It is the same by
its order id (a refund by its second, too) where the database has order ids, else by its second. A row that the database
does not return again, as it was deleted or is older than the query asks for, stays as it was read.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from recommender.errors import UnreadableFileError
from recommender.events.event import EventType
from training.cells.findings import Note
from training.databases.kept_rows import KeptRows
from training.events.archive import Archive
from training.ingest.rows import ParsedRows, with_order_ids
from training.ingest.schema import EARLIEST, LEDGER

IN_FILES = "in a purchase file, too"
_KEYS = ("customer_id", "product_id", "ordered_at", "order_id", "quantity", "of_order")
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
    new = _leave_out_known(rows, [part.rows for part in parts], "order_id", "second")
    return ParsedRows(
        rows=with_order_ids(new),
        nothing_left=new.clear(),
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


def add_earlier(part: ParsedRows, kept: KeptRows) -> ParsedRows:
    """The rows of a reading and those of earlier readings of the same query. Raises HomeError."""
    since = kept.since
    if since is None:
        return part
    # where there are order ids, two orders of one day or second are two
    same = "line" if "order_id" in part.taken else "second"
    earlier = _leave_out_known(kept.read(), [part.rows, part.nothing_left], same)
    text = f"{len(part.rows):,} rows since {since:%Y-%m-%d}, {len(earlier):,} more of earlier readings (--since-last)"
    return replace(
        part,
        rows=pl.concat([earlier, part.rows], how="diagonal"),
        notes=[*part.notes, Note("since_last", text, len(earlier))],
    )


def _leave_out_known(rows: pl.DataFrame, readings: Sequence[pl.DataFrame], *same: str) -> pl.DataFrame:
    """Those of `rows` that are in none of `readings`, as customer, product and any one of `same` tell them apart."""
    if not readings:
        return rows
    known = _with_keys(pl.concat([each.select(_KEYS) for each in readings]))
    bought_too = known.filter("refund", "of_order").with_columns(
        pl.col("order_id").alias("line"), refund=pl.lit(value=False)
    )
    both, left = pl.concat([known, bought_too]), _with_keys(rows)
    for key in same:
        left = left.join(both, on=["customer_id", "product_id", key, "refund"], how="anti")
    return left.select(rows.columns)


def _with_keys(rows: pl.DataFrame) -> pl.DataFrame:
    """With what tells rows of a customer and a product apart.

    `line` is the order; of a refund it is the second as well, as parts of an order may go back one after another.
    """
    second, refund = pl.col("ordered_at").dt.truncate("1s"), pl.col("quantity") < 0
    line = pl.when(refund).then(pl.format("{}@{}", "order_id", second.dt.epoch("s"))).otherwise("order_id")
    return rows.with_columns(second.alias("second"), refund.alias("refund"), line.alias("line"))
