"""The customer file: ids as a CSV file with a column customer_id, which Reprise may have written, or one id a line."""

import csv
from collections.abc import Iterator
from pathlib import Path

from recommender.campaigns.customer_list import CustomerList
from recommender.errors import UnreadableFileError
from training.flat_files import as_written

COLUMN = "customer_id"


def read_customers(path: Path) -> CustomerList:
    """The list of customers in a UTF-8 file; empty lines are left out.

    Raises:
        UnreadableFileError: it is absent, no text, or names nobody.
    """
    try:
        customers = CustomerList(_ids(path))
    except OSError as error:
        raise UnreadableFileError(f"cannot read {path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableFileError(f"{path} is no UTF-8 text of ids: {error}") from None
    if not len(customers):
        raise UnreadableFileError(f"{path} names no customer; write one id a line, or a column {COLUMN}")
    return customers


def _ids(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = next(csv.reader([file.readline()]), [])
        if COLUMN in first:
            at = first.index(COLUMN)
            yield from (as_written(row[at]) for row in csv.reader(file) if len(row) > at and row[at])
            return
        file.seek(0)
        ids = (line.rstrip("\r\n").removeprefix("\ufeff") for line in file)
        yield from filter(None, ids)
