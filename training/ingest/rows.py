"""Parsed rows of a purchase file in our columns: the good ones typed, the bad ones as they were read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from recommender.errors import MissingColumnError
from recommender.reading import ReadingOptions
from training.cells.amounts import AMOUNT, find_amount, note_currencies
from training.cells.event_codes import find_event_codes
from training.cells.event_log import PURCHASE, are_events, find_event_logs, is_purchase, note_statuses, words_of_columns
from training.cells.findings import READ, CountedNote, Note, Question, ReadCells, refuse_questions
from training.cells.ids import add_first_filled, hash_customers, read_ids, used_columns
from training.cells.number_columns import read_number_columns
from training.cells.source_column import SourceColumn, source_columns
from training.cells.statuses import TAKEN_BACK, status_meaning
from training.cells.texts import text_of
from training.cells.times import read_times
from training.ingest.affected import Affected, affected_by
from training.ingest.columns import first_cells, header_notes, take_columns
from training.ingest.formats.format import Format
from training.ingest.headers.nested import propose_items
from training.ingest.refunds import WHOLE, is_back, sign_refunds
from training.ingest.schema import EVENTS_KNOWN, LOST_DIGITS, NORMAL, NOTHING_LEFT, bad_rules, first_reason, user_rules
from training.ingest.sources import PurchaseFile
from training.tables.files import BROKEN, LINE, NO_ROWS, reading

QUARANTINE_CHARACTERS = 200
"""A cell is cut to this many characters in the quarantine file."""
_VERDICT = "__verdict__"
_OWN_REFUND = "__own_refund__"
_PRICE_GIVEN = "__price_given__"
_PRICE_UNREAD = "__price_unread__"
_PRICE_IGNORED = "__price_ignored__"
_REFUNDED_UNREAD = CountedNote(
    "refunded_unread",
    "refunded_quantity: some cells are no numbers, and nothing is taken back there",
    pl.col("refunded_quantity").is_nan(),
)
_COUNTED = (_VERDICT, _OWN_REFUND, _PRICE_GIVEN, _PRICE_UNREAD, _PRICE_IGNORED, WHOLE, "status")


@dataclass(frozen=True)
class ParsedRows:
    """The rows of one purchase file, good and bad, with counts.

    Attributes:
            the source has them, and currency where its prices have one, and paid_back (what a negative price gave back
            for one; null elsewhere).
        nothing_left: rows, with the same columns, of which nothing is left, as all of their quantity went back.
        bad: file, line, reason and the taken columns as text.
        taken: our column → the source's.
        unused: the source's other columns.
        times: what ordered_at was found to hold.
        notes: what was taken for something, changed or left out.
        questions: what is unclear in the file.
        rows_read, rows_good, prices_ignored, own_refunds: counts of rows.
        left_out, quarantined: reason → rows.
        prices_given, prices_unread: good rows whose price cell says something; and whose something is no number.
        without_customer: rows without a customer.
        statuses: value of `status` → good rows.
        samples: our column → one of its cells; not where questions are refused.
        affected: reason → what it touches; not where questions are refused.
    """

    rows: pl.DataFrame
    nothing_left: pl.DataFrame
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
    prices_given: int = 0
    prices_unread: int = 0
    without_customer: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)
    samples: Mapping[str, str] = field(default_factory=dict)
    affected: Mapping[str | None, Affected] = field(default_factory=dict)


def read_part(
    source: PurchaseFile,
    format_: Format,
    options: ReadingOptions,
    as_of: datetime,
    *,
    salt: bytes | None = None,
    refuse: bool = True,
) -> ParsedRows:
    """The parsed rows of one purchase file.

    Args:
        source: what to read.
        format_: which columns to take and what to leave out.
        options: what the user says about columns and cells.
        as_of: a later time is bad.
        salt: of the digests that stand for customer ids; None keeps the ids.
        refuse: whether to raise where something is unclear, or to return the questions.

    Raises:
        UsageError, MissingColumnError: see `training.ingest.columns.take_columns`.
        UnclearInputError: a cell could mean two things.
        UnreadableFileError: the file breaks off, is wrongly encoded or otherwise not what it seemed.
    """
    file = str(source.file)
    with reading(source.file):
        table = add_first_filled(source.frame, options.columns, file)
        seen = [name for name in table.collect_schema().names() if name not in {LINE, BROKEN}]
        try:
            taken = take_columns(seen, format_.columns, options.columns, file, formats=format_.known)
        except MissingColumnError as error:
            raise propose_items(error, table, seen, format_.columns, file) from None
        unused = [name for name in seen if name not in used_columns(taken.values())]
        columns = source_columns(table, taken)
        if amount := find_amount(unused):
            columns[AMOUNT] = SourceColumn(table, amount)
        cells = _read_cells(columns, format_, options)
        # amounts are only looked at
        questions = [question for ours, each in cells.items() if ours != AMOUNT for question in each.questions]
        words = words_of_columns(table, unused)
        if options.purchases_where is None:
            known = find_event_logs(words)
            asked = {question.column for question in known}
            questions += known + find_event_codes(table, [name for name in unused if name not in asked])
        if refuse:
            refuse_questions(file, questions)
        normal = {**user_rules(options), **format_.left_out, **NORMAL}
        table = table.with_columns(is_purchase(options.purchases_where, seen, file))
        judged = _judge(table, cells, taken, normal, as_of)
        frame = judged.select(_kept(taken, cells)).collect(engine="streaming")
        verdicts = _count(frame[_VERDICT])
        normal_reasons = {*normal, *NO_ROWS}
        quarantined = {reason: n for reason, n in verdicts.items() if reason not in normal_reasons}
        bad = _bad_rows(judged, list(quarantined), taken, source.file)
    of_all: dict[str, Any] = {
        "rows_read": len(frame),
        "without_customer": _without_customer(frame),
        "affected": {} if refuse else affected_by(frame, _VERDICT),
    }
    counted = _notes(frame, cells)
    zero = frame.filter(pl.col(_VERDICT) == NOTHING_LEFT) if NOTHING_LEFT in verdicts else frame.clear()
    good = frame.filter(pl.col(_VERDICT).is_null()) if verdicts else frame
    del frame  # not held beside what is made of the good ones
    statuses = _count(good["status"])
    if statuses and EVENTS_KNOWN not in format_.left_out:
        questions += find_event_logs({taken["status"]: list(statuses)})
    if refuse:
        refuse_questions(file, questions)
    back = [value for value in statuses if status_meaning(value, options.returned) == TAKEN_BACK]
    of_good: dict[str, Any] = {
        "rows_good": len(good),
        "prices_ignored": int(good[_PRICE_IGNORED].sum()),
        "own_refunds": int(good.select((pl.col(_OWN_REFUND) & ~is_back(back)).sum()).item()),
        "prices_given": int(good[_PRICE_GIVEN].sum()),
        "prices_unread": int(good[_PRICE_UNREAD].sum()),
    }
    signed = sign_refunds(pl.concat([good, zero]) if len(zero) else good, back, of_events=are_events(statuses))
    del good, zero
    all_rows = with_order_ids(hash_customers(signed.drop(_COUNTED, *_flags(cells)), salt))
    del signed
    nothing_left = all_rows["quantity"] == 0
    return ParsedRows(
        rows=all_rows.filter(~nothing_left) if nothing_left.any() else all_rows,
        nothing_left=all_rows.filter(nothing_left),
        bad=bad if salt is None else bad.select(pl.col(r"^(file|line|reason)$")),
        taken=taken,
        unused=unused,
        times=cells["ordered_at"].found,
        notes=[
            *source.notes,
            *header_notes(taken, seen, format_.columns, options.columns),
            *counted,
            *([] if "status" in taken else note_statuses(words)),
            *(note_currencies(words) if "unit_price" in taken else []),
        ],
        questions=questions,
        **of_all,
        **of_good,
        left_out={reason: n for reason, n in verdicts.items() if reason in normal_reasons},
        quarantined=quarantined,
        statuses=statuses,
        samples={} if refuse else first_cells(table, taken),
    )


def _read_cells(columns: Mapping[str, SourceColumn], format_: Format, options: ReadingOptions) -> dict[str, ReadCells]:
    """Our columns from the source's cells; null for what is absent, quantity 1 and refunded_quantity 0."""
    cells = {"ordered_at": read_times(columns["ordered_at"], options, format_.time_patterns)}
    for ours in ("customer_id", "product_id", "order_id"):
        cells[ours] = read_ids(ours, columns[ours]) if ours in columns else ReadCells(pl.lit(None, pl.String))
    for ours in ("status", "title", "category"):
        text = text_of(columns[ours].name, columns[ours].dtype) if ours in columns else pl.lit(None, pl.String)
        cells[ours] = ReadCells(text)
    cells |= read_number_columns(columns, options)
    for ours, absent in (("quantity", 1.0), ("unit_price", None), ("refunded_quantity", 0.0)):
        read = cells.get(ours, ReadCells(pl.lit(None, pl.Float64)))
        cells[ours] = read if absent is None else replace(read, value=read.value.fill_null(absent))
    if "refunded_quantity" in columns:
        cells["refunded_quantity"] = replace(cells["refunded_quantity"], counted=[_REFUNDED_UNREAD])
    if (currency := cells["unit_price"].currency) is not None:
        cells["currency"] = ReadCells(currency)
    return cells


