"""Purchases of a real PostgreSQL and a real MariaDB: their types, their limits, their failures, and their secrets."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from recommender.cli.progress import Progress
from recommender.data_dir import DataDirectory
from recommender.errors import DatabaseError, MissingColumnError, UnreadableFileError
from recommender.reading import ReadingOptions
from recommender.settings import Settings
from tests.support.databases import mariadb_server, postgresql_server
from tests.support.redis_servers import wait_until
from training.databases.local_files import Queries
from training.databases.query import Query
from training.ingest.ingest import PurchaseSource, ingest

AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
UUIDS = [f"7d444840-9dc0-11d1-b245-5ffdce74fad{digit}" for digit in range(3)]
TYPES = {
    "postgresql": f"""
CREATE TYPE state AS ENUM ('paid', 'refunded');
CREATE TABLE bought (buyer uuid, sku varchar(9), zoned timestamptz, naive timestamp, day date, number numeric(30),
  pieces numeric(10,3), price numeric(10,2), cash money, rate real, word state, title text, facts jsonb, yes boolean,
  bytes bytea, list int[], length interval, place inet);
INSERT INTO bought VALUES ('{UUIDS[0]}', '007', '2026-09-01 10:00+02', '2026-09-01 10:00', '2026-09-01',
  123456789012345678901234567890, 2.000, 4.50, '4.50', 4.5, 'paid', 'Käse', '{{"a": 1}}', true, '\\x6162', '{{1,2}}',
  '1 day', '10.0.0.1');
INSERT INTO bought VALUES ('{UUIDS[1]}', '008', 'infinity', '-infinity', 'infinity', NULL, 'NaN', NULL);
INSERT INTO bought VALUES ('{UUIDS[2]}', '009', '2026-09-02', '2026-09-02', '2026-09-02', 1, 1, 1, '1', 1, 'refunded')
""",
    "mysql": f"""
CREATE TABLE bought (buyer varchar(36), sku varchar(9), zoned timestamp NULL, naive datetime(6), day date,
  number decimal(30), pieces decimal(10,3), price decimal(10,2), cash double, rate float, word enum('paid', 'refunded'),
  title text CHARACTER SET latin1, facts json, yes boolean, bytes blob, list set('a', 'b'), length time, place bit(8));
SET time_zone = '+02:00';
INSERT INTO bought VALUES ('{UUIDS[0]}', '007', '2026-09-01 10:00', '2026-09-01 10:00', '2026-09-01',
  123456789012345678901234567890, 2.000, 4.50, 4.50, 4.5, 'paid', 'Käse', '{{"a": 1}}', true, 'ab', 'a,b', '10:00',
  b'1');
SET sql_mode = '';
INSERT INTO bought (buyer, sku, zoned, naive, day) VALUES ('{UUIDS[1]}', '008', 0, 0, 0);
INSERT INTO bought VALUES ('{UUIDS[2]}', '009', '2026-09-02', '2026-09-02', '2026-09-02', 1, 1, 1, 1, 1, 'refunded',
  NULL, NULL, NULL, NULL, NULL, NULL, NULL)
""",
}
SLOW = {
    "postgresql": "pg_sleep(0.002)::text AS slow FROM generate_series(1, 1000000) AS numbers(number)",
    "mysql": "sleep(0.002) AS slow FROM (SELECT seq AS number FROM seq_1_to_1000000) AS numbers",
}
AT_WORK = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE query LIKE '%slow%' AND pid <> pg_backend_pid() "
    "AND state = 'active'",
    "mysql": "SELECT id FROM information_schema.processlist WHERE info LIKE '%slow%' AND id <> connection_id()",
}
END = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL CONNECTION {}"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(postgresql_server, marks=pytest.mark.postgresql, id="postgresql"),
        pytest.param(mariadb_server, marks=pytest.mark.mariadb, id="mariadb"),
    ],
)
def server(request):
    """A server of this file's tests alone, with a table of purchases."""
    with request.param() as started:
        started.run(*TYPES[started.kind].split(";\n"))
        yield started


