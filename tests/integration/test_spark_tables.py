"""Tables of a real Spark: their types, their limits and their failures."""

import sys

import polars as pl
import pytest

from recommender.errors import DatabaseError, UnreadableFileError, UsageError
from tests.support.spark_cluster import SPARK
from training.databases.access import Access, Request
from training.databases.address import find_address
from training.databases.copies import copy_rows, list_tables
from training.databases.query import Query
from training.spark.session import open_session

pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
pytestmark = SPARK

ADDRESS = find_address("spark-sql:///default")
ROW = """SELECT '007' AS sku, 123456789012345678901234567890BD AS number, CAST(4.5 AS DECIMAL(10, 2)) AS price,
TIMESTAMP '2026-09-01 10:00:00+02:00' AS zoned, TIMESTAMP_NTZ '2026-09-01 10:00:00.5' AS naive,
DATE '2026-09-01' AS day, X'6162' AS bytes, true AS yes, CAST('NaN' AS FLOAT) AS rate, CAST(NULL AS INT) AS nothing,
array(1, 2) AS list"""


@pytest.fixture(scope="module")
def session():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        with open_session("local[2]") as session:
            yield session


def read(tmp_path, sql, address=ADDRESS, **limits) -> pl.DataFrame:
    file = tmp_path / "copy.parquet"
    copy_rows(Request(address, Query("q.sql", sql), Access(**limits)), file)
    return pl.read_parquet(file)


def test_a_cell_means_what_it_means_in_a_file(session, tmp_path):
    found = read(tmp_path, ROW).row(0, named=True)
    assert found.pop("rate") != 0.0  # not a number
    assert found == {
        "sku": "007",
        "number": "123456789012345678901234567890",
        "price": 4.5,
        "zoned": "2026-09-01 08:00:00+00:00",
        "naive": "2026-09-01 10:00:00.5",
        "day": "2026-09-01",
        "bytes": "6162",
        "yes": "true",
        "nothing": None,
        "list": "[1, 2]",
    }


def test_a_table_is_read_by_its_name_and_named_where_none_was_wanted(session, tmp_path):
    session.sql(ROW).createOrReplaceTempView("bought")
    file = tmp_path / "copy.parquet"
    assert copy_rows(Request(ADDRESS, Query("bought"), Access()), file) == 1
    assert list_tables(ADDRESS, Access(), tmp_path) == ["bought"]


def test_a_query_without_rows_has_its_columns(session, tmp_path):
    assert read(tmp_path, f"SELECT * FROM ({ROW}) WHERE sku = 'none'").columns[:3] == ["sku", "number", "price"]


@pytest.mark.parametrize(
    "sql", ["DROP TABLE bought", "SELECT 1) AS a; DROP TABLE bought; SELECT * FROM (SELECT 1", "SELECT * FROM nowhere"]
)
def test_what_is_no_query_is_refused(session, tmp_path, sql):
    with pytest.raises(DatabaseError, match=r"spark-sql:///default \(q\.sql\) cannot be read: "):
        read(tmp_path, sql)


def test_two_columns_of_one_name_are_refused(session, tmp_path):
    with pytest.raises(UnreadableFileError, match="two columns 'sku'"):
        read(tmp_path, "SELECT 1 AS sku, 2 AS sku")


@pytest.mark.parametrize("limit_s", [0, 1])
def test_a_query_that_takes_too_long_is_given_up(session, tmp_path, limit_s):
    """Also where its time is over before Spark has begun with it."""
    endless = "SELECT count(*) AS n FROM range(100000000000000) WHERE hash(id) % 7 = 1"
    with pytest.raises(DatabaseError, match=f"took longer than {limit_s} s and was given up"):
        read(tmp_path, endless, timeout_s=limit_s)


def test_without_a_session_the_engine_is_named(tmp_path, monkeypatch):
    from pyspark.sql import SparkSession

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    with pytest.raises(UsageError, match="spark-sql:///default is read by Spark: add --engine spark"):
        read(tmp_path, "SELECT 1 AS a")


@pytest.mark.parametrize("use", [list_tables, lambda address, access, folder: read(folder, "SELECT 1 AS a", address)])
def test_a_schema_that_is_not_there_is_told(session, tmp_path, use):
    with pytest.raises(DatabaseError, match=r"spark-sql:///nowhere \(.*\) cannot be read: .*SCHEMA_NOT_FOUND"):
        use(find_address("spark-sql:///nowhere"), Access(), tmp_path)