def _flags(cells: Mapping[str, ReadCells]) -> dict[str, CountedNote]:
    """Name of a flag → the note whose rows it marks."""
    notes = [note for each in cells.values() for note in each.counted]
    return {f"__note_{number}__": note for number, note in enumerate(notes)}


def _notes(frame: pl.DataFrame, cells: Mapping[str, ReadCells]) -> list[Note]:
    notes = [note for each in cells.values() for note in each.notes]
    counted = [(note, int(frame[flag].sum())) for flag, note in _flags(cells).items()]
    return [*notes, *(Note(note.code, note.text, rows) for note, rows in counted if rows)]


def _judge(
    frame: pl.LazyFrame,
    cells: Mapping[str, ReadCells],
    taken: Mapping[str, str],
    normal: Mapping[str, pl.Expr],
    as_of: datetime,
) -> pl.LazyFrame:
    """Our columns, the cells as read (named with READ), flags of notes, and _VERDICT: why a row goes no further.

    Blank lines, in which every taken cell is empty, are dropped.
    """
    blank = pl.all_horizontal(pl.col(set(taken.values())).is_null())
    columns = [each.value.alias(name) for name, each in cells.items()]
    read = [pl.col(theirs).cast(pl.String).alias(READ + ours) for ours, theirs in taken.items()]
    if "order_id" not in taken:
        read.append(pl.lit(None, pl.String).alias(READ + "order_id"))
    flags = [note.where.fill_null(value=False).alias(flag) for flag, note in _flags(cells).items()]
    bad = bad_rules(as_of)
    no_rows = {reason: pl.col(BROKEN) == reason for reason in NO_ROWS}
    first = {reason: bad[reason] for reason in ("broken line", LOST_DIGITS)}
    rules = {**no_rows, **first, **normal, **bad}
    return (
        frame.filter(~blank | pl.col(BROKEN).is_not_null())
        .select(LINE, BROKEN, PURCHASE, *columns, *read)
        .with_columns(first_reason(rules).alias(_VERDICT), *flags)
    )


