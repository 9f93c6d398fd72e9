"""Parsed rows of a purchase file in our columns: the good ones typed, the bad ones as they were read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.findings import Note, Question, ReadCells, refuse_questions
from training.cells.numbers import read_numbers
from training.cells.source_column import SourceColumn
from training.cells.texts import text_of
from training.cells.times import read_times
from training.ingest.affected import Affected, affected_by
from training.ingest.columns import first_cells, header_notes, take_columns
from training.ingest.formats.format import Format
from training.ingest.schema import REFUND_STATUSES, bad_rules, first_reason
from training.tables.copies import without_copies
from training.tables.files import BROKEN, LINE, NO_ROWS, reading
from training.tables.scan import scan_file
from training.tables.workspace import Workspace

QUARANTINE_CHARACTERS = 200
"""A cell is cut to this many characters in the quarantine file."""
_VERDICT = "__verdict__"
_READ = "__read__"
_OWN_REFUND = "__own_refund__"
_PRICE_IGNORED = "__price_ignored__"


@dataclass(frozen=True)
class PurchaseFile:
    """A purchase file as one table; or the files that a format joins.

    Attributes:
        file: for messages and the quarantine.
        frame: the table with LINE and BROKEN.
        notes: on how it was opened.
    """

    file: Path
    frame: pl.LazyFrame
    notes: Sequence[Note] = ()


@dataclass(frozen=True)
class ParsedRows:
    """The rows of one purchase file, good and bad, with counts.

    Attributes:
        rows: good rows: the ledger's columns (quantity below 0 for a refund, never 0), of_order Boolean, title and
            category where the source has them, and currency where its prices have one.
        bad: file, line, reason and the taken columns as text.
        taken: our column → the source's.
        unused: the source's other columns.
        times: what ordered_at was found to hold.
        notes: what was taken for something, changed or left out.
        questions: what is unclear in the file.
        rows_read, rows_good, prices_ignored, own_refunds: counts of rows.
        left_out, quarantined: reason → rows.
        samples: our column → one of its cells; not where questions are refused.
        affected: reason → what it touches; not where questions are refused.
    """

    rows: pl.DataFrame
    bad: pl.DataFrame
    taken: Mapping[str, str]
    unused: Sequence[str]
    times: str
    notes: Sequence[Note]
    questions: Sequence[Question]
    rows_read: int
    rows_good: int
    prices_ignored: int
    own_refunds: int
    left_out: Mapping[str, int]
    quarantined: Mapping[str, int]
    samples: Mapping[str, str] = field(default_factory=dict)
    affected: Mapping[str | None, Affected] = field(default_factory=dict)


def open_sources(
    files: Sequence[Path], format_: Format, options: ReadingOptions, work: Workspace
) -> list[PurchaseFile]:
    """The scanned files, each content once; a format that joins files makes one of them, named after their folder.

    Raises:
        UnreadableFileError: a file is empty, of a kind that is not read, or missing from those to join.
        UnclearInputError, UsageError, HomeError: see `training.tables.scan.scan_file`.
    """
    tables = without_copies({file: scan_file(file, options, work) for file in files})
    notes = {
        file: [Note(code, f"{file.name}: {said}") for code, said in table.remarks.items()]
        for file, table in tables.items()
    }
    stems = {file.name.split(".")[0]: table.frame for file, table in tables.items()}
    if format_.combine is None or not format_.joins(stems):
        return [PurchaseFile(file, format_.prepare(table.frame), notes[file]) for file, table in tables.items()]
    folder = files[0].parent
    with reading(folder):
        return [PurchaseFile(folder, format_.combine(stems), list(chain.from_iterable(notes.values())))]


def read_part(
    source: PurchaseFile, format_: Format, options: ReadingOptions, as_of: datetime, *, refuse: bool = True
) -> ParsedRows:
    """The parsed rows of one purchase file.

    Args:
        source: what to read.
        format_: which columns to take and what to leave out.
        options: what the user says about columns and cells.
        as_of: a later time is bad.
        refuse: whether to raise where something is unclear, or to return the questions.

    Raises:
        UsageError, MissingColumnError: see `training.ingest.columns.take_columns`.
        UnclearInputError: a cell could mean two things.
        UnreadableFileError: the file breaks off, is wrongly encoded or otherwise not what it seemed.
    """
    with reading(source.file):
        seen = [name for name in source.frame.collect_schema().names() if name not in {LINE, BROKEN}]
        taken = take_columns(seen, format_.columns, options.columns, str(source.file))
        columns = {ours: SourceColumn(source.frame, theirs) for ours, theirs in taken.items()}
        cells = _read_cells(columns, format_, options)
        questions = [question for each in cells.values() for question in each.questions]
        if refuse:
            refuse_questions(str(source.file), questions)
        judged = _judge(source.frame, {ours: each.value for ours, each in cells.items()}, taken, format_, as_of)
        extra = [name for name in ("currency",) if name in cells]
        frame = judged.select(*_kept(taken, options), *extra).collect(engine="streaming")
        verdicts = _count(frame[_VERDICT])
        normal = {*format_.left_out, *NO_ROWS}
        quarantined = {reason: n for reason, n in verdicts.items() if reason not in normal}
        bad = _bad_rows(judged, list(quarantined), taken, source.file)
    good = frame.filter(pl.col(_VERDICT).is_null()) if verdicts else frame
    rows = good.filter(pl.col("quantity") != 0).drop(_VERDICT, _OWN_REFUND, _PRICE_IGNORED)
    return ParsedRows(
        rows=with_order_ids(rows),
        bad=bad,
        taken=taken,
        unused=[name for name in seen if name not in taken.values()],
        times=cells["ordered_at"].found,
        notes=[
            *source.notes,
            *header_notes(taken, seen, format_.columns, options.columns),
            *(note for each in cells.values() for note in each.notes),
        ],
        questions=questions,
        rows_read=len(frame),
        rows_good=len(good),
        prices_ignored=int(good[_PRICE_IGNORED].sum()),
        own_refunds=int(good[_OWN_REFUND].sum()),
        left_out={reason: n for reason, n in verdicts.items() if reason in normal},
        quarantined=quarantined,
        samples={} if refuse else first_cells(source.frame, taken),
        affected={} if refuse else affected_by(frame, _VERDICT),
    )


def _read_cells(columns: Mapping[str, SourceColumn], format_: Format, options: ReadingOptions) -> dict[str, ReadCells]:
    """Our columns from the source's cells; null for what is absent, quantity 1 and refunded_quantity 0."""
    cells = {"ordered_at": read_times(columns["ordered_at"], options, format_.time_patterns)}
    for ours in ("customer_id", "product_id", "order_id", "status", "title", "category"):
        text = text_of(columns[ours].name, columns[ours].dtype) if ours in columns else pl.lit(None, pl.String)
        cells[ours] = ReadCells(text)
    for ours, absent in (("quantity", 1.0), ("unit_price", None), ("refunded_quantity", 0.0)):
        read = read_numbers(columns[ours], options) if ours in columns else ReadCells(pl.lit(None, pl.Float64))
        cells[ours] = read if absent is None else replace(read, value=read.value.fill_null(absent))
        if ours == "unit_price" and read.currency is not None:
            cells["currency"] = ReadCells(read.currency)
    return cells


