"""Time columns of purchase files: detection of their form, and conversion to UTC.

A column of text or numbers is looked at once (`read_times`), then read as a whole, in the form that most of its cells
have; a cell that fits no form is null. ISO-8601, other orders of day and month, names of months, 12-hour clocks,
numbers since 1970, serials of spreadsheets and Persian dates are known. A time without a zone is of the zone that the
options say, and the report says so; a date alone is midnight UTC.
"""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.findings import Note, Question, ReadCells
from training.cells.forms.date_orders import Dates, decide_form
from training.cells.forms.number_times import STAMP, read_number_times, rounded_question
from training.cells.forms.proposed_patterns import fitting_patterns
from training.cells.forms.time_patterns import ISO, fastest, order_of, read_fast, read_iso, read_pattern
from training.cells.forms.time_text import UTC_MOMENT, Form, dates_of, localised, parse_times, split_times, zones_of
from training.cells.source_column import SourceColumn
from training.cells.texts import text_of
from training.writing.date_text import Order
from training.writing.scripts import plain_text
from training.writing.zones import AMBIGUOUS, zone_of

_ODD = 0.01
"""Share of the cells that may be unclear without a question: they count as bad rows."""
_FLOAT_STAMP = r"^(\d{6,14})\.0$"
"""Digits of a date that a program took for a number with decimals, such as 20260913.0."""
_NO_ZONE = "without a zone, taken as"
_UNCLEAR = "times that are unclear"


def read_times(column: SourceColumn, options: ReadingOptions, patterns: Sequence[str] = ()) -> ReadCells:
    """A column of times, as Datetime[us, UTC]; null where a cell cannot be read.

    Args:
        column: of any type; where it is empty, ISO-8601 is expected.
        options: what the user says about times.
        patterns: strptime patterns of times without a zone that the file's format has besides ISO-8601.
    """
    read = _read(column, options, patterns)
    if options.time_zone == "UTC" or options.time_zone not in read.found:
        return read
    clocks = (
        f"{column.name}: times without a zone are taken as {options.time_zone}; where clocks go back, the first of two "
        "equal times is taken, and a time that they skip as if they did not"
    )
    return replace(read, notes=[*read.notes, Note("time_zone", clocks)])