def _kept(taken: Mapping[str, str], cells: Mapping[str, ReadCells]) -> list[pl.Expr]:
    """The columns of `ParsedRows.rows`, but for refunds by their status or price, with _VERDICT and what is counted."""
    quantity, price = pl.col("quantity"), pl.col("unit_price")
    taken_off = pl.col("refunded_quantity").fill_nan(0.0).abs()
    left = pl.max_horizontal(quantity - taken_off, 0.0)
    return [
        pl.col("customer_id", "product_id", "ordered_at", "order_id"),
        quantity.alias(WHOLE),
        pl.when(quantity > 0).then(left).otherwise(quantity).alias("quantity"),
        pl.when(price.is_finite()).then(price).alias("unit_price"),
        *(pl.col(name) for name in ("title", "category") if name in taken),
        *([pl.col("currency")] if "currency" in cells else []),
        ((quantity > 0) & (taken_off > 0)).alias(_OWN_REFUND),
        (price.is_not_null() & ~_is_nan(taken)).alias(_PRICE_GIVEN),
        (price.is_not_null() & ~price.is_finite() & ~_is_nan(taken)).alias(_PRICE_UNREAD),
        (price.is_not_null() & ~price.is_finite()).alias(_PRICE_IGNORED),
        pl.col("status").cast(pl.Categorical),
        pl.col(_VERDICT, *_flags(cells)),
    ]


def _without_customer(frame: pl.DataFrame) -> int:
    lost = (pl.col(_VERDICT) == LOST_DIGITS).fill_null(value=False)
    return int(frame.select((pl.col("customer_id").is_null() & ~lost).sum()).item())


def _is_nan(taken: Mapping[str, str]) -> pl.Expr:
    """Whether the price is given as NaN, which is how some programs write that there is none."""
    if "unit_price" not in taken:
        return pl.lit(value=False)
    cell = pl.when(pl.col("unit_price").is_nan()).then(pl.col(READ + "unit_price"))
    return (cell.str.strip_chars().str.to_lowercase() == "nan").fill_null(value=False)


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
    cells = [pl.col(READ + ours).str.head(QUARANTINE_CHARACTERS).alias(ours) for ours in taken]
    return (
        judged.filter(reason.is_in(reasons))
        .select(pl.lit(str(file)).alias("file"), pl.col(LINE).alias("line"), reason.alias("reason"), *cells)
        .collect(engine="streaming")
    )
