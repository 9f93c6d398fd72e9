"""The customer file: ids as a table with a column customer_id, which Reprise may have written, or one id a line."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from recommender.campaigns.customer_list import CustomerList
from recommender.errors import UnclearInputError, UnreadableFileError
from training.flat_files import as_written
from training.tables.small_tables import FindColumns, open_lines, open_table

COLUMN = "customer_id"


def read_customers(
    path: Path, columns: FindColumns | None = None, id_of: Callable[[str], str] = as_written
) -> CustomerList:
    """The list of customers in a file of text, of any encoding, or a workbook; empty lines are left out.

    Args:
        path: of the file.
        columns: finds COLUMN in a header, if it is one; None: by its own name in any case.
        id_of: what the service calls a customer, from the cell; empty: nobody.

    Raises:
        UnreadableFileError: it is absent, neither text nor a workbook, or names nobody.
        UnclearInputError: it is a workbook with several tables, or the encoding of its ids would have to be guessed.
    """
    customers = CustomerList(filter(None, map(id_of, _cells(path, columns or _own_name))))
    if not len(customers):
        raise UnreadableFileError(f"{path} names no customer; write one id a line, or a column {COLUMN}")
    return customers


def _cells(path: Path, columns: FindColumns) -> Iterator[str]:
    with open_table(path) as table:
        name = columns(table.names, path).get(COLUMN)
        if name is not None:
            at = list(table.names).index(name)
            ids = (cells[at] for _, cells in table.rows if len(cells) > at and cells[at])
            yield from _certain(ids, path, guessed=table.guessed)
            return
        guessed = table.guessed
    with open_lines(path) as lines:
        ids = (line.rstrip("\n").removeprefix("\ufeff") for line in lines)
        yield from _certain(filter(None, ids), path, guessed=guessed)


def _own_name(names: Sequence[str], path: Path) -> dict[str, str]:  # noqa: ARG001
    """The column that is called ours, however it is written: `Customer ID`, `customerId`."""
    folded = COLUMN.replace("_", "")
    mine = next((name for name in names if "".join(filter(str.isalnum, name.casefold())) == folded), None)
    return {} if mine is None else {COLUMN: mine}


def _certain(ids: Iterable[str], path: Path, *, guessed: bool) -> Iterator[str]:
    for one in ids:
        if guessed and not one.isascii():
            raise UnclearInputError(f"{path} is not UTF-8, and its ids hold letters beyond ASCII; save it as UTF-8")
        yield one
