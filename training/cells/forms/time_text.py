"""Times as text: taken apart into date, time of day and zone, and read one by one where no pattern fits them all.

Whatever is read here is slower by far than a pattern of polars: columns of one plain form never come this way.
"""

from datetime import date
from functools import partial
from typing import NamedTuple

import polars as pl

from training.cells.forms.date_orders import Seen
from training.writing.calendars import Calendar
from training.writing.date_text import DateText, Order, take_apart
from training.writing.scripts import plain_text
from training.writing.zones import offset_of, zone_of

UTC_MOMENT = pl.Datetime("us", "UTC")
_TIDY = (
    (r'^=?"(.*)"$', "$1"),
    (r"^'", ""),
    (r"\s+", " "),
    # half-days in other languages
    (r"\b([ap])\. ?m\b\.?", "${1}m"),
    (r"(ق\.?ظ|öö|π\.?μ|上午|오전)\.?", "am"),
    (r"(ب\.?ظ|ös|μ\.?μ|下午|오후)\.?", "pm"),
    (r"([0-9]) ?ص$", "${1} am"),
    (r"([0-9]) ?م$", "${1} pm"),
    (r"\b(am|pm) ?(\d{1,2}(?::\d\d){1,2})$", "$2 $1"),
    (r"^(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일]", "$1-$2-$3"),
    (r"^([^ ]*\d{4}):(\d\d:)", "$1 $2"),
    (r"^(\d{4}-\d\d-\d\d)[t_ ](\d\d)-(\d\d)-(\d\d)", "$1 $2:$3:$4"),
    (r"^(\d{4}-\d\d-\d\d)[t ](\d\d)(z?)$", "$1 $2:00$3"),
    (r"^([^ :]*\d) (?:utc|gmt|z)$", "$1"),
    # a time of day before its date, or between parts of it
    (r"^(\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[ap]m\b)?),? (.+)$", "$2 $1"),
    (r"^(.*) (\d{1,2}:\d\d:\d\d(?: [ap]m)?)( [a-z]{3,4}| [+-]\d{4})? (\d{4})$", "$1 $4 $2$3"),
    # times of day without colons
    (r"^(\d{8})[t_ -]?(\d\d)(\d\d)(\d\d)?(\d\d\d)?([.,]\d+)?( ?z| ?[+-].*)?$", "$1 $2:$3:$4.$5$6$7"),
    (r"^(\d{8})(\d\d)$", "$1 $2:00"),
    (r":(\.+)", "$1"),
    (r"(\d:\d\d)\.+([^\d]|$)", "$1$2"),
    (r"\.{2,}", "."),
    (r"(\d{4}\.?,?)((?: [^\W\d]+\.?)?) (\d{1,2})\.(\d\d)(?:\.(\d\d))?( |$)", "$1$2 $3:$4:$5 "),
    (r"(\d) ?h ?(\d\d)(?: ?m(?:in)? ?(\d\d) ?s?)?", "$1:$2:$3"),
    (r":( |$)", "$1"),
    (r" uhr\b", ""),
    # zones in brackets, which repeat the offset before them
    (r"(z|[+-]\d\d:?\d\d) ?[(\[].*[)\]]$", "$1"),
    (r"[(\[](.*)[)\]]$", "$1"),
    (r"^(\d{4}-\d\d-\d\d)(?:z|[+-]\d\d:\d\d)$", "$1"),
)
"""Patterns and what they become, over small letters."""
_PARTS = (
    r"^(?P<date>.+?)(?:(?:[ ,_]+t?|t)(?P<hour>\d{1,2})(?::(?P<minute>\d\d)(?::(?P<second>\d\d)"
    r"(?:[.,:](?P<fraction>\d{1,9}))?)?)(?: ?(?P<half>[ap]m))?(?: ?(?P<zone>z|[a-z]{2,5}|[a-z_]+/[a-z_/+-]+|"
    r"(?:utc|gmt)? ?[+-]\d{1,2}(?::?\d\d)?))?)?[ .,]*$"
)
_HOUR_ALONE = (r"^(.*\d)(?:[t ]| at )(\d{1,2})( ?[ap]m)$", "$1 $2:00$3")


class Form(NamedTuple):
    """How dates of a column are written.

    Attributes:
        order: of day, month and year.
        calendar: of the dates.
        zone: of times that name none.
    """

    order: Order
    calendar: Calendar
    zone: str


def split_times(cell: pl.Expr) -> pl.Expr:
    """A cell as a struct of text: date, hour, minute, second, fraction, half, zone; null where there is none."""
    text = plain_text(cell).str.to_lowercase()
    for pattern, becomes in (*_TIDY, _HOUR_ALONE):
        text = text.str.replace(pattern, becomes)
    return text.str.extract_groups(_PARTS)


