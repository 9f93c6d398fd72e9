"""The address book: mailboxes of a campaign's customers, read from a file into a look-up table on disk.

Addresses are personal data. The table is in a file that is deleted as soon as it is open, so that nothing of it is left
however the process ends. Messages name lines and reasons, never an address.
"""

import os
import re
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from recommender.campaigns.mail.mailbox import Mailbox, check_address
from recommender.data_dir import make_folder
from recommender.errors import HomeError, MissingColumnError
from training.tables.small_tables import FindColumns, SmallTable, open_table

MOST_EXAMPLES = 20
"""Bad lines that are named; all are counted."""
REQUIRED = ("customer_id", "email")
OPTIONAL = ("name", "locale")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TABLE = """
CREATE TABLE addresses (
    customer_id TEXT PRIMARY KEY, mailbox TEXT UNIQUE, address TEXT, name TEXT, locale TEXT, line INT,
    known INT DEFAULT 0
) WITHOUT ROWID
"""


@dataclass
class BadLines:
    """Lines of the file that cannot be used: how many by reason, and the first MOST_EXAMPLES of them."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, reason: str) -> None:
        """Count one line; lines are numbered from 1."""
        self.counts[reason] += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append((line, reason))


class AddressBook:
    """Mailboxes by customer. Not to be shared between threads.

    Attributes:
        rows: lines of the file, the bad ones included.
        bad: lines that were left out.
        encoding: of the file, as Python calls it; empty where it is no text.
        unused: columns that are not looked at, such as one that says who wants no mail.
    """

    def __init__(self, connection: sqlite3.Connection, id_of: Callable[[str], str] = str) -> None:
        self.rows = 0
        self._id_of = id_of
        self.bad = BadLines()
        self.encoding = ""
        self.unused: list[str] = []
        self._connection = connection

    def __len__(self) -> int:
        count: int = self._connection.execute("SELECT count(*) FROM addresses").fetchone()[0]
        return count

    def find(self, customer_ids: Sequence[str]) -> dict[str, Mailbox]:
        """Mailbox by customer, for the customers who have one."""
        marks = ",".join("?" * len(customer_ids))
        rows = self._connection.execute(
            f"SELECT customer_id, address, name, locale FROM addresses WHERE customer_id IN ({marks})",  # noqa: S608
            customer_ids,
        )
        return {customer_id: Mailbox(*values) for customer_id, *values in rows}

    def know(self, customer_ids: Iterable[str]) -> None:
        """Mark customers as known to the version."""
        self._connection.executemany(
            "UPDATE addresses SET known = 1 WHERE customer_id = ?", ((customer_id,) for customer_id in customer_ids)
        )

    def leave_out_unknown(self) -> None:
        """Delete the mailboxes of customers that were not given to `know`, and count their lines as bad."""
        for (line,) in self._connection.execute("SELECT line FROM addresses WHERE known = 0 ORDER BY line"):
            self.bad.add(line, "unknown_customer")
        self._connection.execute("DELETE FROM addresses WHERE known = 0")

    def to_dict(self) -> dict[str, object]:
        """Numbers of lines read, usable and bad, with examples, as plain JSON; no address."""
        return {
            "rows": self.rows,
            "usable": len(self),
            "encoding": self.encoding.removesuffix("-sig"),
            "not_used": self.unused,
            "bad": dict(sorted(self.bad.counts.items())),
            "bad_lines": [{"line": line, "reason": reason} for line, reason in self.bad.examples],
        }

    def fill(self, rows: Iterable[tuple[int, Mapping[str | None, str | None]]]) -> None:
        """Add lines of the file; of two for one customer, or for one mailbox, the first counts."""
        for line, row in rows:
            self.rows += 1
            if reason := self._add(line, row):
                self.bad.add(line, reason)

    def _add(self, line: int, row: Mapping[str | None, str | None]) -> str | None:
        """Why a line is bad; None where it was added."""
        customer_id, email = self._id_of(row.get("customer_id") or ""), (row.get("email") or "").strip()
        name, locale = ((row.get(column) or "").strip() or None for column in OPTIONAL)
        if not customer_id or None in row:
            return "no_customer_id" if not customer_id else "too_many_columns"
        if any(_CONTROL.search(text) for text in (customer_id, email, name or "", locale or "")):
            return "control_character"
        address = check_address(email)
        if address is None:
            return "no_address" if not email else "bad_address"
        values = (customer_id, address.lower(), address, name, locale, line)
        try:
            self._connection.execute("INSERT INTO addresses VALUES (?, ?, ?, ?, ?, ?, 0)", values)
        except sqlite3.IntegrityError as error:
            return "customer_named_before" if "customer_id" in str(error) else "address_of_another_customer"
        return None


@contextmanager
def open_addresses(
    file: Path, folder: Path, columns: FindColumns | None = None, id_of: Callable[[str], str] = str
) -> Iterator[AddressBook]:
    """Read a table of customer_id, email and perhaps name and locale, as text in constant memory or as a workbook.

    Args:
        file: with a header.
        folder: of the look-up table, a file without a name for as long as the context is open.
        columns: finds ours in a header; None: as they are written, in any case.
        id_of: what the service calls a customer, from the cell; empty: nobody.

    Raises:
        UnreadableFileError: the file is absent, empty or no table.
        UnclearInputError: it is a workbook with several tables.
        MissingColumnError: it has no `customer_id` or no `email`.
        HomeError: the folder cannot be written.
    """
    with _open_nameless(folder) as connection:
        book = AddressBook(connection, id_of)
        with open_table(file) as table:
            book.encoding = table.encoding
            found = (columns or _as_written)(table.names, file)
            book.unused = [name for name in table.names if name not in found.values()]
            book.fill(_rows(table, found))
        yield book


def _as_written(names: Sequence[str], file: Path) -> Mapping[str, str]:
    columns = {name.strip().lower(): name for name in names}
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise MissingColumnError(f"{file} has no column {' and no '.join(missing)}; its header is: {','.join(columns)}")
    return columns


def _rows(table: SmallTable, columns: Mapping[str, str]) -> Iterator[tuple[int, dict[str | None, str | None]]]:
    for line, cells in table.rows:
        found = dict(zip(table.names, cells, strict=False))
        row: dict[str | None, str | None] = {ours: found.get(theirs) for ours, theirs in columns.items()}
        if len(cells) > len(table.names):
            row[None] = None
        yield line, row


@contextmanager
def _open_nameless(folder: Path) -> Iterator[sqlite3.Connection]:
    """A database in a file that only this process can read, and that is gone when it ends."""
    make_folder(folder)
    try:
        number, name = tempfile.mkstemp(dir=folder, prefix=".addresses-")  # mode 0600
    except OSError as error:
        raise HomeError(f"cannot write to {folder}: {error.strerror}; free the disk or set REPRISE_HOME") from None
    os.close(number)
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as connection:
            for pragma in (
                "journal_mode = OFF",
                "synchronous = OFF",
                "locking_mode = EXCLUSIVE",
                "cache_size = -65536",
            ):
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(_TABLE)
            Path(name).unlink()
            connection.execute("BEGIN")
            yield connection
    except sqlite3.OperationalError as error:
        raise HomeError(f"cannot write to {folder}: {error}; free the disk or set REPRISE_HOME") from None
    finally:
        Path(name).unlink(missing_ok=True)
