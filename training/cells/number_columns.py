"""The columns of numbers of one source, which are written alike: what one leaves open, another may show."""

from collections.abc import Mapping

from recommender.reading import ReadingOptions
from training.cells.amounts import AMOUNT, read_amount
from training.cells.findings import ReadCells
from training.cells.numbers import read_numbers
from training.cells.source_column import SourceColumn

_NUMBERS = ("quantity", "unit_price", "refunded_quantity", AMOUNT)


def read_number_columns(columns: Mapping[str, SourceColumn], options: ReadingOptions) -> dict[str, ReadCells]:
    """Those of our columns that hold numbers; one that leaves its decimal sign open is read as the others show it.

    Args:
        columns: our name, or AMOUNT, → the source's column; others are left alone.
        options: what the user says about numbers.
    """
    ways = {ours: read_amount if ours == AMOUNT else read_numbers for ours in _NUMBERS if ours in columns}
    cells = {ours: read(columns[ours], options) for ours, read in ways.items()}
    shown = {each.decimal for each in cells.values() if each.decimal}
    if len(shown) != 1:
        return cells
    settled = options.model_copy(update={"decimal": shown.pop()})
    for ours in [ours for ours, each in cells.items() if any(one.code == "decimal" for one in each.questions)]:
        cells[ours] = ways[ours](columns[ours], settled)
    return cells
