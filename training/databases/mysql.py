"""MySQL and MariaDB, read row by row from an unbuffered cursor in one read-only transaction.

Cells stay the text that the server sends, but for fractional numbers, which become numbers, and bytes, which become
hexadecimal digits. The columns that know their moment (TIMESTAMP) get their zone, UTC; the others have none.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from recommender.errors import UsageError
from training.databases.access import Request, check_names, driver_errors, load_driver
from training.frame_files import stream_parts

_BATCH = 50_000
_CONNECT_S = 10
_PORT = 3306
_OPTIONS = ("charset", "unix_socket", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_cert", "ssl_verify_identity")
_FRACTIONS = (4, 5)
"""Types of the protocol: FLOAT, DOUBLE."""
_DECIMAL, _TIMESTAMP = 246, 7


def copy_mysql(request: Request, file: Path) -> None:
    """Write the wanted rows to a Parquet file.

    Raises:
        DatabaseError: the server cannot be reached, refuses the query, breaks off or takes too long.
        UnreadableFileError: two columns have the same name.
        UsageError: the driver is not installed, or the address has an option that is not known.
    """
    driver = load_driver("pymysql", "MySQL and MariaDB")
    cursors = load_driver("pymysql.cursors", "MySQL and MariaDB")
    settings = _settings(driver, request)
    with driver_errors(request, driver.Error), closing(driver.connect(**settings)) as connection:
        cursor = connection.cursor(cursors.SSCursor)
        try:
            _begin(cursor, connection.get_server_info(), request)
            cursor.execute(f"SELECT * FROM {request.rows}")
            stream_parts(_read(cursor, request), file)
        except BaseException:
            _end(driver, settings, connection.thread_id())
            if cursor._result:  # else it would fetch all that is left of the rows as it goes away
                cursor._result.unbuffered_active = False
            raise


def _settings(driver: Any, request: Request) -> dict[str, Any]:
    """What the driver is connected with."""
    address = request.address
    if unknown := sorted(address.options.keys() - set(_OPTIONS)):
        raise UsageError(f"{address}: no option {unknown[0]!r}; there are: {', '.join(_OPTIONS)}")
    server = urlsplit(f"//{address.hosts}")
    return {
        "host": server.hostname,
        "port": server.port or _PORT,
        "user": address.user,
        "password": request.password or "",
        "database": address.name,
        "charset": "utf8mb4",
        # converters to the server alone: what comes from it stays text
        "conv": driver.converters.encoders,
        "connect_timeout": _CONNECT_S,
        "read_timeout": request.access.timeout_s,
        **address.options,
    }


def _begin(cursor: Any, server: str, request: Request) -> None:
    seconds = request.access.timeout_s
    limit = f"max_statement_time = {seconds}" if "mariadb" in server.lower() else f"max_execution_time = {seconds}000"
    cursor.execute(f"SET SESSION {limit}, time_zone = '+00:00'")
    cursor.execute("START TRANSACTION READ ONLY")


def _end(driver: Any, settings: dict[str, Any], thread: int) -> None:
    """End what the server does for a connection: it would go on for one that is closed."""
    with suppress(driver.Error, OSError), closing(driver.connect(**settings)) as other, other.cursor() as cursor:
        cursor.execute(f"KILL QUERY {thread}")


def _read(cursor: Any, request: Request) -> Iterator[pl.DataFrame]:
    end = time.monotonic() + request.access.timeout_s
    about = cursor.description
    names = check_names([column[0] for column in about], request)
    read = [_cell(name, kind, scale) for name, kind, _, _, _, scale, _ in about]
    yield _to_frame([], names).select(read)
    while batch := cursor.fetchmany(_BATCH):
        yield _to_frame(batch, names).select(read)
        if time.monotonic() > end:
            raise TimeoutError


def _to_frame(rows: Sequence[Sequence[str | bytes | None]], names: Sequence[str]) -> pl.DataFrame:
    """All cells as text; bytes as hexadecimal digits."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pl.DataFrame([_to_text(name, cells) for name, cells in zip(names, columns, strict=True)])


def _to_text(name: str, cells: Sequence[str | bytes | None]) -> pl.Series:
    is_bytes = any(isinstance(cell, bytes) for cell in cells)
    return pl.Series(name, cells, pl.Binary).bin.encode("hex") if is_bytes else pl.Series(name, cells, pl.String)


def _cell(name: str, kind: int, scale: int) -> pl.Expr:
    """The expression that reads a column."""
    cell = pl.col(name)
    if kind in _FRACTIONS or (kind == _DECIMAL and scale > 0):
        return cell.cast(pl.Float64, strict=False)
    return cell + "+00:00" if kind == _TIMESTAMP else cell
