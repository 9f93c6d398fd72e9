"""PostgreSQL, read as Arrow by ADBC in one read-only transaction.

Fractional numbers are read as numbers; the server writes everything else as text, in UTC and ISO-8601, so that a cell
means what it means in a file: a uuid, an enum, a numeric of 30 digits or a date of the year infinity alike.
"""

from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import polars as pl

from training.databases.access import Request, check_names, driver_errors, load_driver, select
from training.databases.address import quote_name
from training.frame_files import stream_frame

_CONNECT_S = 10


def copy_postgresql(request: Request, file: Path) -> None:
    """Write the wanted rows to a Parquet file.

    Raises:
        DatabaseError: the server cannot be reached, refuses the query, breaks off or takes too long.
        UnreadableFileError: two columns have the same name.
        UsageError: the driver is not installed.
    """
    driver = load_driver("adbc_driver_postgresql.dbapi", "PostgreSQL")
    with (
        driver_errors(request, driver.Error),
        closing(driver.connect(_uri(request))) as connection,
        connection.cursor() as cursor,
    ):
        _begin(cursor, request)
        cursor.execute(select(_columns(cursor, request), request))
        try:
            stream_frame(pl.scan_arrow_c_stream(cursor.fetch_arrow()), file)
        except KeyboardInterrupt:
            cursor.adbc_cancel()
            raise


def _uri(request: Request) -> str:
    """The address as libpq takes it; a password that is not in it, libpq looks for in PGPASSWORD and its files."""
    address, password = request.address, request.password
    secret = f":{quote(password, safe='')}" if password else ""
    user = f"{quote(address.user or '', safe='')}{secret}@" if address.user or secret else ""
    options = urlencode({"connect_timeout": _CONNECT_S, **address.options}, quote_via=quote)
    return f"postgresql://{user}{address.hosts}/{quote(address.name, safe='')}?{options}"


def _begin(cursor: Any, request: Request) -> None:
    # the first of them must come before anything else of the transaction
    cursor.execute("SET TRANSACTION READ ONLY")
    for setting, value in {
        "statement_timeout": request.access.timeout_s * 1_000,
        "TimeZone": "UTC",
        "DateStyle": "ISO, YMD",
        "client_encoding": "UTF8",
    }.items():
        cursor.execute(f"SET LOCAL {setting} = '{value}'")


def _columns(cursor: Any, request: Request) -> dict[str, str]:
    nanoarrow = load_driver("nanoarrow", "PostgreSQL")
    statement = cursor.adbc_statement
    statement.set_sql_query(f"SELECT * FROM {request.rows}")
    fields = nanoarrow.Schema(statement.execute_schema()).fields
    names = check_names([field.name for field in fields], request)
    return {name: _read(name, dict(field.metadata.items())) for name, field in zip(names, fields, strict=True)}


def _read(name: str, about: dict[bytes, bytes]) -> str:
    """The expression that reads a column."""
    column, kind = quote_name("postgresql", name), about.get(b"POSTGRESQL:type")
    if kind == b"money":
        return f"{column}::numeric::float8"
    if kind in {b"float4", b"float8"} or (kind == b"numeric" and _scale(int(about[b"POSTGRESQL:typmod"])) > 0):
        return f"{column}::float8"
    if kind == b"timestamptz":
        return f"{column}::text || ':00'"  # +00:00: the zone is UTC
    return f"encode({column}, 'hex')" if kind == b"bytea" else f"{column}::text"


def _scale(modifier: int) -> int:
    """Digits behind the point of a numeric, from the modifier of its type; 0 where it has none: it may be an id."""
    return ((modifier - 4) & 0x7FF) if modifier >= 4 else 0
