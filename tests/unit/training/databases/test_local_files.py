"""Purchases and products of databases, read like files of the same rows."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory
from recommender.errors import DatabaseError, MissingColumnError, TooLittleDataError, UnreadableFileError, UsageError
from recommender.person import digest_of_person
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from training.databases import copies
from training.databases.local_files import Queries
from training.databases.query import Query
from training.erase import forget
from training.ingest.ingest import Ingested, PurchaseSource, ingest
from training.tables.workspace import delete_leftovers, work_folder

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SINCE = Query("orders.sql", "SELECT * FROM orders WHERE updated_at > :since")
COLUMNS = "customer_id, product_id, ordered_at, order_id, quantity, unit_price, status, refunded_quantity, updated_at"


@pytest.fixture
def home(tmp_path):
    return DataDirectory(tmp_path / "home")


@pytest.fixture
def database(tmp_path):
    """A file of SQLite with an empty table of orders, and a function that runs statements in it."""
    file = tmp_path / "shop.db"

    def run(statement: str, *rows) -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.executemany(statement, rows) if rows else connection.execute(statement)
            connection.commit()

    run(f"CREATE TABLE orders ({COLUMNS})")
    return run


@pytest.fixture
def read(tmp_path, home):
    """Ingest the database."""

    def read(query=SINCE, *, at=NOW, since_last=False, reading=None, products=None, erased=(), more=(), **arguments):
        source = PurchaseSource(
            (str(tmp_path / "shop.db"), *more),
            ReadingOptions(**(reading or {})),
            products=str(tmp_path / "shop.db") if products else None,
            queries=Queries(query, products, since_last),
        )
        return ingest(source, Settings(home=home.root), at, Progress(show=False), erased=erased, **arguments)

    return read


def order(customer, product, day, order_id, quantity=1, *, updated=None):
    at = f"{day} 10:00:00"
    return (customer, product, at, order_id, quantity, 2.5, "paid", 0, f"{updated or day} 10:00:00")


def add(database, *rows):
    database(f"INSERT INTO orders VALUES ({', '.join('?' * 9)})", *rows)


def bought(ingested: Ingested):
    return sorted(ingested.ledger.select("customer_id", "product_id", "quantity").rows())


def test_a_table_is_read_like_a_file_of_its_rows(read, database, home):
    add(database, order(7001, "MILK", "2026-11-01", "o1", 2), order("x", "BREAD", "2026-11-02", "o2"))
    found = read(Query("orders"))
    assert bought(found) == [("7001", "MILK", 2.0), ("x", "BREAD", 1.0)]
    assert found.ledger["unit_price"].to_list() == [2.5, 2.5]
    assert found.report.sources == [f"sqlite:///{home.root.parent}/shop.db (table orders)"]
    assert list(home.work.iterdir()) == []


def test_files_and_databases_are_read_together(read, database, tmp_path):
    add(database, order("ANNA", "MILK", "2026-11-01", "o1"))
    (tmp_path / "more.csv").write_text("customer_id,product_id,ordered_at\nBEN,BREAD,2026-11-02\n")
    assert bought(read(Query("orders"), more=[tmp_path / "more.csv"])) == [("ANNA", "MILK", 1), ("BEN", "BREAD", 1)]


def test_bad_rows_and_messages_name_the_database(read, database, home):
    add(database, *[order("ANNA", "MILK", "2026-11-01", f"o{i}") for i in range(30)], order("BEN", "MILK", "x", "o"))
    found = read(Query("orders"))
    bad = pl.read_csv(found.report.quarantine)
    assert bad.select("file", "line").row(0) == (f"sqlite:///{home.root.parent}/shop.db (table orders)", 31)
    assert found.report.quarantine.endswith("quarantine/orders.csv")
    with pytest.raises(MissingColumnError, match=r"shop\.db \(q\.sql\) has no column 'product_id'"):
        read(Query("q.sql", "SELECT customer_id, ordered_at FROM orders"))


def test_a_query_without_rows_is_refused(read, database):
    with pytest.raises(UnreadableFileError, match=r"shop\.db \(orders\.sql\) returned no row; check its conditions"):
        read()


def test_products_come_from_a_query_or_a_table(read, database):
    add(database, order("ANNA", "MILK", "2026-11-01", "o1"))
    database("CREATE TABLE products (product_id, title, price)")
    database("INSERT INTO products VALUES (?, ?, ?)", ("MILK", "Whole milk", 1.2), ("BREAD", "Rye", None))
    for products in (Query("products"), Query("p.sql", "SELECT * FROM products;".rstrip(";"))):
        found = read(Query("orders"), products=products)
        assert found.catalogue.select("product_id", "title", "price").rows() == [
            ("BREAD", "Rye", None),
            ("MILK", "Whole milk", "1.20"),
        ]


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        (Queries(), "say which rows, with --table or --query; its tables are orders"),
        (Queries(Query("orders"), Query("products")), "--products-query or --products-table needs a database"),
        (Queries(Query("orders"), since_last=True), "--since-last needs a --query that says :since"),
        (Queries(Query("q.sql", "SELECT 1"), since_last=True), "--since-last needs a --query that says :since"),
    ],
)
def test_what_is_missing_is_named(database, tmp_path, queries, words):
    source = PurchaseSource((str(tmp_path / "shop.db"),), queries=queries)
    with pytest.raises(UsageError, match=words):
        ingest(source, Settings(home=tmp_path / "home"), NOW, Progress(show=False))


def test_a_query_for_files_alone_is_refused(tmp_path):
    source = PurchaseSource(("purchases.csv",), queries=Queries(Query("orders")))
    with pytest.raises(UsageError, match="--query or --table needs a database, such as postgresql://"):
        ingest(source, Settings(home=tmp_path / "home"), NOW, Progress(show=False))


@pytest.mark.parametrize("address", ["mssql://sa:s3cret@host/db", "postgresql:/shop:s3cret@host/db", "https://a/b.csv"])
def test_an_address_of_another_kind_is_refused_without_its_secrets(tmp_path, address):
    for source in (PurchaseSource((address,)), PurchaseSource(("purchases.csv",), products=address)):
        with pytest.raises(UsageError, match="nothing is read from there; name a file, an address") as caught:
            ingest(source, Settings(home=tmp_path / "home"), NOW, Progress(show=False))
        assert "s3cret" not in str(caught.value)


# since the last reading


def test_only_what_is_new_is_read_and_added(read, database):
    add(database, order("ANNA", "MILK", "2026-01-01", "o1"), order("BEN", "MILK", "2026-11-25", "o2"))
    first = read(since_last=True)
    assert (first.report.rows_read, first.report.notes) == (2, [])
    add(database, order("ANNA", "MILK", "2026-11-30", "o3"))
    second = read(since_last=True, at=NOW + timedelta(days=1))
    assert bought(second) == [("ANNA", "MILK", 1), ("ANNA", "MILK", 1), ("BEN", "MILK", 1)]
    assert second.report.rows_read == 2
    assert [note["code"] for note in second.report.notes] == ["since_last"]
    assert "2 rows since 2026-11-23, 1 more of earlier readings" in second.report.notes[0]["text"]


def test_the_same_reading_again_changes_nothing(read, database):
    rows = [order("ANNA", "MILK", "2026-11-29", "o1"), order("ANNA", "MILK", "2026-11-29", "o1")]
    add(database, *rows, order("BEN", "MILK", "2026-03-01", "o2"))
    first = read(since_last=True)
    for _ in range(3):
        assert read(since_last=True).ledger.equals(first.ledger)
    assert len(first.ledger) == 3


def test_a_reading_equals_one_of_everything(read, database):
    for day in range(1, 29, 3):
        at = datetime(2026, 11, day, 12, tzinfo=UTC)
        add(database, order("ANNA", f"P{day % 4}", f"2026-11-{day:02}", f"o{day}"))
        assert read(since_last=True, at=at).ledger.equals(read(Query("orders"), at=at).ledger)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("quantity = 3", [("ANNA", "MILK", 3)]),
        ("status = 'refunded'", []),
        ("refunded_quantity = 1", []),
        ("ordered_at = '2026-01-02 10:00:00'", [("ANNA", "MILK", 1)]),
    ],
)
def test_an_order_that_changed_counts_as_it_is_now(read, database, change, left):
    add(database, order("ANNA", "MILK", "2026-01-01", "o1"), order("BEN", "MILK", "2026-01-01", "o2"))
    read(since_last=True)
    database(f"UPDATE orders SET {change}, updated_at = '2026-11-30 11:00:00' WHERE order_id = 'o1'")
    assert bought(read(since_last=True)) == [*left, ("BEN", "MILK", 1)]


def test_a_later_refund_takes_back_a_kept_purchase(read, database):
    add(database, order("ANNA", "MILK", "2026-01-01", "o1"), order("BEN", "MILK", "2026-01-01", "o2"))
    read(since_last=True)
    add(database, order("ANNA", "MILK", "2026-11-30", "o1", -1))
    assert bought(read(since_last=True)) == [("BEN", "MILK", 1)]


def test_parts_of_an_order_may_go_back_one_after_another(read, database):
    add(database, order("ANNA", "MILK", "2026-01-01", "o1", 3), order("ANNA", "MILK", "2026-02-01", "o1", -1))
    read(since_last=True)
    add(database, order("ANNA", "MILK", "2026-11-30", "o1", -1))
    assert bought(read(since_last=True)) == [("ANNA", "MILK", 1)]


def test_nothing_new_leaves_what_was_kept(read, database):
    add(database, order("ANNA", "MILK", "2026-01-01", "o1"))
    read(since_last=True)
    later = read(since_last=True, at=NOW + timedelta(days=40))
    assert (later.report.rows_read, bought(later)) == (0, [("ANNA", "MILK", 1)])


def test_a_reading_of_everything_takes_the_place_of_what_was_kept(read, database):
    add(database, order("ANNA", "MILK", "2026-01-01", "o1"), order("BEN", "MILK", "2026-01-01", "o2"))
    read(since_last=True)
    database("DELETE FROM orders WHERE order_id = 'o1'")
    assert bought(read(since_last=True)) == [("ANNA", "MILK", 1), ("BEN", "MILK", 1)]  # a limit, and its remedy:
    assert bought(read()) == [("BEN", "MILK", 1)]
    assert bought(read(since_last=True)) == [("BEN", "MILK", 1)]


def test_a_reading_that_is_refused_or_only_looked_at_keeps_nothing(read, database, home):
    add(database, order("ANNA", "MILK", "2026-01-01", "o1"), order("BEN", "MILK", "x", "o2", updated="2026-01-01"))
    with pytest.raises(Exception, match="rows are bad"):
        read(since_last=True)
    read(since_last=True, refuse=False)
    assert not home.readings("default").exists()


def test_another_way_of_reading_begins_anew(read, database):
    add(database, order("ANNA", "MILK", "2026-01-01", "o1"))
    read(since_last=True)
    assert read(since_last=True, reading={"returned": ("void",)}).report.rows_read == 1


def test_erased_customers_are_not_kept(read, database, home):
    add(database, order("ANNA", "MILK", "2026-01-01", "o1"), order("BEN", "MILK", "2026-01-01", "o2"))
    anna, ben = (digest_of_person(one, None) for one in ("ANNA", "BEN"))
    assert bought(read(since_last=True, erased=[anna])) == [("BEN", "MILK", 1)]
    add(database, order("CARA", "MILK", "2026-11-30", "o3"))
    assert bought(read(since_last=True, erased=[anna])) == [("BEN", "MILK", 1), ("CARA", "MILK", 1)]
    assert forget(home, "default", [ben]).kept_rows == 1
    assert bought(read(since_last=True, erased=[anna, ben])) == [("CARA", "MILK", 1)]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "refund", "status", "quantity", "back"]),
        st.integers(1, 4),
        st.integers(0, 15),
        st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@given(steps=STEPS)
@example(steps=[("add", 1, 0, False), ("add", 1, 8, True), ("status", 1, 0, True)])
@example(steps=[("add", 1, 0, True), ("refund", 1, 0, True), ("refund", 1, 15, True)])
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_happens_between_readings_they_equal_one_of_everything(read, database, home, steps):
    database("DELETE FROM orders")
    shutil.rmtree(home.readings("default"), ignore_errors=True)
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for number, (kind, which, days, reads) in enumerate([("add", 1, 0, True), *steps]):
        now += timedelta(days=days)
        day = f"{now:%Y-%m-%d}"
        known, at = f"o{number % which}", f"updated_at = '{day} 10:00:00' WHERE order_id"
        if kind == "add":
            add(database, order("ANNA", f"P{which}", day, f"o{number}", which))
        elif kind == "refund":
            line = order("ANNA", f"P{which}", day, f"o{number % which}", -1)
            add(database, (*line[:2], f"{day} 11:00:00", *line[3:]))  # not in the second of a purchase
        elif kind == "status":
            database(f"UPDATE orders SET status = 'refunded', {at} = '{known}' AND quantity > 0")
        elif kind == "quantity":
            database(f"UPDATE orders SET quantity = {which}, {at} = '{known}' AND quantity > 0")
        else:
            database(f"UPDATE orders SET refunded_quantity = 1, {at} = '{known}' AND quantity > 0")
        if reads:
            everything, added = (_ledger(read, query, now) for query in (Query("orders"), SINCE))
            assert everything.equals(added)


def _ledger(read, query, now):
    try:
        return read(query, at=now, since_last=query is SINCE).ledger
    except TooLittleDataError:  # everything went back
        return pl.DataFrame()


# copies


def test_copies_go_when_reading_fails(read, database, home, monkeypatch):
    add(database, order("ANNA", "MILK", "2026-11-01", "o1"))

    def fail(request, file):
        file.write_bytes(b"half")
        raise DatabaseError("lost")

    monkeypatch.setitem(copies._COPY, "sqlite", fail)
    with pytest.raises(DatabaseError, match="lost"):
        read()
    assert list(home.work.iterdir()) == []


def test_what_killed_processes_left_goes_and_what_is_in_use_stays(home):
    (home.work / "of-a-killed-one").mkdir(parents=True)
    with work_folder(home.work) as mine:
        assert sorted(path.name for path in home.work.iterdir()) == [mine.name]
        delete_leftovers(home.work)
        assert mine.exists()
    assert not mine.exists()
