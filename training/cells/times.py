"""Time columns of purchase files: detection of their form, and conversion to UTC.

A column of text or numbers is looked at once (`read_times`), then read as a whole: ISO-8601 with or without a
zone, ISO dates, `20240131`, or seconds, milliseconds, microseconds or nanoseconds since 1970. A time without a zone
is taken as UTC, and the report says so.
"""

from collections.abc import Sequence

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.findings import ReadCells
from training.cells.source_column import SourceColumn

UTC_MOMENT = pl.Datetime("us", "UTC")
_FAST = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d")
_NAIVE = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_ZONED = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z", "%Y-%m-%d %H:%M%#z")
_COMPACT = r"^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$"
_NO_ZONE = "without a zone, taken as UTC"
_EPOCHS = (
    ("seconds", 1e11, 1_000_000.0),
    ("milliseconds", 1e14, 1_000.0),
    ("microseconds", 1e17, 1.0),
    ("nanoseconds", float("inf"), 0.001),
)
"""Unit, the median it stays under (1e11 seconds are the year 5138), microseconds in one."""


def read_times(
    column: SourceColumn,
    options: ReadingOptions,  # noqa: ARG001
    patterns: Sequence[str] = (),
) -> ReadCells:
    """A column of times, as Datetime[us, UTC]; null where a cell cannot be read.

    Args:
        column: of any type; where it is empty, ISO-8601 is expected.
        options: what the user says about times.
        patterns: strptime patterns of times without a zone that the file's format has besides ISO-8601.
    """
    cell, sample = pl.col(column.name), column.head
    if sample.dtype == pl.Date:
        return ReadCells(cell.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"), "dates, taken as midnight UTC")
    if isinstance(sample.dtype, pl.Datetime):
        return _typed(cell, sample.dtype)
    text = sample.cast(pl.String).str.strip_chars().drop_nulls()
    numbers = text.cast(pl.Float64, strict=False).drop_nulls()
    numbers = numbers.filter(numbers.is_finite())
    if len(text) and text.str.contains(_COMPACT).mean() == 1:
        compact = cell.cast(pl.String).str.strip_chars().str.to_datetime("%Y%m%d", strict=False, time_unit="us")
        return ReadCells(compact.dt.replace_time_zone("UTC"), "dates such as 20240131, taken as midnight UTC")
    if 2 * len(numbers) > len(text):
        return _epoch(cell, numbers)
    return ReadCells(_iso(cell.cast(pl.String).str.strip_chars(), text, patterns), _describe(text, patterns))


def _iso(cell: pl.Expr, sample: pl.Series, patterns: Sequence[str]) -> pl.Expr:
    """ISO-8601 to UTC: the sample's commonest pattern at polars' full speed, then what it does not fit."""
    hits = {pattern: sample.str.to_datetime(pattern, strict=False).count() for pattern in _FAST}
    fast = cell.str.to_datetime(max(_FAST, key=hits.__getitem__), strict=False, time_unit="us")
    rest = pl.when(fast.is_null()).then(cell)
    slow = rest.map_batches(lambda cells: _parse(cells, patterns), return_dtype=UTC_MOMENT, is_elementwise=True)
    return fast.dt.replace_time_zone("UTC").fill_null(slow)


def _typed(cell: pl.Expr, dtype: pl.Datetime) -> ReadCells:
    if dtype.time_zone is None:
        return ReadCells(cell.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"), f"typed times {_NO_ZONE}")
    return ReadCells(cell.dt.convert_time_zone("UTC").cast(UTC_MOMENT), f"typed times in {dtype.time_zone}")


def _epoch(cell: pl.Expr, numbers: pl.Series) -> ReadCells:
    median = float(numbers.abs().median() or 0.0)  # type: ignore[arg-type]
    unit, _, microseconds = next(epoch for epoch in _EPOCHS if median < epoch[1])
    number = cell.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False) * microseconds
    # beyond the year 9999 the cast would wrap round; a null is counted as unreadable
    whole = pl.when(number.is_finite() & (number.abs() < 2.5e17)).then(number).cast(pl.Int64)
    return ReadCells(whole.cast(UTC_MOMENT), f"{unit} since 1970")


def _parse(cells: pl.Series, patterns: Sequence[str]) -> pl.Series:
    """Text to UTC, pattern after pattern until no cell is left."""
    moments = pl.repeat(None, len(cells), dtype=UTC_MOMENT, eager=True)
    if cells.null_count() == len(cells):
        return moments.alias(cells.name)
    text = cells.str.replace(" UTC", "Z", literal=True).str.replace("T", " ", literal=True)
    for pattern in (*_NAIVE, *_ZONED, *patterns):
        if moments.null_count() == text.null_count():
            break
        zone = "UTC" if pattern in _ZONED else None
        parsed = text.str.to_datetime(pattern, strict=False, time_unit="us", time_zone=zone)
        moments = moments.fill_null(parsed if zone else parsed.dt.replace_time_zone("UTC"))
    return moments.alias(cells.name)


def _describe(text: pl.Series, patterns: Sequence[str]) -> str:
    """What the sample holds, in words, most frequent first."""
    zone = text.str.contains(r"(Z|UTC|\d[+-]\d\d:?\d\d| [+-]\d\d:?\d\d)$")
    date = text.str.contains(r"^\d{4}-\d\d-\d\d$")
    iso = text.str.contains(r"^\d{4}-\d\d-\d\d")
    counts = {
        "ISO-8601 with a zone": (iso & zone & ~date).sum(),
        f"ISO-8601 {_NO_ZONE}": (iso & ~zone & ~date).sum(),
        "ISO-8601 dates, taken as midnight UTC": date.sum(),
        f"{' or '.join(patterns)} {_NO_ZONE}": (~iso).sum() if patterns else 0,
    }
    found = sorted((name for name, count in counts.items() if count), key=lambda name: -counts[name])
    return "; ".join(found) or "no ISO-8601 time seen"
