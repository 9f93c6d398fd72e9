"""Amounts of lines that are not read: where one is negative beside a positive quantity, a row may have gone back."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.findings import CountedNote, ReadCells
from training.cells.numbers import read_numbers
from training.cells.source_column import SourceColumn
from training.cells.words import fold_words

AMOUNT = "__amount__"
_WORDS = frozenset(
    fold_words("""
    amount total totals linetotal totalprice netamount grossamount revenue turnover
    betrag gesamt gesamtpreis gesamtbetrag summe umsatz positionssumme montant importe totale importo bedrag totaal
    kwota suma wartość valor сумма стоимость итого مبلغ المبلغ جمع الإجمالي اجمالی tutar toplam
""")
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
