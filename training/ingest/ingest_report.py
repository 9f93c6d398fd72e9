"""The ingest report: rows read, left out and quarantined, and facts of the ledger, as `reprise doctor` prints them."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import polars as pl

from recommender.days import SECONDS_PER_DAY
from recommender.errors import TooLittleDataError, TooManyBadRowsError, UnclearInputError
from recommender.reading import ReadingOptions
from training.cells.findings import Question, merge_notes
from training.cells.statuses import status_meaning
from training.ingest.affected import affected_shares
from training.ingest.headers.column_options import write_columns
from training.ingest.headers.proposals import propose_columns
from training.ingest.refunds import Netted
from training.ingest.rows import ParsedRows
from training.ingest.schema import ANONYMOUS

MOST_STATUSES = 50
"""So many values of `status` stand in a manifest."""
_LINES_OF_A_PART = 4_000_000
_IN_MANIFEST = (
    *("format", "columns", "times", "rows_read", "rows_good", "left_out", "quarantined", "refunds", "duplicates"),
    *("prices_given", "prices_unread", "prices_ignored", "without_customer"),
)
MOST_UNREAD, MOST_NEGATIVE = 0.5, 0.5
"""Shares over which a file is refused: of its prices, those that are no numbers; of its rows, those priced below 0."""


@dataclass(frozen=True)
class IngestReport:
    """The ingest report, as plain JSON.

    Attributes:
        sources: the files, as they were named.
        format: name of the format.
        columns: our column → the file's column it was taken for.
        columns_unused: the file's other columns.
        times: what `ordered_at` was found to hold.
        notes: code, text and rows (None: not counted) of what was taken for something, changed or left out.
        questions: code, column, cell, choices (option → meaning) and remedy (where no option settles it) of what is
            unclear.
        rows_read: rows of all files; blank lines are not counted.
        rows_good: purchases and refunds that went on.
        left_out: reason → rows that are normal in the format and no purchase by a customer.
        quarantined: reason → bad rows.
        max_bad_rows_share: the share of bad rows over which the file is refused.
        quarantine: where the bad rows are; None if there are none.
        refunds: lines and units of refunds; own_lines, which say of themselves that they went back, wholly (status)
            or in part (refunded_quantity); unmatched_lines and unmatched_units, for which nothing was bought before;
            purchases_gone, taken back as a whole by other lines; by_price, lines that only a negative price tells, and
            money_only, further lines with a negative price that gave back money and no goods.
        prices_ignored: rows kept although their price is not a number; their price is unknown.
        prices_given, prices_unread: rows whose price cell says something, NaN being nothing; and whose something is no
            number.
        without_customer: rows without a customer.
        statuses: value, rows and meaning ("taken back", "kept" or "unknown", which is kept) of each value of `status`,
            the commonest first.
        duplicates: purchases that repeat another line exactly. They are kept: an order may hold a product on two lines.
        suspicious: customers left out as tills or bots: customer_id, purchases, share, orders_per_day.
        suspicious_rule: the rule.
        first_at, last_at: ISO-8601 of the first and last purchase; None without any.
        purchases, customers, products, orders: what is in the ledger.
        repeat_pair_share: share of (customer, product) pairs bought in two or more orders; None without purchases.
        repeat_customer_share: share of customers with two or more orders; None without purchases.
        median_gap_days: between one customer's consecutive orders of one product; None if nothing was bought twice.
        catalogue: products, from_file, sold_but_not_in_file, never_sold, repeated_in_file, unusable_in_file,
            quarantined_in_file (lines and cells that were not taken).
        samples: our column → one of its cells; where the file was examined, not refused.
        affected: reason of left_out or quarantined → rows, rows_share, money_share (None where nothing has a price) and
            customers_share; likewise.
    """

    sources: Sequence[str]
    format: str
    columns: Mapping[str, str]
    columns_unused: Sequence[str]
    times: Sequence[str]
    notes: Sequence[Mapping[str, Any]]
    questions: Sequence[Mapping[str, Any]]
    rows_read: int
    rows_good: int
    left_out: Mapping[str, int]
    quarantined: Mapping[str, int]
    max_bad_rows_share: float
    quarantine: str | None
    refunds: Mapping[str, float]
    prices_ignored: int
    prices_given: int
    prices_unread: int
    without_customer: int
    statuses: Sequence[Mapping[str, Any]]
    duplicates: int
    suspicious: Sequence[Mapping[str, Any]]
    suspicious_rule: str
    first_at: str | None
    last_at: str | None
    purchases: int
    customers: int
    products: int
    orders: int
    repeat_pair_share: float | None
    repeat_customer_share: float | None
    median_gap_days: float | None
    catalogue: Mapping[str, int]
    samples: Mapping[str, str] = field(default_factory=dict)
    affected: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def bad_share(self) -> float:
        """Bad rows among all rows; 0 without rows."""
        return sum(self.quarantined.values()) / max(self.rows_read, 1)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON."""
        return {**asdict(self), "bad_share": self.bad_share}

    def summary(self) -> dict[str, Any]:
        """What of it a manifest keeps: how the rows were read, without an id of a customer."""
        kept = {name: getattr(self, name) for name in _IN_MANIFEST}
        notes = [{**note, "text": ""} if note["names_customers"] else note for note in self.notes]
        return {**kept, "notes": notes, "statuses": self.statuses[:MOST_STATUSES], "suspicious": len(self.suspicious)}