@pytest.fixture
def read(server, home):
    """Ingest a query of the server or one of its tables."""

    def read(query, *, password=server.password, at=AS_OF, since_last=False, reading=None, share=0.0, **limits):
        queries = Queries(Query("orders.sql", query) if " " in query else Query(query), since_last=since_last)
        source = PurchaseSource((server.address,), ReadingOptions(**(reading or {})), queries=queries)
        secret = SecretStr(password) if password else None
        limits = {"home": home, "database_password": secret, "max_bad_rows_share": share, **limits}
        return ingest(source, Settings(**limits), at, Progress(show=False))

    return read


def bought(ingested):
    return sorted(ingested.ledger.drop("ordered_at").rows(), key=str)


def slow_query(kind: str) -> str:
    return f"SELECT number AS customer_id, 'MILK' AS product_id, '2026-01-01' AS ordered_at, {SLOW[kind]}"


def columns(**ours: str) -> str:
    return f"SELECT {', '.join(f'{theirs} AS {name}' for name, theirs in ours.items())} FROM bought"


@pytest.mark.parametrize(
    ("times", "price", "at"), [("zoned", "price", 8), ("naive", "cash", 10), ("day", "rate", 0), ("naive", "price", 10)]
)
def test_every_type_means_what_the_database_means(read, times, price, at):
    sql = columns(customer_id="buyer", product_id="sku", ordered_at=times, order_id="number", quantity="pieces",
                  unit_price=price, status="word", title="title")  # fmt: skip
    found = read(sql, share=0.5)
    moment = datetime(2026, 9, 1, at, tzinfo=UTC)
    assert found.ledger.rows() == [(UUIDS[0], "007", moment, "123456789012345678901234567890", 2.0, 4.5)]
    assert found.catalogue["title"].to_list() == ["Käse"]
    assert sum(found.report.quarantined.values()) == 1  # the time infinity, the day 0
    assert found.report.refunds["own_lines"] == 1


def test_types_that_no_purchase_needs_do_no_harm(read):
    found = read("bought", reading={"columns": {"customer_id": "buyer", "product_id": "sku", "ordered_at": "zoned"}},
                 share=0.5)  # fmt: skip
    assert {"facts", "yes", "bytes", "list", "length", "place"} <= set(found.report.columns_unused)


def test_a_time_zone_is_for_times_without_one(read):
    for times in ("zoned", "naive"):
        sql = columns(customer_id="buyer", product_id="sku", ordered_at=times)
        zones = ("UTC", "Europe/Berlin")
        utc, berlin = (read(sql, share=0.5, reading={"time_zone": zone}).ledger["ordered_at"][0] for zone in zones)
        assert utc - berlin in ({timedelta(0)} if times == "zoned" else {timedelta(0), timedelta(hours=2)})


@pytest.mark.parametrize("sql", ["DELETE FROM bought", "SELECT 1) AS a; DELETE FROM bought; SELECT * FROM (SELECT 1"])
def test_a_statement_that_writes_is_refused(server, read, sql):
    with pytest.raises(DatabaseError, match="cannot be read"):
        read(sql)
    assert server.run("SELECT count(*) FROM bought")[0][0] == 3


def test_a_function_that_writes_is_refused(server, read):
    if server.kind == "postgresql":
        server.run(
            "CREATE OR REPLACE FUNCTION wipe() RETURNS int AS 'DELETE FROM bought RETURNING 1' LANGUAGE sql"
        )  # fmt: skip
    else:
        server.run("CREATE OR REPLACE FUNCTION wipe() RETURNS int MODIFIES SQL DATA BEGIN DELETE FROM bought; "
                   "RETURN 1; END")  # fmt: skip
    with pytest.raises(DatabaseError, match=r"(?i)read.only transaction"):
        read("SELECT wipe() AS customer_id")
    assert server.run("SELECT count(*) FROM bought")[0][0] == 3


