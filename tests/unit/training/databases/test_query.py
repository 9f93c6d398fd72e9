"""Queries: they only read, and see since when."""

from datetime import UTC, datetime

import pytest

from recommender.errors import UsageError
from training.databases.query import Query, read_query

SINCE = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


@pytest.fixture
def query(tmp_path):
    def query(text: str | bytes) -> Query:
        file = tmp_path / "orders.sql"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_query(file)

    return query


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "select 1;",
        "SELECT 1; -- the end; really;\n/* and ; this */\n",
        "\ufeff-- what was bought\nWITH a AS (SELECT 1) SELECT * FROM a",
        "# what was bought\n  /* and\n when */ SELECT 1 # the end",
        "(SELECT 1) UNION (SELECT 2)",
        "VALUES (1)",
    ],
)
def test_a_query_becomes_a_table_expression(query, text):
    written = query(text).write("sqlite")
    assert written.startswith("(")
    assert written.endswith(") AS purchases")
    assert not written.removesuffix("\n) AS purchases").rstrip().endswith(";")


@pytest.mark.parametrize(
    "text",
    ["DELETE FROM orders", "-- select\nUPDATE a SET b = 1", "/* with */ DROP TABLE orders", "COPY a TO 'b'"],
)
def test_a_statement_that_writes_is_refused(query, text):
    with pytest.raises(UsageError, match=r"orders\.sql begins with '(DELETE|UPDATE|DROP|COPY)'; a query begins with"):
        query(text)


@pytest.mark.parametrize(("text", "words"), [("", "is empty"), (" -- nothing\n", "is empty"), (b"\xff\xfe", "UTF-8")])
def test_a_file_without_a_query_is_refused(query, text, words):
    with pytest.raises(UsageError, match=words):
        query(text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no\.sql cannot be read"):
        read_query(tmp_path / "no.sql")


@pytest.mark.parametrize(
    ("kind", "moment"),
    [
        ("postgresql", "TIMESTAMPTZ '2026-11-20 02:30:00 UTC'"),
        ("mysql", "TIMESTAMP '2026-11-20 02:30:00'"),
        ("duckdb", "TIMESTAMP '2026-11-20 02:30:00'"),
        ("sqlite", "'2026-11-20 02:30:00'"),
    ],
)
def test_since_is_a_time_in_the_databases_own_words(kind, moment):
    query = Query("orders.sql", "SELECT a::text, ':sinceless' FROM orders WHERE at > :since AND b > (:since)")
    assert query.asks_since
    assert query.write(kind, SINCE) == (
        f"(SELECT a::text, ':sinceless' FROM orders WHERE at > {moment} AND b > ({moment})\n) AS purchases"
    )


@pytest.mark.parametrize("sql", ["SELECT a::since FROM b", "SELECT 1 -- not :since", "SELECT x.since FROM x"])
def test_other_words_are_no_since(sql):
    assert not Query("orders.sql", sql).asks_since


def test_a_table_is_quoted_part_by_part():
    assert Query("shop.orders").write("postgresql") == '"shop"."orders"'
    assert Query("orders`; DROP").write("mysql") == "`orders``; DROP`"
    assert not Query("orders").asks_since
