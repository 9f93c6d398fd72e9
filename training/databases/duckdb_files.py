"""DuckDB files, opened for reading only and without access to other files."""

import threading
from contextlib import closing
from pathlib import Path

import polars as pl

from training.databases.access import Request, check_names, driver_errors, load_driver, select
from training.databases.address import quote_name
from training.frame_files import stream_frame

_FRACTIONS = ("DECIMAL(", "FLOAT", "DOUBLE")


def copy_duckdb(request: Request, file: Path) -> None:
    """Write the wanted rows to a Parquet file, with the types of `training.databases.postgresql`.

    Raises:
        DatabaseError: the file is no database, refuses the query, or takes too long.
        UnreadableFileError: two columns have the same name.
        UsageError: the driver is not installed.
    """
    driver = load_driver("duckdb", "DuckDB")
    settings = {"enable_external_access": "false"}
    with (
        driver_errors(request, driver.Error),
        closing(driver.connect(request.address.name, read_only=True, config=settings)) as connection,
    ):
        limit = threading.Timer(request.access.timeout_s, connection.interrupt)
        limit.daemon = True
        limit.start()
        try:
            types = connection.execute(f"DESCRIBE SELECT * FROM {request.rows}").fetchall()
            check_names([name for name, *_ in types], request)
            columns = {name: _read(name, kind) for name, kind, *_ in types}
            stream_frame(pl.scan_arrow_c_stream(connection.sql(select(columns, request))), file)
        except KeyboardInterrupt:
            connection.interrupt()
            raise
        finally:
            limit.cancel()


def _read(name: str, kind: str) -> str:
    """The expression that reads a column."""
    column = quote_name("duckdb", name)
    if kind.startswith(_FRACTIONS) and not kind.endswith((",0)", "[]")):
        return f"{column}::DOUBLE"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return rf"regexp_replace({column}::VARCHAR, '([+-]\d\d)$', '\1:00')"
    return f"lower(hex({column}))" if kind == "BLOB" else f"{column}::VARCHAR"
