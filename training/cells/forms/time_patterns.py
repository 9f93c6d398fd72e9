"""Patterns of times: the one by which polars reads most of a column, and those that a user or a format names."""

from collections.abc import Iterator, Sequence

import polars as pl

from training.cells.forms.time_text import UTC_MOMENT, localised
from training.writing.date_text import Order

ISO = r"^(?:19|20)\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)? ?(?:Z|UTC|[+-]\d\d:?\d\d)?)?$"
"""ISO-8601 with signs, as the patterns below read it."""
FAST = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d")
_NAIVE = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_ZONED = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z", "%Y-%m-%d %H:%M%#z")
_SIGNS = ("-", "/", ".")
_TIMES = ("", " %H:%M", " %H:%M:%S", ", %H:%M:%S", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_STAMPS = ("%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M%S")
_PARTS = (("%y", "%Y"), ("%m", "%b", "%B"), ("%d", "%e"))
_ZONE = ("%z", "%:z", "%#z", "%::z")
_CLOCK = ("%H", "%I", "%T", "%R", "%c", "%X", "%s", "%r", "%k", "%l")
_TRIED = 200
"""Cells on which patterns are tried."""
_FIRST_YEAR = 1700
"""chrono reads the year 26 for two digits, and Persian years are below 1700: neither is one of a pattern's."""


def _candidates(order: Order) -> Iterator[str]:
    yield from FAST
    dates = ["%Y{0}%m{0}%d"]
    if order.day_first is not None:
        dates.append("%d{0}%m{0}%Y" if order.day_first else "%m{0}%d{0}%Y")
    for date in dates:
        for sign in _SIGNS:
            yield from (date.format(sign) + time for time in _TIMES)
    yield from _STAMPS


def fastest(text: pl.Series, order: Order) -> str:
    """The pattern that reads most of a column's first cells."""
    tried = text.head(_TRIED)
    hits = {pattern: _usable(tried, pattern) for pattern in dict.fromkeys(_candidates(order))}
    return max(hits, key=hits.__getitem__)


def _usable(text: pl.Series, pattern: str) -> int:
    return int((text.str.to_datetime(pattern, strict=False).dt.year() >= _FIRST_YEAR).sum() or 0)


def read_pattern(cell: pl.Expr, pattern: str, zone: str) -> pl.Expr:
    """Text to UTC by one pattern; null where it does not fit. Times that name no zone are of `zone`, dates midnight."""
    if any(sign in pattern for sign in _ZONE):
        return cell.str.to_datetime(pattern, strict=False, time_unit="us", time_zone="UTC")
    clock = any(sign in pattern for sign in _CLOCK)
    # times differ from row to row, and looking each up among those before costs more than reading it
    moment = cell.str.to_datetime(pattern, strict=False, time_unit="us", cache=not clock)
    return localised(moment, zone if clock and not pattern.endswith("Z") else "UTC")


def read_fast(cell: pl.Expr, pattern: str, zone: str) -> pl.Expr:
    """`read_pattern`, but null where the year is none of this calendar with four digits."""
    moment = read_pattern(cell, pattern, zone)
    return moment if pattern in FAST else pl.when(moment.dt.year() >= _FIRST_YEAR).then(moment)


def read_iso(cells: pl.Series, patterns: Sequence[str], zone: str) -> pl.Series:
    """ISO-8601 to UTC, pattern after pattern until no cell is left."""
    moments = pl.repeat(None, len(cells), dtype=UTC_MOMENT, eager=True)
    text = cells.str.replace(" UTC", "Z", literal=True).str.replace("T", " ", literal=True)
    for pattern in (*_NAIVE, *_ZONED, *patterns):
        if moments.null_count() == text.null_count():
            break
        parsed = text.to_frame("t").select(read_pattern(pl.col("t"), pattern, zone)).to_series()
        moments = moments.fill_null(parsed)
    return moments.alias(cells.name)


def order_of(pattern: str) -> Order:
    """The order of day, month and year in a pattern."""
    places = [next((pattern.find(sign) for sign in signs if sign in pattern), -1) for signs in _PARTS]
    year, month, day = places
    return Order(day_first=day < month, year_first=year < min(month, day))
