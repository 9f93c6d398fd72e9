"""SQLite and DuckDB files: read only, their cells as they are, whatever a column holds."""

import sqlite3
import sys
from contextlib import closing

import duckdb
import polars as pl
import pytest

from recommender.errors import DatabaseError, HomeError, UnreadableFileError, UsageError
from tests.support.full_disk import full_disk
from training.databases import access
from training.databases.access import Access, Request
from training.databases.address import find_address
from training.databases.copies import copy_rows, list_tables
from training.databases.query import Query

ENDLESS = {
    "sqlite": "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r",
    "duckdb": "SELECT count(*) FROM range(100000000000) AS a(i) WHERE hash(i) % 7 = 1",
}


@pytest.fixture(params=["sqlite", "duckdb"])
def kind(request):
    return request.param


@pytest.fixture
def make(tmp_path, kind):
    """A function that runs statements in a new file and returns how it is asked for."""

    def make(*statements: str):
        file = tmp_path / "shop.db"
        with closing(sqlite3.connect(file) if kind == "sqlite" else duckdb.connect(str(file))) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

        def read(query: Query, **limits) -> pl.DataFrame:
            copy = tmp_path / "copy.parquet"
            copy_rows(Request(find_address(file), query, Access(**limits)), copy)
            return pl.read_parquet(copy)

        return read

    return make


def test_numbers_text_and_nothing_stay_what_they_are(make, kind):
    letters = "x'6162'" if kind == "sqlite" else "'ab'::BLOB"
    read = make(
        "CREATE TABLE orders (id BIGINT, name VARCHAR, price DOUBLE, bytes BLOB, empty INTEGER)",
        f"INSERT INTO orders VALUES (9223372036854775807, '007', 4.5, {letters}, NULL)",
    )
    row = read(Query("orders")).row(0)
    assert row[:2] == ("9223372036854775807", "007")
    assert float(row[2]) == 4.5
    assert row[3:] == ("6162", None)


def test_a_query_without_rows_has_its_columns(make):
    read = make("CREATE TABLE orders (id BIGINT, price DOUBLE)")
    found = read(Query("q.sql", "SELECT * FROM orders WHERE id = 1 -- none"))
    assert (found.columns, len(found)) == (["id", "price"], 0)


def test_many_rows_are_read_in_order(make, kind):
    rows = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 250000) SELECT x FROM r"
    numbers = rows if kind == "sqlite" else "SELECT x FROM range(1, 250001) AS r(x)"
    read = make(f"CREATE TABLE orders AS {numbers}")
    assert read(Query("orders"))["x"].to_list() == [str(i) for i in range(1, 250_001)]


@pytest.mark.parametrize(
    "sql",
    ["DELETE FROM orders", "SELECT 1) AS a; DELETE FROM orders; SELECT * FROM (SELECT 1", "SELECT * FROM nowhere"],
)
def test_what_is_no_query_is_refused_and_changes_nothing(make, sql):
    read = make("CREATE TABLE orders (id BIGINT)", "INSERT INTO orders VALUES (1)")
    with pytest.raises(DatabaseError, match=r"shop\.db \(q\.sql\) cannot be read: "):
        read(Query("q.sql", sql))
    assert len(read(Query("orders"))) == 1


def test_an_endless_query_ends_at_the_time_limit(make, kind):
    read = make("CREATE TABLE orders (id BIGINT)")
    with pytest.raises(DatabaseError, match=r"took longer than 1 s .* REPRISE_DATABASE_TIMEOUT_S"):
        read(Query("q.sql", ENDLESS[kind]), timeout_s=1)


def test_a_full_disk_is_named_with_its_remedy(make, kind):
    read = make("CREATE TABLE orders (id BIGINT)", "INSERT INTO orders VALUES (1)")
    with full_disk(), pytest.raises(HomeError, match=r"cannot write .*File too large.*free the disk"):
        read(Query("orders"))


def test_a_file_that_is_no_database_is_refused(tmp_path, kind):
    (tmp_path / "shop.db").write_text("customer_id,product_id\n" * 100)
    for name in ("shop.db", "no.db"):
        request = Request(find_address(f"{kind}:///{tmp_path}/{name}"), Query("orders"), Access())
        with pytest.raises(DatabaseError, match=rf"{name} \(table orders\) cannot be read: "):
            copy_rows(request, tmp_path / "copy.parquet")
    assert not (tmp_path / "no.db").exists()


def test_a_duckdb_query_reaches_no_other_file(tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    duckdb.connect(str(tmp_path / "shop.db")).close()
    for sql in (f"SELECT * FROM read_csv('{tmp_path}/secret.csv')", f"FROM '{tmp_path}/secret.csv'"):
        request = Request(find_address(tmp_path / "shop.db"), Query("q.sql", sql), Access())
        with pytest.raises(DatabaseError, match="disabled"):
            copy_rows(request, tmp_path / "copy.parquet")


def test_the_types_of_duckdb(tmp_path):
    with closing(duckdb.connect(str(tmp_path / "shop.db"))) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT 4.50::DECIMAL(10,2) AS price, 12345678901234567890123::HUGEINT AS id, "
            "7001::DECIMAL(20,0) AS whole, TIMESTAMPTZ '2026-09-01 10:00:00+02' AS zoned, "
            "TIMESTAMP '2026-09-01 10:00:00' AS naive, DATE '2026-09-01' AS day, true AS yes, "
            "'7d444840-9dc0-11d1-b245-5ffdce74fad2'::UUID AS uuid, 'paid'::ENUM('paid', 'refunded') AS word, "
            "[1.5, 2.5]::DOUBLE[] AS list, INTERVAL 1 DAY AS length"
        )
    request = Request(find_address(tmp_path / "shop.db"), Query("t"), Access())
    assert copy_rows(request, tmp_path / "copy.parquet") == 1
    row = pl.read_parquet(tmp_path / "copy.parquet").row(0, named=True)
    moment = pl.Series([row.pop("zoned")]).str.to_datetime("%Y-%m-%d %H:%M:%S%#z").dt.epoch("s").item()
    assert moment == 1_788_249_600
    assert row == {
        "price": 4.5,
        "id": "12345678901234567890123",
        "whole": "7001",
        "naive": "2026-09-01 10:00:00",
        "day": "2026-09-01",
        "yes": "true",
        "uuid": "7d444840-9dc0-11d1-b245-5ffdce74fad2",
        "word": "paid",
        "list": "[1.5, 2.5]",
        "length": "1 day",
    }


def test_tables_are_listed_by_name(make, tmp_path):
    make("CREATE TABLE orders (id BIGINT)", "CREATE TABLE customers (id BIGINT)", "CREATE VIEW v AS SELECT 1 AS a")
    assert list_tables(find_address(tmp_path / "shop.db"), Access(), tmp_path) == ["customers", "orders", "v"]


def test_two_columns_of_one_name_are_refused(tmp_path):
    request = Request(find_address("postgresql://shop@host/db"), Query("q.sql", "SELECT 1"), Access())
    with pytest.raises(UnreadableFileError, match="two columns 'id'; name one of them differently with AS"):
        access.check_names(["id", "name", "id"], request)


def test_without_the_extra_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    request = Request(find_address("duckdb:///shop.db"), Query("orders"), Access())
    with pytest.raises(UsageError, match=r"DuckDB needs a driver .* pip install 'reprise-recommender\[sql\]'"):
        copy_rows(request, tmp_path / "copy.parquet")