def check_report(report: IngestReport) -> None:
    """Raise where a report has too many bad rows, prices that are mostly unread, or no purchase.

    Raises:
        UnclearInputError: most prices are no numbers, or most rows have a negative price.
        TooManyBadRowsError: more rows are bad than `max_bad_rows_share` allows.
        TooLittleDataError: no purchase is left.
    """
    if report.bad_share > report.max_bad_rows_share:
        top = sorted(report.quarantined.items(), key=lambda reason: -reason[1])[:3]
        reasons = ", ".join(f"{reason} ({count:,})" for reason, count in top)
        raise TooManyBadRowsError(
            f"{sum(report.quarantined.values()):,} of {report.rows_read:,} rows are bad ({report.bad_share:.1%}, "
            f"allowed are {report.max_bad_rows_share:.1%}): {reasons}; see {report.quarantine}, mend the file, "
            "or raise REPRISE_MAX_BAD_ROWS_SHARE"
        )
    _check_prices(report)
    if report.purchases == 0:
        raise TooLittleDataError(
            f"no purchase is left in {', '.join(report.sources)} ({report.rows_read:,} rows read, "
            f"{sum(report.left_out.values()):,} left out{_reasons(report.left_out)}, "
            f"{report.refunds['lines']:,.0f} refunds); `reprise doctor` shows why"
        )


def _check_prices(report: IngestReport) -> None:
    column = report.columns.get("unit_price")
    if report.prices_unread > MOST_UNREAD * report.prices_given:
        raise UnclearInputError(
            f"{report.prices_unread:,} of {report.prices_given:,} prices in column {column!r} are no numbers; say how "
            "they are written (--decimal), or name the right column (--columns unit_price=…)"
        )
    if report.refunds["by_price"] > MOST_NEGATIVE * report.rows_good:
        raise UnclearInputError(
            f"{report.refunds['by_price']:,.0f} of {report.rows_good:,} rows have a negative price in column "
            f"{column!r}; turn the sign where these are sales, or add the sales to these returns"
        )


