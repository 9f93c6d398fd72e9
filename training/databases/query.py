"""Queries: the SQL that says which rows of a database are wanted, made so that it can only read."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recommender.errors import UsageError
from training.databases.address import Kind, quote_name

_SINCE = re.compile(r"(?<![:\w]):since\b")
_COMMENTS = re.compile(r"--[^\n]*(?:\n|$)|/\*.*?\*/", re.DOTALL)
_LAST_SEMICOLON = re.compile(r";\s*(?:--[^\n]*(?:\n|$)\s*|/\*.*?\*/\s*)*\Z", re.DOTALL)
_LEADING = re.compile(r"\A(?:\s+|--[^\n]*|#[^\n]*|/\*.*?\*/)*", re.DOTALL)
_READS = ("select", "with", "values", "table", "from", "(")
_LITERALS: dict[Kind, str] = {
    "postgresql": "TIMESTAMPTZ '{} UTC'",
    "mysql": "TIMESTAMP '{}'",
    "sqlite": "'{}'",
    "duckdb": "TIMESTAMP '{}'",
    "spark-sql": "TIMESTAMP '{}'",
}
"""How a time in UTC is written."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""What `:since` means where nothing was read yet."""


@dataclass(frozen=True)
class Query:
    """A query for rows of a database, or the name of a table of which all are wanted.

    Attributes:
        name: for messages and file names: the file's or the table's.
        sql: the query; None for a table.
    """

    name: str
    sql: str | None = None

    def __str__(self) -> str:
        return f"table {self.name}" if self.sql is None else self.name

    @property
    def asks_since(self) -> bool:
        """Whether it says `:since`."""
        return self.sql is not None and bool(_SINCE.search(_COMMENTS.sub(" ", self.sql)))

    def write(self, kind: Kind, since: datetime = BEGINNING) -> str:
        """The query as a table expression in the database's own SQL, such as `(SELECT …) AS purchases`.

        Within brackets a database takes nothing but a query: no statement that writes can stand there.
        """
        if self.sql is None:
            return ".".join(quote_name(kind, part) for part in self.name.split("."))
        moment = _LITERALS[kind].format(f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}")
        # the line break ends a comment on the last line
        return f"({_SINCE.sub(lambda _: moment, self.sql)}\n) AS purchases"


def read_query(path: Path) -> Query:
    """The query in a file of SQL.

    Raises:
        UsageError: the file cannot be read, is empty, or holds something other than one query.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{path} cannot be read: {reason}; name a file with the query") from None
    bare = _LEADING.sub("", text)
    if not bare.lower().startswith(_READS):
        begins = f"begins with {bare.split()[0][:40]!r}" if bare else "is empty"
        raise UsageError(f"{path} {begins}; a query begins with SELECT or WITH, as a database is only read")
    return Query(path.name, _LAST_SEMICOLON.sub("", text))