def _judge(
    frame: pl.LazyFrame, typed: Mapping[str, pl.Expr], taken: Mapping[str, str], format_: Format, as_of: datetime
) -> pl.LazyFrame:
    """Our columns, LINE, BROKEN, the cells as read (named with _READ), and _VERDICT: why a row goes no further.

    Blank lines, in which every taken cell is empty, are dropped.
    """
    blank = pl.all_horizontal(pl.col(set(taken.values())).is_null())
    columns = [expression.alias(name) for name, expression in typed.items()]
    cells = [pl.col(theirs).cast(pl.String).alias(_READ + ours) for ours, theirs in taken.items()]
    bad = bad_rules(as_of)
    no_rows = {reason: pl.col(BROKEN) == reason for reason in NO_ROWS}
    rules = {**no_rows, "broken line": bad["broken line"], **format_.left_out, **bad}
    return (
        frame.filter(~blank | pl.col(BROKEN).is_not_null())
        .select(LINE, BROKEN, *columns, *cells)
        .with_columns(first_reason(rules).alias(_VERDICT))
    )


def _kept(taken: Mapping[str, str], options: ReadingOptions) -> list[pl.Expr]:
    """The columns of `ParsedRows.rows`, with _VERDICT and the flags that are counted."""
    quantity, price, order_id = pl.col("quantity"), pl.col("unit_price"), pl.col("order_id")
    words = (*REFUND_STATUSES, *map(str.lower, options.returned))
    went_back = pl.col("status").str.to_lowercase().is_in(words).fill_null(value=False)
    taken_off = pl.col("refunded_quantity").fill_nan(0.0).abs()
    left = pl.max_horizontal(quantity - taken_off, 0.0)
    usable = price.is_finite() & (price >= 0)
    return [
        pl.col("customer_id", "product_id", "ordered_at", "order_id"),
        pl.when(went_back).then(-quantity.abs()).when(quantity > 0).then(left).otherwise(quantity).alias("quantity"),
        pl.when(usable).then(price).alias("unit_price"),
        (went_back & order_id.is_not_null()).alias("of_order"),
        *(pl.col(name) for name in ("title", "category") if name in taken),
        (~went_back & (quantity > 0) & (taken_off > 0)).alias(_OWN_REFUND),
        (price.is_not_null() & ~usable).alias(_PRICE_IGNORED),
        pl.col(_VERDICT),
    ]


def with_order_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with an order_id everywhere: without one, a customer's purchases of one day (UTC) are an order."""
    if not rows["order_id"].null_count():
        return rows
    made = pl.format("{}@{}", "customer_id", pl.col("ordered_at").dt.date())
    return rows.with_columns(pl.col("order_id").fill_null(made))


def _count(verdicts: pl.Series) -> dict[str, int]:
    """Reason → rows, most rows first; rows without a reason are not counted."""
    counts = verdicts.drop_nulls().cast(pl.String).value_counts().sort("count", verdicts.name, descending=[True, False])
    return dict(counts.iter_rows())


def _bad_rows(judged: pl.LazyFrame, reasons: Sequence[str], taken: Mapping[str, str], file: Path) -> pl.DataFrame:
    """`ParsedRows.bad`, by a second scan of the file, which spares all good rows from being held as text."""
    if not reasons:
        return pl.DataFrame()
    reason = pl.col(_VERDICT).cast(pl.String)
    cells = [pl.col(_READ + ours).str.head(QUARANTINE_CHARACTERS).alias(ours) for ours in taken]
    return (
        judged.filter(reason.is_in(reasons))
        .select(pl.lit(str(file)).alias("file"), pl.col(LINE).alias("line"), reason.alias("reason"), *cells)
        .collect(engine="streaming")
    )
