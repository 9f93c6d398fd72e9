"""Amounts and currencies of lines that are not read, and what they say: that a row went back, that prices differ."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.findings import CountedNote, Note, ReadCells
from training.cells.numbers import read_numbers
from training.cells.source_column import SourceColumn
from training.cells.words import fold_words
from training.writing.currencies import codes_of_currencies

AMOUNT = "__amount__"
_SHOWN = 5
_WORDS = frozenset(
    fold_words("""
    amount total totals linetotal totalprice netamount grossamount revenue turnover
    betrag gesamt gesamtpreis gesamtbetrag summe umsatz positionssumme montant importe totale importo bedrag totaal
    kwota suma wartość valor сумма стоимость итого مبلغ المبلغ جمع الإجمالي اجمالی tutar toplam
""")
)
_CURRENCY = frozenset(
    fold_words("currency curr währung waehrung devise moneda valuta waluta moeda валюта ارز عملة العملة döviz")
)


def find_amount(unused: Sequence[str]) -> str | None:
    """The first column whose name says that it holds what a line costs; None where none does."""
    return next((name for name in unused if not _WORDS.isdisjoint(fold_words(name))), None)


def read_amount(column: SourceColumn, options: ReadingOptions) -> ReadCells:
    """A column of amounts, as Float64, with the note that is told where they are negative and the rows are not."""
    text = (
        f"column {column.name!r} is not used, and negative where the quantity is not; where that says that a row went "
        f"back, read it by --columns unit_price={column.name!r}"
    )
    went_back = (pl.col(AMOUNT) < 0) & (pl.col("quantity") > 0) & ~(pl.col("unit_price") < 0).fill_null(value=False)
    return replace(read_numbers(column, options), notes=(), counted=[CountedNote("amount_not_used", text, went_back)])


def note_currencies(heads: Mapping[str, Sequence[str]]) -> list[Note]:
    """A note for each column that nobody reads and that names several currencies of the prices.

    Args:
        heads: column → its different values in the head of the file.
    """
    codes = codes_of_currencies()
    found = {
        column: [value for value in values if value.lower() in codes]
        for column, values in heads.items()
        if not _CURRENCY.isdisjoint(fold_words(column))
    }
    return [
        Note(
            "currency_not_used",
            f"column {column!r} is not used, and names {', '.join(sorted(values)[:_SHOWN])}: prices in several "
            "currencies are added up as they stand; convert them, or read each currency's rows for themselves",
        )
        for column, values in found.items()
        if len(values) > 1
    ]
