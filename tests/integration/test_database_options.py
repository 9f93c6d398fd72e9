"""The options of databases on the command line: how they go together, and what a shop sees."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.commands import Reprise


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file of SQLite with forty customers' orders and three products."""
    file = tmp_path / "shop.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE orders (customer_id, product_id, ordered_at, updated_at)")
        connection.execute("CREATE TABLE products (product_id, title)")
        rows = [(i % 40, f"P{i % 3}", f"2026-0{1 + i % 9}-11", f"2026-0{1 + i % 9}-12") for i in range(360)]
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
        connection.executemany("INSERT INTO products VALUES (?, ?)", [(f"P{i}", f"Product {i}") for i in range(3)])
        connection.commit()
    return file


def test_a_table_and_a_query_give_the_same(reprise: Reprise, database: Path, tmp_path: Path) -> None:
    (tmp_path / "orders.sql").write_text("-- all\nSELECT * FROM orders;\n")
    (tmp_path / "products.sql").write_text("SELECT * FROM products")
    ways = [("--table", "orders", "--products-table", "products")]
    ways.append(("--query", tmp_path / "orders.sql", "--products-query", tmp_path / "products.sql"))
    for way in ways:
        done = reprise("doctor", f"sqlite:///{database}", "--products", database, *way, "--json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert (report["purchases"], report["catalogue"]["from_file"]) == (360, 3)


def test_the_second_reading_reads_what_is_new(reprise: Reprise, database: Path, tmp_path: Path) -> None:
    (tmp_path / "orders.sql").write_text("SELECT * FROM orders WHERE updated_at > :since")
    arguments = (database, "--query", tmp_path / "orders.sql", "--since-last", "--json")
    shown = []
    for _ in range(2):
        done = reprise("train", *arguments, "--no-publish", REPRISE_REDIS_URL="unix:///nonexistent/redis.sock")
        assert done.returncode == 0, done.stderr
        shown.append(json.loads(done.stdout))
    assert shown[0]["counts"] == shown[1]["counts"]
    report = json.loads(reprise("doctor", *arguments).stdout)
    assert (report["rows_read"], report["purchases"]) == (0, 360)
    assert [note["rows"] for note in report["notes"] if note["code"] == "since_last"] == [360]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--query", "orders.sql", "--table", "orders"], "give either --query or --table"),
        (["--table", "orders", "--products-query", "a", "--products-table", "b"], "give either --products-query or"),
        (["--query", "no.sql"], "no.sql cannot be read: No such file"),
        (["--table", "orders", "--since-last"], "--since-last needs a --query that says :since"),
        ([], "say which rows, with --table or --query; its tables are orders, products"),
        (["--table", "orders", "--products", "mysql://shop@host/db?no=1", "--products-table", "p"], "no option 'no'"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(reprise: Reprise, database: Path, arguments, words) -> None:
    done = reprise("doctor", database, *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert words in " ".join(done.stderr.replace("│", "").split())
