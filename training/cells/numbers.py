"""Cells of numbers, such as quantities and prices: decimal signs, thousands marks, currencies, and signs of minus."""

from functools import partial

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.findings import Note, Question, ReadCells
from training.cells.forms.number_marks import Decimal, decide_decimal, number_of
from training.cells.source_column import SourceColumn
from training.writing.currencies import codes_of_currencies
from training.writing.scripts import plain_series

_EMPTY = r"^(?:(?i:null|none|<na>|\\n|#?n/a)|-*)$"
"""What stands where there is nothing, once blanks and dashes are plain."""
_TIDY = ((r'^=?"(.*)"$', "$1"), (r"^'", ""), (r"([.,])-+( ?[^\d ]*)$", "${1}00$2"))
"""Guards of spreadsheets, and the dash of 12,- for no cents."""
_NUMBER = r"(?P<number>(?:\d[\d.,'_ \x{066B}]*?|[.,\x{066B}]\d+)(?:[eE][+-]?\d+)?)"
_MONEY = r"[^\d .,'_+()-][^\d ,'_+()-]{0,7}"
_CELL = (
    rf"^(?P<open>\(?)(?P<before>[-+]?) ?(?P<sign>{_MONEY})? ?(?P<after>[-+]?) ?{_NUMBER} ?(?P<behind>[-+]?) ?"
    rf"(?P<code>{_MONEY})? ?(?P<close>[-)]?)$"
)
_COULD_BE_THOUSANDS = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
_SMALL = r"^\d{1,3}$"
_CELLS = 60
"""A cell is cut to this many characters in a message."""


def read_numbers(column: SourceColumn, options: ReadingOptions) -> ReadCells:
    """A column of numbers, as Float64; null where a cell is empty, NaN where it is not a number.

    Where cells of the head name currencies, `ReadCells.currency` has those of all.

    Args:
        column: of any type.
        options: what the user says about numbers.
    """
    if column.dtype.is_numeric():
        return ReadCells(pl.col(column.name).cast(pl.Float64))
    text = pl.col(column.name).cast(pl.String)
    sample = column.head.to_frame().select(text.str.strip_chars()).to_series()
    sample = sample.filter(sample.str.len_bytes() > 0)
    plain = sample.cast(pl.Float64, strict=False)
    if options.decimal is None and plain.null_count() == 0 and not sample.str.contains(_COULD_BE_THOUSANDS).any():
        value = _value(text, ".", undecided=bool(sample.str.contains(_SMALL).all()))
        return ReadCells(value, decimal="." if sample.str.contains(".", literal=True).any() else None)
    parts = _parts(sample)
    currencies = parts["currency"].drop_nulls().unique()
    decimal, question = decide_decimal(
        column.name, parts["number"].drop_nulls(), options, partial(_any_fits, column, text), list(currencies)
    )
    if question:
        return ReadCells(pl.lit(None, pl.Float64), questions=[question])
    value = _value(text, decimal or ".")
    read = sample.to_frame().select(value).to_series()
    unread = read.is_nan() & plain.is_null()
    if 2 * unread.sum() > len(sample):
        return ReadCells(value, questions=[_no_numbers(column.name, sample.filter(unread)[0])])
    currency = _currency(text) if len(currencies) else None
    return ReadCells(value, notes=_notes(column.name, sample, plain, read), currency=currency, decimal=decimal)


def _value(text: pl.Expr, decimal: Decimal, *, undecided: bool = False) -> pl.Expr:
    """Numbers as polars casts them, and what it does not as it is written.

    Args:
        text: of the cells.
        decimal: the sign before decimals.
        undecided: whether all that is known are whole numbers under 1000: behind the head, 1.200 can be either.
    """
    read = partial(_read_cells, decimal=decimal, undecided=undecided)
    return text.map_batches(read, return_dtype=pl.Float64, is_elementwise=True)


