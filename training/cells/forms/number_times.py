"""Numbers that are times: seconds and the like since 1970, serials of spreadsheets, day numbers."""

import shlex
from datetime import date, timedelta

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.findings import Note, Question, ReadCells
from training.cells.forms.time_text import UTC_MOMENT, localised

STAMP = (
    r"^(?:1[34]|19|20|25)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-4])(?:[0-5]\d){0,2}(?:\d{3})?)?$"
)
"""Digits of a date and a time of day without signs, such as 20260913 and 202609131015."""
_EPOCHS = (
    ("seconds", 1e11, 1_000_000.0),
    ("milliseconds", 1e14, 1_000.0),
    ("microseconds", 1e17, 1.0),
    ("nanoseconds", float("inf"), 0.001),
)
"""Unit, the median it stays under (1e11 seconds are the year 5138), microseconds in one."""
_DAY_MICROSECONDS = 86_400_000_000
_SERIAL_ZERO = date(1899, 12, 30)
_SERIALS = (32_874, 60_000)
"""Serials of spreadsheets from 1990 to 2064."""
_UNIX_DAYS = (7_305, 32_874)
_MOST_DAYS = 1_000_000
_FEWEST_SECONDS = 1e8
"""Of March 1973: smaller numbers are no seconds since 1970 of a purchase."""
_EPOCH_DIGITS = 9
"""The power of ten of a second since 1970, counted in seconds."""
_SHOWN_DAY_ONE = date(2026, 9, 1)
_DIGITS = {6: ("%y%m%d", "%d%m%y", "%m%d%y"), 8: ("%d%m%Y", "%m%d%Y")}
"""Number of digits → the orders of a date without signs that are not ISO's."""
_FEWEST_DATES = 0.99


def read_number_times(column: str, number: pl.Expr, sample: pl.Series, options: ReadingOptions) -> ReadCells:
    """A column of numbers, as Datetime[us, UTC].

    Args:
        column: its name.
        number: its cells, Float64.
        sample: numbers of its head, Float64, at least one.
        options: what the user says about times.
    """
    median = float(sample.abs().median() or 0.0)  # type: ignore[arg-type]
    if options.day_one is not None and median < _MOST_DAYS:
        first = f"day numbers, day 1 is {options.day_one}"
        return ReadCells(_days(number, options.day_one - timedelta(days=1), sample, options.time_zone), first)
    if _SERIALS[0] <= median < _SERIALS[1]:
        return _serials(column, number, sample, options)
    if 0 < median < _FEWEST_SECONDS and (dates := _dates_of_digits(sample)):
        question = Question("time_form", column, f"{sample[0]:.10g}", dates)
        return ReadCells(pl.lit(None, UTC_MOMENT), "digits", questions=[question])
    if 0 < median < _MOST_DAYS:
        return ReadCells(pl.lit(None, UTC_MOMENT), "day numbers", questions=[_day_question(column, sample)])
    if _MOST_DAYS <= median < _FEWEST_SECONDS:
        return ReadCells(pl.lit(None, UTC_MOMENT), "digits", questions=[_digits_question(column, sample)])
    return _epoch(number, median)


def rounded_question(column: str, text: pl.Series) -> Question | None:
    """A question where most cells are rounded, such as 1.79E+12: which day was meant is lost."""
    parts = text.str.extract_groups(r"^\d+(?:[.,](?<decimals>\d+))?[eE]\+?(?<power>\d+)$").struct.unnest()
    power, decimals = parts["power"].cast(pl.Int64), parts["decimals"].str.len_bytes().fill_null(0)
    rounded = (power >= _EPOCH_DIGITS) & (decimals <= _EPOCH_DIGITS - 5)
    if not len(text) or 2 * (rounded.sum() or 0) <= len(text):
        return None
    remedy = "any time of some days, as its last digits are rounded off: export all digits"
    return Question("rounded_times", column, text.filter(rounded)[0][:60], {}, remedy)


def _epoch(number: pl.Expr, median: float) -> ReadCells:
    unit, _, microseconds = next(epoch for epoch in _EPOCHS if median < epoch[1])
    return ReadCells(_moment(number * microseconds), f"{unit} since 1970")


def _moment(microseconds: pl.Expr) -> pl.Expr:
    # beyond the year 9999 the cast would wrap round; a null is counted as unreadable
    usable = microseconds.is_finite() & (microseconds.abs() < 2.5e17)
    return pl.when(usable).then(microseconds).cast(pl.Int64).cast(UTC_MOMENT)


def _days(number: pl.Expr, zero: date, sample: pl.Series, zone: str) -> pl.Expr:
    """Days, with fractions to the second, since midnight of `zero`; whole days are dates, so midnight UTC."""
    seconds = (number * 86_400).round() * 1e6 + (zero - date(1970, 1, 1)).days * float(_DAY_MICROSECONDS)
    moment = _moment(seconds)
    if (sample == sample.round()).all():
        return moment
    return localised(moment.dt.replace_time_zone(None), zone)


def _serials(column: str, number: pl.Expr, sample: pl.Series, options: ReadingOptions) -> ReadCells:
    days = _days(number, _SERIAL_ZERO, sample, options.time_zone)
    cell = f"{sample[0]:.10g}"
    day = _SERIAL_ZERO + timedelta(days=int(sample[0]))
    note = Note(
        "spreadsheet_serials",
        f"{column}: {cell!r} is read as {day}, days of a spreadsheet since 1900; where they count from 1904, give "
        "--day-one 1904-01-02",
    )
    return ReadCells(days, "serial days of a spreadsheet", notes=[note])


def _day_question(column: str, sample: pl.Series) -> Question:
    number = float(sample[0])
    day = _SHOWN_DAY_ONE + timedelta(days=min(int(number), 10_000) - 1) if number >= 1 else _SHOWN_DAY_ONE
    choices = {f"--day-one {_SHOWN_DAY_ONE}": f"{day}, if day 1 is {_SHOWN_DAY_ONE}"}
    if _UNIX_DAYS[0] <= number < _UNIX_DAYS[1]:
        choices["--day-one 1970-01-02"] = f"{date(1970, 1, 1) + timedelta(days=int(number))}, as days since 1970"
    return Question("day_number", column, f"{number:.10g}", choices)


def _dates_of_digits(sample: pl.Series) -> dict[str, str]:
    """Option → the date that the first number is by it, of the orders in which nearly all numbers are dates."""
    digits = sample.cast(pl.Int64, strict=False).cast(pl.String)
    width = 6 if float(sample.abs().median() or 0.0) < _MOST_DAYS else 8  # type: ignore[arg-type]
    choices: dict[str, str] = {}
    if digits.str.len_bytes().max() != width:
        return choices
    for pattern in _DIGITS[width]:
        # what a number lost is a leading zero
        days = digits.filter(digits.str.len_bytes() >= width - 1).str.zfill(width).str.to_date(pattern, strict=False)
        if days.dt.year().is_between(1990, 2100).sum() >= _FEWEST_DATES * len(sample):
            choices[f"--time-format {shlex.quote(pattern)}"] = str(days.drop_nulls()[0])
    return choices


def _digits_question(column: str, sample: pl.Series) -> Question:
    remedy = "a date in digits of its own order: name it by --time-format; or no time at all: name another column"
    return Question("time_form", column, f"{sample[0]:.10g}", {}, remedy)