def dates_of(cells: pl.Series) -> dict[DateText, Seen]:
    """The dates of a column of text, each with how often it stands there and one of its cells."""
    frame = cells.drop_nulls().to_frame("cell")
    frame = frame.with_columns(split_times(pl.col("cell")).struct.field("date")).drop_nulls()
    counts = frame.group_by("date", maintain_order=True).agg(pl.len(), pl.first("cell"))
    found: dict[DateText, Seen] = {}
    for text, count, cell in counts.iter_rows():
        parts = take_apart(text.strip(" ,"))
        if isinstance(parts, DateText):
            before = found.get(parts, Seen(0, cell))
            found[parts] = Seen(before.cells + count, before.example)
    return found


def zones_of(cells: pl.Series) -> dict[str, Seen]:
    """The zones that a column of text names, in small letters, each with how often and one of its cells."""
    frame = cells.drop_nulls().to_frame("cell")
    frame = frame.with_columns(split_times(pl.col("cell")).struct.field("zone").str.strip_chars()).drop_nulls()
    counts = frame.group_by("zone", maintain_order=True).agg(pl.len(), pl.first("cell"))
    return {zone: Seen(count, cell) for zone, count, cell in counts.iter_rows()}


def parse_times(cells: pl.Series, form: Form) -> pl.Series:
    """Text to UTC, as Datetime[us, UTC]; null where it cannot be read. A date alone is midnight UTC."""
    empty = pl.repeat(None, len(cells), dtype=UTC_MOMENT, eager=True).alias(cells.name)
    if cells.null_count() == len(cells):
        return empty
    parts = cells.to_frame("cell").select(split_times(pl.col("cell")).alias("parts")).unnest("parts")
    days = parts.select(
        _by_value(pl.col("date"), partial(_day, form=form), pl.Date).alias("day"),
        _time_of_day().alias("time"),
        pl.col("hour").is_not_null().alias("timed"),
        "zone",
    )
    naive = days.with_columns((pl.col("day").cast(pl.Datetime("us")) + pl.col("time")).alias("naive"))
    return _to_utc(naive, form.zone).alias(cells.name)


def localised(naive: pl.Expr, zone: str) -> pl.Expr:
    """Times without a zone as moments in UTC: of two the first; one that the clocks skip is as if they did not."""
    if zone == "UTC":
        return naive.dt.replace_time_zone("UTC")
    day = pl.duration(days=1)
    there = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    skipped = pl.when(there.is_null()).then(naive - day)
    before = skipped.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")
    return there.fill_null(before + day)


def _day(text: str, form: Form) -> date | None:
    parts = take_apart(text.strip(" ,"))
    return parts.read(form.order, form.calendar) if isinstance(parts, DateText) else parts


def _time_of_day() -> pl.Expr:
    """The duration since midnight; 0 without a time of day, null where there is no such time."""
    hour, minute, second = (pl.col(name).cast(pl.Int64).fill_null(0) for name in ("hour", "minute", "second"))
    half = pl.col("half")
    noon = pl.when(half == "pm", hour < 12).then(hour + 12).when(half == "am", hour == 12).then(0).otherwise(hour)
    micros = pl.col("fraction").str.pad_end(6, "0").str.head(6).cast(pl.Int64).fill_null(0)
    total = ((noon * 60 + minute) * 60 + second) * 1_000_000 + micros
    morning = half.eq("am").fill_null(value=False) & (hour > 12)
    # 24:00 is the end of the day, and a minute may have a leap second
    is_time = (noon <= 24) & (minute < 60) & (second <= 60) & (total <= 86_400_000_000) & ~morning
    return pl.when(is_time).then(total).cast(pl.Duration("us"))


def _to_utc(rows: pl.DataFrame, default: str) -> pl.Series:
    zone = pl.col("zone").str.strip_chars()
    rows = rows.with_columns(
        _by_value(zone, offset_of, pl.Duration("us")).alias("offset"),
        _by_value(zone, partial(zone_of, default=default), pl.String).alias("named"),
    )
    naive = pl.col("naive")
    moment = (
        pl.when(~pl.col("timed"))
        .then(localised(naive, "UTC"))
        .when(pl.col("zone").is_null())
        .then(localised(naive, default))
        .when(pl.col("offset").is_not_null())
        .then(localised(naive - pl.col("offset"), "UTC"))
    )
    for name in rows["named"].drop_nulls().unique():
        moment = moment.when(pl.col("named") == name).then(localised(naive, name))
    return rows.select(moment.cast(UTC_MOMENT).alias("moment"))["moment"]


def _by_value(column: pl.Expr, rule, dtype) -> pl.Expr:  # type: ignore[no-untyped-def]
    """A rule of Python over the distinct values of a column."""

    def replaced(cells: pl.Series) -> pl.Series:
        values = cells.unique().drop_nulls()
        results = pl.Series([rule(value) for value in values], dtype=dtype)
        return cells.replace_strict(values, results, default=None, return_dtype=dtype)

    return column.map_batches(replaced, return_dtype=dtype)