def _read_cells(cells: pl.Series, decimal: Decimal, *, undecided: bool) -> pl.Series:
    number = cells.cast(pl.Float64, strict=False)
    may_be_read = decimal == "." and not (undecided and (cells.str.len_bytes() >= len("1.200")).any())
    if may_be_read and number.null_count() == cells.null_count():
        return number
    frame, text = cells.str.strip_chars().to_frame("cell"), pl.col("cell")
    plain = text
    if decimal == ",":
        plain = pl.when(~text.str.contains(".", literal=True)).then(text.str.replace(",", ".", literal=True))
    elif undecided:
        plain = pl.when(text.str.len_bytes() < len("1.200")).then(text)
    number = frame.select(plain.cast(pl.Float64, strict=False)).to_series().alias(cells.name)
    if number.null_count() == cells.null_count():
        return number
    odd = frame.select(pl.when(number.is_null() & (text.str.len_bytes() > 0)).then(text)).to_series()
    return number.fill_null(_read(odd, decimal, undecided=undecided))


def _read(cells: pl.Series, decimal: Decimal, *, undecided: bool) -> pl.Series:
    """Text as Float64: null where it is empty, NaN where it is no number."""
    if cells.null_count() == len(cells):
        return pl.repeat(None, len(cells), dtype=pl.Float64, eager=True).alias(cells.name)
    parts = _parts(cells)
    number = number_of(pl.col("number"), decimal)
    if undecided:
        number = pl.when(~pl.col("number").str.contains(_COULD_BE_THOUSANDS)).then(number)
    signs = pl.concat_str("open", "before", "after", "behind", "close", ignore_nulls=True)
    closed = (pl.col("open") == "(") == (pl.col("close") == ")")
    value = pl.when(closed).then(pl.when(signs.str.contains(r"[-(]")).then(-number).otherwise(number))
    empty = pl.col("text").str.contains(_EMPTY).fill_null(value=True)
    return parts.select(pl.when(~empty).then(value.fill_null(float("nan"))).alias(cells.name)).to_series()


def _parts(cells: pl.Series) -> pl.DataFrame:
    """Columns text, open, before, after, number, behind, close, currency; only text is filled where it is no number."""
    text = plain_series(cells).alias("text")
    tidy = pl.col("text")
    for pattern, becomes in _TIDY:
        tidy = tidy.str.replace(pattern, becomes)
    parts = text.to_frame().with_columns(tidy.str.extract_groups(_CELL).alias("parts")).unnest("parts")
    money = pl.coalesce(pl.col("code"), pl.col("sign")).str.to_lowercase()
    known = codes_of_currencies()
    named = parts.with_columns(money.replace_strict(known, default=None, return_dtype=pl.String).alias("currency"))
    is_number = money.is_null() | pl.col("currency").is_not_null()
    return named.with_columns(pl.when(is_number).then("number").alias("number"))


def _currency(text: pl.Expr) -> pl.Expr:
    """The code of the currency that a cell names, or its sign where several currencies use it."""
    return text.map_batches(lambda cells: _parts(cells)["currency"], return_dtype=pl.String, is_elementwise=True)


def _any_fits(column: SourceColumn, text: pl.Expr, pattern: str) -> bool:
    number = text.map_batches(lambda cells: _parts(cells)["number"], return_dtype=pl.String, is_elementwise=True)
    return column.first_where(number.str.contains(pattern)) is not None


def _no_numbers(column: str, cell: str) -> Question:
    remedy = "something other than a number: name another column by --columns, or rename this one in the file"
    return Question("no_numbers", column, cell[:_CELLS], {}, remedy)


def _notes(column: str, sample: pl.Series, plain: pl.Series, read: pl.Series) -> list[Note]:
    """A note with the first cell that is a number, but not one as programs write them."""
    odd = (plain.is_null() | (plain != read)) & read.is_not_nan() & read.is_not_null()
    if not odd.any():
        return []
    cell, number = sample.filter(odd)[0], read.filter(odd)[0]
    return [Note("number_form", f"{column}: {cell[:_CELLS]!r} is read as {number:.15g}")]