def _reasons(counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{reason}: {count:,}" for reason, count in list(counts.items())[:3])
    return f" ({shown})" if shown else ""


def reading_facts(parts: Sequence[ParsedRows], options: ReadingOptions) -> dict[str, Any]:
    """The fields of an IngestReport that describe how the files were read, from columns to statuses."""
    unused = dict.fromkeys(name for part in parts for name in part.unused)
    return {
        "columns": {ours: theirs for part in parts for ours, theirs in part.taken.items()},
        "columns_unused": list(unused),
        "times": list(dict.fromkeys(part.times for part in parts)),
        "notes": [asdict(note) for note in merge_notes([note for part in parts for note in part.notes])],
        "questions": [asdict(question) for question in find_questions(parts, options)],
        "rows_read": sum(part.rows_read for part in parts),
        "rows_good": sum(part.rows_good for part in parts),
        "left_out": dict(sum((Counter(part.left_out) for part in parts), Counter()).most_common()),
        "quarantined": dict(sum((Counter(part.quarantined) for part in parts), Counter()).most_common()),
        "prices_ignored": sum(part.prices_ignored for part in parts),
        "prices_given": sum(part.prices_given for part in parts),
        "prices_unread": sum(part.prices_unread for part in parts),
        "without_customer": sum(part.without_customer for part in parts),
        "statuses": _statuses(parts, options.returned),
        "samples": {ours: cell for part in parts for ours, cell in part.samples.items()},
        "affected": affected_shares([part.affected for part in parts if part.affected]),
    }


def find_questions(parts: Sequence[ParsedRows], options: ReadingOptions) -> list[Question]:
    """Those of the parts, and whether so many sales have no customer."""
    questions = [question for part in parts for question in part.questions]
    rows = sum(part.rows_read for part in parts)
    anonymous = sum(part.left_out.get(ANONYMOUS, 0) for part in parts)
    if anonymous <= options.anonymous_share * rows:
        return questions
    column = next(part.taken["customer_id"] for part in parts if part.left_out.get(ANONYMOUS))
    share = math.ceil(100 * anonymous / rows) / 100
    choices = {f"--anonymous-share {share}": f"an anonymous sale, as {anonymous:,} of {rows:,} rows are"}
    proposed = propose_columns([name for part in parts for name in part.unused], {"customer_id": ()}, "synonyms")
    choices |= {write_columns({ours: each.column}): "the wrong column" for ours, each in proposed.items()}
    remedy = "" if proposed else "the wrong column: name another one by --columns customer_id"
    return [*questions, Question("no_customer", column, "", choices, remedy)]


def _statuses(parts: Sequence[ParsedRows], returned: Collection[str]) -> list[dict[str, Any]]:
    counts = sum((Counter(part.statuses) for part in parts), Counter[str]()).most_common()
    return [{"value": value, "rows": rows, "meaning": status_meaning(value, returned)} for value, rows in counts]


def refund_facts(netted: Netted, parts: Sequence[ParsedRows]) -> dict[str, float]:
    """The field `refunds` of an IngestReport."""
    return {
        "lines": netted.lines,
        "units": netted.units,
        "own_lines": netted.void_lines + sum(part.own_refunds for part in parts),
        "unmatched_lines": netted.unmatched_lines,
        "unmatched_units": netted.unmatched_units,
        "purchases_gone": netted.purchases_gone,
        "by_price": netted.by_price,
        "money_only": netted.money_only,
    }


def ledger_facts(ledger: pl.DataFrame) -> dict[str, Any]:
    """The fields of an IngestReport that describe the ledger, from duplicates to median_gap_days."""
    n_parts = len(ledger) // _LINES_OF_A_PART + 1
    parts = [_rhythm_of_part(ledger, number, n_parts) for number in range(n_parts)]
    orders_each, gaps = (pl.concat([getattr(part, name) for part in parts]) for name in ("orders_each", "gaps"))
    pairs, repeated = (sum(getattr(part, name) for part in parts) for name in ("pairs", "repeated"))
    first, last = ledger.select(pl.col("ordered_at").min().alias("a"), pl.col("ordered_at").max().alias("b")).row(0)
    return {
        "duplicates": len(ledger) - ledger.hash_rows().n_unique(),
        "first_at": first.isoformat() if first else None,
        "last_at": last.isoformat() if last else None,
        "purchases": len(ledger),
        "customers": len(orders_each),
        "products": ledger["product_id"].n_unique(),
        "orders": int(orders_each.sum()),
        "repeat_customer_share": float((orders_each > 1).sum() / len(orders_each)) if len(orders_each) else None,
        "repeat_pair_share": repeated / pairs if pairs else None,
        "median_gap_days": float(gaps.median()) / SECONDS_PER_DAY if len(gaps) else None,
    }


class _Rhythm(NamedTuple):
    """How some customers come back.

    Attributes:
        orders_each: (n_customers,) orders.
        pairs: of a customer and a product.
        repeated: those bought again.
        gaps: seconds between two purchases of a pair.
    """

    orders_each: pl.Series
    pairs: int
    repeated: int
    gaps: pl.Series


def _rhythm_of_part(ledger: pl.DataFrame, number: int, n_parts: int) -> _Rhythm:
    """The rhythm of every `n_parts`th customer: all at once would take many times the memory of the ledger."""
    # 64-bit hashes instead of strings: many times faster, and ten million ids collide once in 370,000 shops
    hashes = ledger.lazy().select(pl.col("customer_id", "product_id", "order_id").hash(), "ordered_at")
    of_part = hashes.filter(pl.col("customer_id") % n_parts == number)
    bought = of_part.group_by("customer_id", "product_id", "order_id").agg(pl.col("ordered_at").min())
    times = bought.collect(engine="streaming").sort("customer_id", "product_id", "ordered_at")
    orders = times.lazy().select("customer_id", "order_id").unique().group_by("customer_id").len()
    same = (pl.col(name) == pl.col(name).shift() for name in ("customer_id", "product_id"))
    again = times.select(pl.all_horizontal(*same).fill_null(value=False).alias("again"))["again"]
    return _Rhythm(
        orders_each=orders.collect(engine="streaming")["len"],
        pairs=len(times) - int(again.sum()),
        repeated=int((again & ~again.shift(fill_value=False)).sum()),
        gaps=times["ordered_at"].diff().filter(again).dt.total_seconds(),
    )