def _read(column: SourceColumn, options: ReadingOptions, patterns: Sequence[str]) -> ReadCells:
    cell, dtype = pl.col(column.name), column.dtype
    if dtype == pl.Date:
        return ReadCells(cell.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"), "dates, taken as midnight UTC")
    if isinstance(dtype, pl.Datetime):
        return _typed(cell, dtype, options.time_zone)
    written = text_of(column.name, dtype) if dtype.is_float() else cell.cast(pl.String)
    text = column.head.to_frame().select(written.str.strip_chars()).to_series()
    text = text.filter(text.str.len_bytes() > 0)
    if text.str.contains(_FLOAT_STAMP).any():
        written, text = (
            written.str.strip_chars().str.replace(_FLOAT_STAMP, "${1}"),
            text.str.replace(_FLOAT_STAMP, "${1}"),
        )
    if options.time_format is not None:
        return _in_format(column.name, written, text, options, options.time_format)
    numbers = _numbers(text).drop_nulls()
    if 2 * len(numbers) > len(text) and 2 * _plain(text).str.contains(STAMP).sum() <= len(text):
        return _as_numbers(column.name, written, text, options)
    if _fit(text, patterns).sum() >= (1 - _ODD) * len(text):
        form = Form(Order(options.day_first), options.calendar or "gregorian", options.time_zone)
        return ReadCells(_moments(written, text, form, patterns), _describe(text, patterns, options.time_zone))
    return _as_text(column, written, text, options, patterns)


def _as_numbers(column: str, written: pl.Expr, text: pl.Series, options: ReadingOptions) -> ReadCells:
    """A column of numbers since 1970, serials or day numbers."""
    if question := rounded_question(column, text):
        return ReadCells(pl.lit(None, UTC_MOMENT), _UNCLEAR, questions=[question])
    written = written.str.strip_chars()
    number = written.cast(pl.Float64, strict=False)
    if text.cast(pl.Float64, strict=False).null_count():
        number = written.map_batches(_numbers, return_dtype=pl.Float64, is_elementwise=True)
    return read_number_times(column, number, _numbers(text).drop_nulls(), options)


def _typed(cell: pl.Expr, dtype: pl.Datetime, zone: str) -> ReadCells:
    if dtype.time_zone is None:
        return ReadCells(localised(cell.cast(pl.Datetime("us")), zone), f"typed times without a zone, taken as {zone}")
    return ReadCells(cell.dt.convert_time_zone("UTC").cast(UTC_MOMENT), f"typed times in {dtype.time_zone}")


def _plain(text: pl.Series) -> pl.Series:
    return text.to_frame("t").select(plain_text(pl.col("t"))).to_series()


def _numbers(text: pl.Series) -> pl.Series:
    """Finite numbers of text, also with other digits and a decimal comma; null for any other."""
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() > text.null_count():
        rest = _plain(text.to_frame("t").select(pl.when(numbers.is_null()).then(pl.col("t"))).to_series())
        numbers = numbers.fill_null(
            rest.str.replace(r"^(\d+)[,\x{066B}](\d+)$", "$1.$2").cast(pl.Float64, strict=False)
        )
    return numbers.set(~numbers.is_finite(), None)


def _fit(text: pl.Series, patterns: Sequence[str]) -> pl.Series:
    """Which cells are ISO-8601 or in a pattern of the format."""
    fit = text.str.contains(ISO)
    for pattern in patterns:
        fit |= text.str.to_datetime(pattern, strict=False).is_not_null()
    return fit


def _moments(written: pl.Expr, text: pl.Series, form: Form, patterns: Sequence[str]) -> pl.Expr:
    """Text to UTC: the sample's commonest pattern at polars' full speed, then what it does not fit."""
    iso = bool(patterns) or text.str.contains(ISO).any()
    fast = fastest(text, form.order)
    read = partial(_read_moments, pattern=fast, form=form, patterns=patterns if iso else None)
    return written.map_batches(read, return_dtype=UTC_MOMENT, is_elementwise=True)


def _read_moments(cells: pl.Series, pattern: str, form: Form, patterns: Sequence[str] | None) -> pl.Series:
    fast = read_fast(pl.col("t"), pattern, form.zone)
    moments = cells.to_frame("t").select(fast).to_series().alias(cells.name)
    if moments.null_count() == cells.null_count():
        return moments
    left = pl.when(moments.is_null()).then(pl.col("t").str.strip_chars())
    odd = cells.to_frame("t").select(left)
    moments = moments.fill_null(odd.select(fast).to_series())
    return moments.fill_null(_parse_rest(odd.select(pl.when(moments.is_null()).then("t")).to_series(), form, patterns))


def _parse_rest(cells: pl.Series, form: Form, patterns: Sequence[str] | None) -> pl.Series:
    """What the fast pattern left: ISO-8601 and `patterns`, unless these are None, then any form."""
    moments = pl.repeat(None, len(cells), dtype=UTC_MOMENT, eager=True).alias(cells.name)
    if cells.null_count() == len(cells):
        return moments
    if patterns is not None:
        moments = read_iso(cells, patterns, form.zone)
    left = cells.to_frame("t").select(pl.when(moments.is_null()).then(pl.col("t"))).to_series()
    return moments.fill_null(parse_times(left, form))


def _as_text(
    column: SourceColumn, written: pl.Expr, text: pl.Series, options: ReadingOptions, patterns: Sequence[str]
) -> ReadCells:
    """A column of which more than a few cells are no ISO-8601."""
    dates = dates_of(text)
    decided = decide_form(column.name, dates, options, partial(_order_of_all, column, written))
    form = Form(decided.order, decided.calendar, options.time_zone)
    questions = [decided.question] if decided.question else []
    questions += _zone_questions(column.name, text, options.time_zone)
    readable = parse_times(text, form)
    if not questions and 2 * readable.count() < len(text):
        questions.append(_unreadable(column.name, text, readable.is_null()))
    if questions:
        return ReadCells(pl.lit(None, UTC_MOMENT), _UNCLEAR, questions=questions)
    unclear = _persian(dates, form) or any(not one.has_order for one in dates)
    notes = _examples(column.name, text, readable) if unclear else []
    return ReadCells(_moments(written, text, form, patterns), _found(text, dates, form, readable), notes)


def _order_of_all(column: SourceColumn, written: pl.Expr) -> Order:
    """The order that the first plain cell of the whole column shows."""
    day = split_times(written).struct.field("date")
    if column.first_where(day.str.contains(r"^\D*(1[3-9]|2\d|3[01])\D+(0?\d|1[0-2])\D+(\d\d|\d{4})\D*$")):
        return Order(day_first=True)
    other = column.first_where(day.str.contains(r"^\D*(0?\d|1[0-2])\D+(1[3-9]|2\d|3[01])\D+(\d\d|\d{4})\D*$"))
    return Order(day_first=False if other else None)


def _zone_questions(column: str, text: pl.Series, default: str) -> list[Question]:
    """A question for each abbreviation that several zones use."""
    return [
        Question(
            "time_zone",
            column,
            cell,
            {
                f"--time-zone {zone}": f"a time of {zone.rpartition('/')[2].replace('_', ' ')}"
                for zone in AMBIGUOUS[name]
            },
        )
        for name, (count, cell) in zones_of(text).items()
        if name in AMBIGUOUS and zone_of(name, default) is None and count > _ODD * len(text)
    ]


def _unreadable(column: str, text: pl.Series, unread: pl.Series) -> Question:
    """The question for a column of which most cells are not read, with the patterns that would read them."""
    choices = {
        f"--time-format {shlex.quote(each)}": f"{moment:%d %B %Y}" for each, moment in fitting_patterns(text).items()
    }
    remedy = "no time at all: name another column by --columns ordered_at"
    if not choices:
        remedy = f"a time in a form of its own: name it by --time-format; or {remedy}"
    return Question("time_form", column, text.filter(unread)[0][:60], choices, remedy)


def _in_format(column: str, written: pl.Expr, text: pl.Series, options: ReadingOptions, pattern: str) -> ReadCells:
    """A column of times in the user's pattern."""
    if options.calendar == "persian":
        form = Form(order_of(pattern), "persian", options.time_zone)
        return ReadCells(_moments(written, text, form, ()), f"Persian dates as {pattern}")
    plain = plain_text(written) if text.str.contains(r"[^ -~]").any() else written.str.strip_chars()
    value = read_pattern(plain, pattern, options.time_zone)
    readable = text.to_frame(column).select(value).to_series()
    if len(text) and 2 * readable.count() < len(text):
        return ReadCells(value, _UNCLEAR, questions=[_unreadable(column, text, readable.is_null())])
    return ReadCells(value, f"times as {pattern}, {_NO_ZONE} {options.time_zone}")


def _found(text: pl.Series, dates: Dates, form: Form, readable: pl.Series) -> str:
    """What the report says about a column of text that is read."""
    if not (~text.str.contains(ISO) & readable.is_not_null()).any():
        return _describe(text, (), form.zone)
    if text.str.contains(r"^\d{8}$").all():
        return "dates such as 20240131, taken as midnight UTC"
    words = "Persian dates" if _persian(dates, form) else "dates"
    if any(not one.has_order for one in dates):
        order = "day first" if form.order.day_first else "year first" if form.order.year_first else "month first"
        words = f"{words}, {order}"
    midnight = (readable.dt.truncate("1d") == readable).all()
    if midnight:
        return f"{words}, taken as midnight UTC"
    zoned = sum(seen.cells for seen in zones_of(text).values())
    return f"{words} and times with a zone" if zoned == len(text) else f"{words} and times {_NO_ZONE} {form.zone}"


def _persian(dates: Dates, form: Form) -> bool:
    return form.calendar == "persian" or any(one.persian for one in dates)


def _examples(column: str, text: pl.Series, readable: pl.Series) -> list[Note]:
    """A note with the first cell that only more than ISO-8601 reads."""
    odd = ~text.str.contains(ISO) & readable.is_not_null()
    shown = zip(text.filter(odd).head(1), readable.filter(odd).head(1), strict=True)
    words = (f"{column}: {cell[:60]!r} is read as {moment.day} {moment:%B %Y %H:%M} UTC" for cell, moment in shown)
    return [Note("time_form", text) for text in words]


def _describe(text: pl.Series, patterns: Sequence[str], time_zone: str) -> str:
    """What the sample holds, in words, most frequent first."""
    zone = text.str.contains(r"(Z|UTC|\d[+-]\d\d:?\d\d| [+-]\d\d:?\d\d)$")
    date = text.str.contains(r"^\d{4}-\d\d-\d\d$")
    iso = text.str.contains(r"^\d{4}-\d\d-\d\d")
    counts = {
        "ISO-8601 with a zone": (iso & zone & ~date).sum(),
        f"ISO-8601 {_NO_ZONE} {time_zone}": (iso & ~zone & ~date).sum(),
        "ISO-8601 dates, taken as midnight UTC": date.sum(),
        f"{' or '.join(patterns)} {_NO_ZONE} {time_zone}": (~iso).sum() if patterns else 0,
    }
    found = sorted((name for name, count in counts.items() if count), key=lambda name: -counts[name])
    return "; ".join(found) or "no ISO-8601 time seen"
