"""Local copies of what stands in databases and object stores, under the data directory while they are read."""

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from training.databases.access import Access, Request
from training.databases.address import DatabaseAddress, Kind
from training.databases.duckdb_files import copy_duckdb
from training.databases.mysql import copy_mysql
from training.databases.postgresql import copy_postgresql
from training.databases.query import Query
from training.databases.spark_tables import copy_spark, list_spark_tables
from training.databases.sqlite_files import copy_sqlite

_COPY: Mapping[Kind, Callable[[Request, Path], None]] = {
    "postgresql": copy_postgresql,
    "mysql": copy_mysql,
    "sqlite": copy_sqlite,
    "duckdb": copy_duckdb,
    "spark-sql": copy_spark,
}
_TABLES: Mapping[Kind, str] = {
    "postgresql": "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() "
    "UNION SELECT viewname FROM pg_views WHERE schemaname = current_schema()",
    "mysql": "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = database()",
    "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')",
    "duckdb": "SELECT table_name AS name FROM information_schema.tables",
}


def copy_rows(request: Request, file: Path) -> int:
    """Write the wanted rows of a database to a Parquet file; how many they are.

    A column is Float64 where the database says that it holds fractional numbers, else text.

    Raises:
        DatabaseError: the database cannot be reached, refuses the query, breaks off or takes too long.
        HomeError: the disk is full.
        UnreadableFileError: two columns have the same name.
        UsageError: its driver is not installed, or its address has an option that is not known.
    """
    _COPY[request.address.kind](request, file)
    return int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())


def list_tables(address: DatabaseAddress, access: Access, folder: Path) -> list[str]:
    """Names of the tables and views of a database; `folder` is for a file that goes again. Raises as `copy_rows`."""
    request = Request(address, Query("tables", _TABLES.get(address.kind)), access)
    if address.kind == "spark-sql":  # which names its tables in no query
        return list_spark_tables(request)
    file = folder / "tables.parquet"
    copy_rows(request, file)
    return sorted(pl.read_parquet(file)["name"])
