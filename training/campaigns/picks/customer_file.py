"""The customer file: ids as a table with a column customer_id, which Reprise may have written, or one id a line."""

from collections.abc import Iterator
from pathlib import Path

from recommender.campaigns.customer_list import CustomerList
from recommender.errors import UnreadableFileError
from training.flat_files import as_written
from training.tables.small_tables import open_lines, open_table

COLUMN = "customer_id"


def read_customers(path: Path) -> CustomerList:
    """The list of customers in a file of text, of any encoding, or a workbook; empty lines are left out.

    Raises:
        UnreadableFileError: it is absent, neither text nor a workbook, or names nobody.
        UnclearInputError: it is a workbook with several tables.
    """
    customers = CustomerList(_ids(path))
    if not len(customers):
        raise UnreadableFileError(f"{path} names no customer; write one id a line, or a column {COLUMN}")
    return customers


def _ids(path: Path) -> Iterator[str]:
    with open_table(path) as table:
        if COLUMN in table.names:
            at = table.names.index(COLUMN)
            yield from (as_written(cells[at]) for _, cells in table.rows if len(cells) > at and cells[at])
            return
    with open_lines(path) as lines:
        yield from filter(None, (line.rstrip("\n").removeprefix("\ufeff") for line in lines))