def test_a_query_that_is_wrong_is_named_with_what_the_server_says(read):
    with pytest.raises(DatabaseError, match=r"\(orders\.sql\) cannot be read: .*nowhere"):
        read("SELECT * FROM nowhere")
    with pytest.raises(DatabaseError, match=r"\(table nowhere\) cannot be read: .*nowhere"):
        read("nowhere")
    with pytest.raises(UnreadableFileError, match=r"\(orders\.sql\) returned no row"):
        read("SELECT * FROM bought WHERE 1 = 0")
    with pytest.raises(MissingColumnError, match=r"\(orders\.sql\) has no column 'customer_id'"):
        read("SELECT sku AS product_id, day AS ordered_at FROM bought -- and no more")


def test_a_query_over_the_time_limit_is_given_up_on_the_server_too(server, read, home):
    with pytest.raises(DatabaseError, match=r"took longer than 1 s .*REPRISE_DATABASE_TIMEOUT_S"):
        read(slow_query(server.kind), database_timeout_s=1)
    wait_until(lambda: not server.run(AT_WORK[server.kind]), "the query has ended")
    assert list(DataDirectory(home).work.iterdir()) == []


def test_a_connection_that_is_lost_in_the_middle_leaves_nothing(server, read, home):
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(read, slow_query(server.kind))
        wait_until(lambda: server.run(AT_WORK[server.kind]), "the query is at work")
        server.run(END[server.kind].format(server.run(AT_WORK[server.kind])[0][0]))
        with pytest.raises(DatabaseError, match=r"\(orders\.sql\) cannot be read"):
            reading.result(timeout=60)
    assert list(DataDirectory(home).work.iterdir()) == []


def _press_ctrl_c(process):
    """What it says until it ends. A driver may miss the first one while it sends the query: people press again."""
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=30)[1]
    process.send_signal(signal.SIGABRT)  # faulthandler tells where it stands
    raise AssertionError(f"it did not end:\n{process.communicate()[1]}")


def test_ctrl_c_ends_the_query_and_leaves_nothing(server, home, tmp_path):
    (tmp_path / "orders.sql").write_text(slow_query(server.kind))
    secrets = {"REPRISE_HOME": str(home), "REPRISE_DATABASE_PASSWORD": server.password}
    reprise = [sys.executable, "-X", "faulthandler", "-m", "recommender.cli"]
    command = [*reprise, "doctor", server.address, "--query", tmp_path / "orders.sql"]
    with subprocess.Popen(command, env={**os.environ, **secrets}, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: server.run(AT_WORK[server.kind]), "the query is at work")
        said = _press_ctrl_c(process)
    assert process.returncode == 1
    assert "Traceback" not in said
    assert server.password not in said
    wait_until(lambda: not server.run(AT_WORK[server.kind]), "the query has ended")
    assert list(DataDirectory(home).work.iterdir()) == []


def test_passwords_are_shown_nowhere(server, reprise, tmp_path, home):
    server.run("DROP TABLE IF EXISTS orders", "CREATE TABLE orders (customer_id int, product_id int, ordered_at date)")
    rows = [f"({i % 40}, {i % 7}, '2026-0{1 + i % 9}-0{1 + i % 8}')" for i in range(400)]
    server.run(f"INSERT INTO orders VALUES {', '.join(rows)}")
    (tmp_path / "orders.sql").write_text("SELECT * FROM orders;")
    secret = server.address.replace("@", f":{server.password}@") + "?charset=utf8mb4&password=also-s3cret"
    if server.kind == "postgresql":
        secret = secret.replace("charset=utf8mb4", "application_name=s3cret")
    wrong = [
        reprise("doctor", secret, "--query", tmp_path / "orders.sql"),
        reprise("doctor", server.address, "--table", "orders", REPRISE_DATABASE_PASSWORD="also-s3cret"),
        reprise("doctor", server.address, "--table", "orders", REPRISE_DATABASE_TIMEOUT_S="also-s3cret"),
    ]
    address = secret.partition("?")[0]
    nowhere = {"REPRISE_REDIS_URL": "unix:///nonexistent/redis.sock"}
    right = [
        reprise("doctor", server.address, "--table", "orders", REPRISE_DATABASE_PASSWORD=server.password),
        reprise("train", address, "--query", tmp_path / "orders.sql", "--no-publish", "--json", **nowhere),
    ]
    assert [done.returncode for done in right] == [0, 0], right[1].stderr
    assert all(done.returncode for done in wrong[1:])
    said = "".join(done.stdout + done.stderr for done in (*wrong[1:], *right))
    assert server.password not in said
    files = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert files
    assert not any(server.password.encode() in content for content in files)
    assert f'"{server.address} (orders.sql)"' in right[1].stdout


