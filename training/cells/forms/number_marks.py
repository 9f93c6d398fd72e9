"""The decimal sign of a column of numbers: as its cells tell, or as the user says."""

from collections.abc import Callable, Collection
from typing import Literal

import polars as pl

from recommender.reading import ReadingOptions
from training.cells.findings import Question

Decimal = Literal[".", ","]
_ODD = 0.01
"""Share of the cells that may contradict the others and be no numbers."""
ARABIC_DECIMAL = r"\x{066B}"
_OTHER_MARKS = "[ '_]"
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_OTHER: dict[Decimal, Decimal] = {".": ",", ",": "."}


def _groups(decimal: Decimal) -> str:
    return f"(?:\\{_OTHER[decimal]}|{_OTHER_MARKS})"


def decisive(decimal: Decimal) -> str:
    """A pattern of numbers that have a sign before decimals, or marks between thousands, which can be nothing else."""
    sign, mark = f"\\{decimal}", f"\\{_OTHER[decimal]}"
    return "|".join(
        (
            rf"^\d*{sign}(?:\d{{1,2}}|\d{{4,}})?$",
            rf"^(?:0\d*|\d{{4,}}|){sign}\d{{3}}$",
            rf"^[\d '_]*{_OTHER_MARKS}\d{{3}}{sign}\d*$",
            rf"^\d{{1,3}}(?:{mark}\d{{2,3}})+{sign}\d*$",
            rf"^\d{{1,3}}(?:{mark}\d{{2,3}})+{mark}\d{{3}}$",
        )
    )


def decide_decimal(
    column: str, numbers: pl.Series, options: ReadingOptions, whole: Callable[[str], bool], currencies: Collection[str]
) -> tuple[Decimal | None, Question | None]:
    """The decimal sign of a column.

    Args:
        column: its name, for the question.
        numbers: text of its head, without currencies and signs of minus.
        options: what the user says about numbers.
        whole: whether a number of the whole column fits a pattern; asked where the head leaves it open.
        currencies: those that they name; few have three decimals.

    Returns:
        The sign; None where no cell has a mark that tells. And what is to be asked, if anything.
    """
    if options.decimal is not None:
        return options.decimal, None
    numbers = numbers.str.replace(r"[eE].*$", "")
    dots, commas = (int(numbers.str.contains(decisive(decimal)).sum()) for decimal in (".", ","))
    if min(dots, commas) > _ODD * (dots + commas):
        cells = {sign: numbers.filter(numbers.str.contains(decisive(sign)))[0] for sign in _OTHER}
        return ".", _contradiction(column, cells)
    if dots or commas:
        return ("." if dots >= commas else ","), None
    return _of_groups(column, numbers, whole, currencies)


def _of_groups(
    column: str, numbers: pl.Series, whole: Callable[[str], bool], currencies: Collection[str]
) -> tuple[Decimal | None, Question | None]:
    """The decimal sign where all marks have three digits behind.

    Beside 1, 12 and 800, 1,200 has a mark between thousands: as a decimal it would stand beside 1,000. Beside 1500, the
    dot of 1.200 stands before decimals, as it does in a currency that has three of them.
    """
    dot, comma = (numbers.str.contains(rf"^[1-9]\d{{0,2}}\{sign}\d{{3}}$") for sign in (".", ","))
    if not (dot.any() or comma.any()):
        return None, None
    small, large = numbers.str.contains(r"^\d{1,3}$").any(), numbers.str.contains(r"^\d{4,}$").any()
    if not dot.any() and small and not large:
        return ".", None
    if not comma.any() and not currencies and large:
        return ".", None
    if dot.any() != comma.any() and currencies and _THREE_DECIMALS.issuperset(currencies):
        return ("." if dot.any() else ","), None
    shown = next((sign for sign in _OTHER if whole(decisive(sign))), None)
    if shown:
        return shown, None
    return ".", _dot_or_comma(column, numbers.filter(dot | comma)[0])


def _dot_or_comma(column: str, cell: str) -> Question:
    digits = cell.replace(".", "").replace(",", "")
    fraction = f"{float(cell.replace(',', '.')):g}"
    meanings = {sign: fraction if sign in cell else digits for sign in _OTHER}
    return Question("decimal", column, cell, {f"--decimal {sign}": meaning for sign, meaning in meanings.items()})


def _contradiction(column: str, cells: dict[Decimal, str]) -> Question:
    choices = {
        "--decimal ,": f"a number with decimals, while {cells['.']!r} is none",
        "--decimal .": f"no number, as {cells['.']!r} has its decimals behind a dot",
    }
    return Question("decimals_in_two_ways", column, cells[","], choices)


def number_of(text: pl.Expr, decimal: Decimal) -> pl.Expr:
    """The number of text without currency and minus, as Float64; null where it is none."""
    sign, group = f"\\{decimal}", _groups(decimal)
    whole = rf"(?:\d+|\d{{1,3}}(?:{group}\d{{3}})+|\d{{1,2}}(?:{group}\d\d)+{group}\d{{3}})"
    # the Arabic decimal sign is no other's mark
    arabic = text.str.contains(ARABIC_DECIMAL)
    usual = text.str.contains(rf"^(?:{whole}(?:{sign}\d*)?|{sign}\d+){_EXPONENT}$")
    eastern = text.str.replace_all(r"[.,' ]", "").str.replace(ARABIC_DECIMAL, ".")
    digits = pl.when(arabic).then(eastern)
    marked = text.str.replace_all(group, "").str.replace(decimal, ".", literal=True)
    return digits.when(usual).then(marked).cast(pl.Float64, strict=False)
