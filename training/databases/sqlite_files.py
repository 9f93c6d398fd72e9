"""SQLite files, opened for reading only."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import polars as pl

from training.databases.access import Request, check_names, driver_errors, select
from training.databases.address import quote_name
from training.frame_files import stream_parts

_BATCH = 100_000
_STEPS = 100_000
"""Steps of SQLite's machine, some milliseconds, after which it asks whether to go on."""


def copy_sqlite(request: Request, file: Path) -> None:
    """Write the wanted rows to a Parquet file, all cells as text: a column of SQLite has no type.

    Raises:
        DatabaseError: the file is no database, refuses the query, or takes too long.
        UnreadableFileError: two columns have the same name.
    """
    path = quote(request.address.name)
    with (
        driver_errors(request, sqlite3.Error),
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
    ):
        end = time.monotonic() + request.access.timeout_s
        # Ctrl-C, too, waits for such a call of Python's; it ends the query
        connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        connection.execute("PRAGMA query_only = ON")
        stream_parts(_read(connection, request), file)


def _read(connection: sqlite3.Connection, request: Request) -> Iterator[pl.DataFrame]:
    head = connection.execute(f"SELECT * FROM {request.rows} LIMIT 0").description
    names = check_names([name for name, *_ in head], request)
    schema = dict.fromkeys(names, pl.String)
    rows = connection.execute(select({name: _text(name) for name in names}, request))
    yield pl.DataFrame(schema=schema)
    while batch := rows.fetchmany(_BATCH):
        yield pl.DataFrame(batch, schema=schema, orient="row")


def _text(name: str) -> str:
    column = quote_name("sqlite", name)
    return f"CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE CAST({column} AS TEXT) END"
