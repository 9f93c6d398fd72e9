"""Suppression list: who is not written to any more and who was erased, in a file that outlives Redis.

It holds what Redis holds of that, digests of customers and moments, and nothing else. Several processes may add to it
at once; what was added is on the disk (SQLite, with its rollback journal, which works on shared file systems too).
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from recommender.data_dir import make_folder
from recommender.errors import HomeError

ERASED = "erased"
MARKS = ("subscribe", "unsubscribe", "mail_complaint", "mail_bounce", "fewer_mails")
"""Marks that are kept beside erasures: all that decide whether somebody is written to, also in favour of it."""
_BUSY_S = 5.0
_PAGE = 1_000
_TABLE = """
CREATE TABLE IF NOT EXISTS suppressions (person TEXT, mark TEXT, at INT, PRIMARY KEY (person, mark)) WITHOUT ROWID
"""
_ADD = """
INSERT INTO suppressions SELECT :person, :mark, :at
WHERE NOT EXISTS (SELECT 1 FROM suppressions WHERE person = :person AND mark = 'erased')
ON CONFLICT DO UPDATE SET at = max(at, excluded.at)
"""
_FORGET = "DELETE FROM suppressions WHERE person = :person AND :mark = 'erased' AND mark <> 'erased'"
_READ = "SELECT person, mark, at FROM suppressions WHERE (person, mark) > (?, ?) ORDER BY person, mark LIMIT ?"


class Suppression(NamedTuple):
    """One thing that is remembered of a customer.

    Attributes:
        person: `digest_of_person` of the customer.
        mark: ERASED, or one of MARKS.
        at: its latest moment, in microseconds since 1970.
    """

    person: str
    mark: str
    at: int


class SuppressionList:
    """The suppressions of one shop in the file at `path`, which is made when there is one to add.

    A user who may not write to the folder keeps none: Redis alone has them, until a publish collects them elsewhere.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def writable(self) -> bool:
        """Whether this user may write the file, or make it and its folders."""
        there = next(one for one in (self.path, *self.path.parents) if one.exists())
        return os.access(there, os.W_OK)

    def add(self, suppressions: Iterable[Suppression], within_s: float = _BUSY_S) -> None:
        """Remember these, on the disk when this returns; of a mark the latest moment, of an erased customer no mark.

        Args:
            suppressions: any.
            within_s: seconds that it waits for another process which has locked the file, _BUSY_S at most.

        Raises:
            HomeError: the disk is full, or the file cannot be read or stays locked.
        """
        rows = [one._asdict() for one in suppressions]
        if not rows or not self.writable:
            return
        with self._opened(min(within_s, _BUSY_S)) as connection, connection:
            connection.execute(_TABLE)
            connection.executemany(_ADD, rows)
            connection.executemany(_FORGET, [row for row in rows if row["mark"] == ERASED])

    def __iter__(self) -> Iterator[Suppression]:
        """All of them, by digest; none where there is no file. Raises HomeError where it cannot be read."""
        last: tuple[str, str] = ("", "")
        while self.path.exists():
            with self._opened() as connection:
                connection.execute(_TABLE)
                rows = connection.execute(_READ, (*last, _PAGE)).fetchall()
            yield from (Suppression(*row) for row in rows)
            if len(rows) < _PAGE:
                return
            last = rows[-1][:2]

    @contextmanager
    def _opened(self, busy_s: float = _BUSY_S) -> Iterator[sqlite3.Connection]:
        make_folder(self.path.parent)
        try:
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(sqlite3.connect(self.path, timeout=busy_s)) as connection:
                connection.execute("PRAGMA synchronous = EXTRA")
                yield connection
        except (OSError, sqlite3.Error) as error:
            remedy = "free the disk, or restore the file from a back-up"
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                remedy = "another process has locked it: try again, or end that process"
            raise HomeError(f"cannot use {self.path}, who unsubscribed or was erased: {error}; {remedy}") from None
