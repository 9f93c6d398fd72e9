"""Tables of Spark, and files that only Spark reaches, read by its executors."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import polars as pl

from recommender.errors import UsageError
from training.databases.access import Request, check_names, driver_errors, load_driver, select
from training.databases.address import quote_name
from training.frame_files import stream_frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def copy_spark(request: Request, file: Path) -> None:
    """Write the wanted rows to a Parquet file, with the types of `training.databases.postgresql`.

    The executors write them beside it, so that its folder must be one that they share.

    Raises:
        DatabaseError: Spark refuses the query, breaks off, or takes too long.
        UnreadableFileError: two columns have the same name.
        UsageError: no session of Spark is open.
    """
    written = file.with_suffix(".rows")
    with _session(request) as session:
        types = session.sql(f"SELECT * FROM {request.rows}").dtypes
        check_names([name for name, _ in types], request)
        columns = {name: _read(name, kind) for name, kind in types}
        session.sql(select(columns, request)).write.parquet(written.absolute().as_uri())
        stream_frame(pl.scan_parquet(sorted(written.glob("*.parquet")), glob=False), file)


def list_spark_tables(request: Request) -> list[str]:
    """Names of the tables and views of a schema; raises as `copy_spark`. The query counts for nothing."""
    with _session(request) as session:
        return sorted(table.name for table in session.catalog.listTables())


@contextmanager
def _session(request: Request) -> Iterator["SparkSession"]:
    """The open session, in the schema of the address, with its errors and its time limit."""
    session: SparkSession | None = _load("pyspark.sql").SparkSession.getActiveSession()
    if session is None:
        raise UsageError(f"{request.address} is read by Spark: add --engine spark, which train and rank take")
    failures = (_load("pyspark.errors").PySparkException, _load("py4j.protocol").Py4JJavaError)
    with driver_errors(request, *failures), _time_limit(session, request.access.timeout_s):
        session.sql(f"USE {_quote(request.address.name.split('.'))}")
        yield session


@contextmanager
def _time_limit(session: "SparkSession", seconds: float) -> Iterator[None]:
    """Interrupt what the session does after some seconds, and again: what was only planned by then is not stopped."""
    over = threading.Event()

    def interrupt() -> None:
        waited = seconds
        while not over.wait(waited):
            session.interruptAll()
            waited = 1

    threading.Thread(target=interrupt, daemon=True, name="time limit of Spark").start()
    try:
        yield
    finally:
        over.set()


def _load(name: str) -> ModuleType:
    return load_driver(name, "tables of Spark", extra="spark")


def _quote(parts: Sequence[str]) -> str:
    return ".".join(quote_name("spark-sql", part) for part in parts)


def _read(name: str, kind: str) -> str:
    """The expression that reads a column."""
    column = _quote([name])
    if kind in {"float", "double"} or (kind.startswith("decimal(") and not kind.endswith(",0)")):
        return f"CAST({column} AS DOUBLE)"
    if kind == "timestamp":
        return f"CAST({column} AS STRING) || '+00:00'"  # the session's zone is UTC
    if kind == "binary":
        return f"lower(hex({column}))"
    return f"CAST({column} AS STRING)"
