"""Addresses of databases: what they name, and that a password is never shown."""

import sqlite3

import pytest

from recommender.errors import UsageError
from training.databases.address import find_address, quote_name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://shop@db.example/orders", "postgresql://shop@db.example/orders"),
        ("postgres://shop:s3cret@db.example:5433/orders", "postgresql://shop@db.example:5433/orders"),
        ("postgresql+psycopg://shop:s3c@ret@[::1]:5433/orders", "postgresql://shop@[::1]:5433/orders"),
        ("POSTGRESQL://db.example/orders?sslmode=require&password=s3cret", "postgresql://db.example/orders"),
        ("postgresql://a:s3c/ret@one,two:5433/orders", "postgresql://a@one,two:5433/orders"),
        ("mysql://shop%40site:s3cret@db.example/orders", "mysql://shop%40site@db.example/orders"),
        ("mariadb+pymysql://shop:s3cret@db.example/orders", "mysql://shop@db.example/orders"),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
        ("sqlite:////data/my%20shop.db", "sqlite:////data/my shop.db"),
        ("duckdb:///shop.duckdb", "duckdb:///shop.duckdb"),
        ("spark-sql:///lake.sales", "spark-sql:///lake.sales"),
    ],
)
def test_an_address_is_shown_without_its_secrets(text, shown):
    address = find_address(text)
    assert str(address) == shown
    assert "s3c" not in str(address) + repr(address)


def test_a_password_is_read_as_it_is_written():
    assert find_address("postgresql://shop:a%2Fb%40c@host/db").password.get_secret_value() == "a/b@c"
    assert find_address("postgresql://shop:a@b/c@host/db").password.get_secret_value() == "a@b/c"
    assert find_address("postgresql://shop@host/db").password is None


def test_options_stand_behind_the_question_mark():
    assert find_address("mysql://shop@host/db?ssl_ca=%2Fetc%2Fca.pem").options == {"ssl_ca": "/etc/ca.pem"}


@pytest.mark.parametrize("text", ["purchases.csv", "orders/*.parquet", "s3://bucket/orders.parquet", "no-such.sqlite"])
def test_files_and_objects_are_no_databases(text):
    assert find_address(text) is None


def test_a_file_of_a_database_is_known_by_its_first_bytes(tmp_path):
    file = tmp_path / "orders.dat"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE orders (a)")
    connection.close()
    assert str(find_address(file)) == f"sqlite:///{file}"
    (tmp_path / "purchases.csv").write_text("customer_id\n")
    assert find_address(tmp_path / "purchases.csv") is None


@pytest.mark.parametrize(
    "text", ["postgresql://shop:s3cret@host", "mysql:///db", "sqlite://shop.db", "duckdb://", "spark-sql://"]
)
def test_an_address_without_a_database_is_refused_with_how_to_write_it(text):
    with pytest.raises(UsageError, match=r"write (postgresql|mysql|sqlite|duckdb|spark-sql)://") as caught:
        find_address(text)
    assert "s3cret" not in str(caught.value)


def test_names_are_quoted_as_their_database_does():
    assert quote_name("postgresql", 'or"der') == '"or""der"'
    assert quote_name("mysql", "or`der") == "`or``der`"