def test_without_a_password_the_driver_looks_for_one_or_is_refused(server, read, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", server.password)
    sql = "SELECT buyer AS customer_id, sku AS product_id, naive AS ordered_at FROM bought WHERE day = '2026-09-01'"
    if server.kind == "postgresql":
        assert len(read(sql, password=None).ledger) == 1
    else:
        with pytest.raises(DatabaseError, match="Access denied"):
            read(sql, password=None)


def test_only_what_is_new_is_read(server, read):
    server.run(
        "DROP TABLE IF EXISTS news",
        "CREATE TABLE news (customer_id int, product_id int, ordered_at timestamp, order_id int)",
        "INSERT INTO news VALUES (1, 1, '2026-01-01 10:00:00', 1), (2, 1, '2026-11-18 10:00:00', 2)",
    )
    sql = "SELECT * FROM news WHERE ordered_at > :since"
    assert read(sql, since_last=True).report.rows_read == 2
    server.run("INSERT INTO news VALUES (1, 1, '2026-11-19 10:00:00', 3)")
    found = read(sql, since_last=True)
    assert (found.report.rows_read, found.report.purchases) == (2, 3)


TIMES = {"postgresql": ("timestamptz", "timestamp", "text"), "mysql": ("timestamp(6)", "datetime(6)", "varchar(40)")}
IDS = {"postgresql": ("text", "bigint", "numeric"), "mysql": ("varchar(40)", "bigint unsigned", "decimal(30)")}
NUMBERS = {
    "postgresql": ("numeric(12,3)", "numeric", "double precision", "text"),
    "mysql": ("decimal(12,3)", "double", "varchar(40)"),
}
PURCHASES = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.integers(10**15, 10**18),
        st.integers(1_600_000_000, 1_790_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
        st.integers(1, 4_000).map(lambda quarters: quarters / 4),
    ),
    min_size=1,
    max_size=8,
)


@given(purchases=PURCHASES, form=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_same_purchases_in_columns_of_any_type_are_the_same_ledger(server, read, purchases, form):
    kinds = [form.draw(st.sampled_from(some[server.kind])) for some in (IDS, IDS, TIMES, NUMBERS)]
    names = ("customer_id", "product_id", "ordered_at", "unit_price")
    defined = ", ".join(f"{name} {kind} NULL" for name, kind in zip(names, kinds, strict=True))
    rows = ", ".join(f"('{a}', '{b}', '{at:%Y-%m-%d %H:%M:%S}', '{price}')" for a, b, at, price in purchases)
    zone = "SET TIME ZONE 'UTC'" if server.kind == "postgresql" else "SET time_zone = '+00:00'"
    server.run(zone, "DROP TABLE IF EXISTS same", f"CREATE TABLE same ({defined})", f"INSERT INTO same VALUES {rows}")
    found = read("same").ledger.select("customer_id", "product_id", "ordered_at", "unit_price").rows()
    assert sorted(found) == sorted((str(a), str(b), at, price) for a, b, at, price in purchases)
