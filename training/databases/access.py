"""Access to databases: the password, the time limit, and the errors of their drivers as errors of ours."""

import importlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from urllib.parse import quote

import polars as pl
from pydantic import SecretStr

from recommender.errors import DatabaseError, UnreadableFileError, UsageError
from training.databases.address import DatabaseAddress, quote_name
from training.databases.query import BEGINNING, Query


@dataclass(frozen=True)
class Access:
    """How databases are accessed.

    Attributes:
        password: for addresses without one; None: as the driver finds it.
        timeout_s: the longest time that one query may take, in seconds.
    """

    password: SecretStr | None = None
    timeout_s: int = 1_800


@dataclass(frozen=True)
class Request:
    """The rows that are wanted of a database, and how it is accessed.

    Attributes:
        address: of the database.
        query: which rows.
        access: how it is accessed.
        since: what `:since` means in the query, aware.
    """

    address: DatabaseAddress
    query: Query
    access: Access
    since: datetime = BEGINNING

    def __str__(self) -> str:
        return f"{self.address} ({self.query})"

    @property
    def rows(self) -> str:
        """What a SELECT of the wanted rows has behind FROM."""
        return self.query.write(self.address.kind, self.since)

    @property
    def password(self) -> str | None:
        """That of the address, else that of the access."""
        secret = self.address.password or self.access.password
        return secret.get_secret_value() if secret else None


def load_driver(name: str, kind: str, extra: str = "sql") -> ModuleType:
    """The module of a driver, which an extra brings. Raises UsageError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise UsageError(
            f"reading {kind} needs a driver that is not installed here: pip install 'reprise-recommender[{extra}]'"
        ) from None


@contextmanager
def driver_errors(request: Request, *kinds: type[Exception]) -> Iterator[None]:
    """Errors of a driver within the block as DatabaseError, which never holds the password."""
    started = time.monotonic()
    # TimeoutError is an OSError
    failures: tuple[type[Exception], ...] = (*kinds, OSError, pl.exceptions.PolarsError)
    try:
        yield
    except failures as error:
        if time.monotonic() - started >= request.access.timeout_s:
            raise DatabaseError(
                f"{request} took longer than {request.access.timeout_s:,} s and was given up; ask for less, "
                "or set REPRISE_DATABASE_TIMEOUT_S"
            ) from None
        reason = _explain(error, request.password)
        raise DatabaseError(f"{request} cannot be read: {reason}") from None


def _explain(error: Exception, password: str | None) -> str:
    # MySQL's errors are a number and a text
    text = str(error.args[-1]) if error.args else str(error) or type(error).__name__
    text = text.partition("Query was:")[0].rpartition("ERROR: ")[2]
    for secret in {password, quote(password, safe="")} if password else ():
        text = text.replace(secret, "***")
    lines = [line.strip() for line in text.splitlines() if line.strip(" ^")]
    return "; ".join(lines)[:600]


def check_names(names: list[str], request: Request) -> list[str]:
    """The names of a query's columns, unless one stands there twice. Raises UnreadableFileError."""
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UnreadableFileError(f"{request} returns two columns {twice!r}; name one of them differently with AS")
    return names


def select(columns: dict[str, str], request: Request) -> str:
    """A SELECT of columns (name → expression) of the wanted rows."""
    kind = request.address.kind
    expressions = (f"{expression} AS {quote_name(kind, name)}" for name, expression in columns.items())
    return f"SELECT {', '.join(expressions)} FROM {request.rows}"
