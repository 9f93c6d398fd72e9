"""The customer file: ids as a table with a column customer_id, which Reprise may have written, or one id a line."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from recommender.campaigns.customer_list import CustomerList
from recommender.errors import UnclearInputError, UnreadableFileError
from training.flat_files import as_written
from training.tables.small_tables import open_lines, open_table

COLUMN = "customer_id"


def read_customers(path: Path) -> CustomerList:
    """The list of customers in a file of text, of any encoding, or a workbook; empty lines are left out.

    Raises:
        UnreadableFileError: it is absent, neither text nor a workbook, or names nobody.
        UnclearInputError: it is a workbook with several tables, or the encoding of its ids would have to be guessed.
    """
    customers = CustomerList(_ids(path))
    if not len(customers):
        raise UnreadableFileError(f"{path} names no customer; write one id a line, or a column {COLUMN}")
    return customers


def _ids(path: Path) -> Iterator[str]:
    with open_table(path) as table:
        at = next((place for place, name in enumerate(table.names) if _is_column(name)), None)
        if at is not None:
            ids = (as_written(cells[at]) for _, cells in table.rows if len(cells) > at and cells[at])
            yield from _certain(ids, path, guessed=table.guessed)
            return
        guessed = table.guessed
    with open_lines(path) as lines:
        ids = (line.rstrip("\n").removeprefix("\ufeff") for line in lines)
        yield from _certain(filter(None, ids), path, guessed=guessed)


def _is_column(name: str) -> bool:
    """Whether a header names the column, however it is written: `Customer ID`, `customerId`."""
    return "".join(filter(str.isalnum, name.casefold())) == COLUMN.replace("_", "")


def _certain(ids: Iterable[str], path: Path, *, guessed: bool) -> Iterator[str]:
    for one in ids:
        if guessed and not one.isascii():
            raise UnclearInputError(f"{path} is not UTF-8, and its ids hold letters beyond ASCII; save it as UTF-8")
        yield one
