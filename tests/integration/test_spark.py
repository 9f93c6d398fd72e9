"""The engine on Spark: its lists are those of this process, byte for byte, whatever befalls the executors."""

import os
import sys
import sysconfig
from dataclasses import fields
from datetime import timedelta
from functools import cache

import polars as pl
import pytest

from recommender.errors import UsageError
from recommender.settings import AlsSettings, Settings
from tests.support.commands import call_reprise, run_reprise
from tests.support.spark_cluster import SPARK, DeadlyRanker, cluster, connect_server
from tests.support.worlds import AS_OF, ledger_of
from training.ranking.examples.example_cache import ExampleCache
from training.ranking.model import LocalEngine
from training.ranking.ranker import fit_ranker
from training.spark import engine as engine_module
from training.spark.engine import SparkEngine
from training.spark.session import open_session

pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
pytestmark = SPARK

SETTINGS = Settings(als=AlsSettings(factors=8), list_length=20, redis_url="redis://:secret@localhost:6379/0")


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setattr(engine_module, "LINES_OF_A_PART", 800)


def skewed_shop():
    """60 customers who buy weekly, P00 in three of five orders, and HEAVY with six times the lines of all others."""
    regular = [
        (f"C{customer:02}", f"P{(customer + step) % 40:02}", 0.5 + 7 * week + customer % 7)
        for customer in range(60)
        for week in range(15)
        for step in (0, 1, 17 - week)
    ]
    everywhere = [(customer, "P00", day) for customer, _, day in regular if (day * 2) % 5 < 3]
    heavy = [("HEAVY", f"P{product:02}", 0.1 + order / 7) for order in range(675) for product in range(40)]
    return ledger_of([*regular, *everywhere, *heavy])


@cache
def learned():
    """The ledger, what its shop and its ranker learned, and the lists that this process makes of it."""
    ledger = skewed_shop()
    texts = ("title", "category", "price", "currency", "url", "image_url")
    catalogue = ledger.select(pl.col("product_id").unique().sort(), *(pl.lit(None, pl.String).alias(n) for n in texts))
    cache = ExampleCache(ledger, catalogue, SETTINGS)
    ranker = fit_ranker([cache.examples(AS_OF - timedelta(days=30))], seed=0)
    _, shop = cache.shop(AS_OF)
    return cache.ledger, shop, ranker, pl.concat(LocalEngine(500_000).rank(cache.ledger, shop, ranker, lambda _: None))


def rank(master, folder, change=lambda ranker: ranker):
    ledger, shop, ranker, _ = learned()
    done = []
    with open_session(master) as session:
        lists = pl.concat(SparkEngine(session, folder).rank(ledger, shop, change(ranker), done.append))
    assert sum(done) == 61
    assert max(done) < 61, "there is more than one part"
    assert list(folder.iterdir()) == [], "it cleans up"
    return lists


def test_lists_are_those_of_this_process(tmp_path):
    """Also where one customer has six times as many lines as all others, and three of five orders hold one product."""
    assert rank("local[2]", tmp_path).equals(learned()[3])


def test_lists_of_a_cluster_are_the_same_also_when_an_executor_is_killed(tmp_path):
    def deadly(ranker):
        return DeadlyRanker(**{each.name: getattr(ranker, each.name) for each in fields(ranker)}, mark=str(mark))

    mark, shared, home = tmp_path / "killed", tmp_path / "shared", tmp_path / "cluster"
    home.mkdir()
    with cluster(home, n_workers=2) as master:
        assert rank(master, shared).equals(learned()[3])
        assert rank(master, shared, deadly).equals(learned()[3])
    assert mark.exists(), "one was killed"


def test_executors_without_the_package_are_told(tmp_path, monkeypatch):
    """A Python that has the libraries and not us: its folder of packages without what `pip install -e` adds to it."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={sysconfig.get_path("purelib")} exec {sys.executable} -P -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("PYSPARK_PYTHON", os.fspath(python))
    with pytest.raises(UsageError, match="the executors' Python has no Reprise: install reprise-recommender"):
        rank("local[1]", tmp_path / "shared")


@pytest.fixture
def purchases(tmp_path):
    file = tmp_path / "purchases.parquet"
    skewed_shop().filter(pl.col("customer_id") < "C20").drop("unit_price").write_parquet(file)
    return file


def command_lists(tmp_path, *words, reprise=call_reprise):
    out = tmp_path / "lists.parquet"
    done = reprise(tmp_path / "home", "rank", *words, "--as-of", f"{AS_OF:%Y-%m-%d}", "--json", "--out", out)
    assert done.returncode == 0, done.stderr
    return pl.read_parquet(out)


def test_the_command_writes_the_same_file(tmp_path, purchases):
    lists = command_lists(tmp_path, purchases, "--engine", "spark", "--master", "local[2]")
    assert lists.equals(command_lists(tmp_path, purchases))


@pytest.fixture
def by_spark(tmp_path, purchases):
    """The words of a command that reads the purchases by Spark, up to the master."""
    query = tmp_path / "orders.sql"
    query.write_text(f"SELECT * FROM parquet.`{purchases}`")
    return ("spark-sql:///default", "--query", query, "--engine", "spark", "--master")


def test_the_command_reads_by_spark(tmp_path, purchases, by_spark):
    assert command_lists(tmp_path, *by_spark, "local[2]").equals(command_lists(tmp_path, purchases))


def test_the_command_reads_and_ranks_by_spark_connect(tmp_path, purchases, by_spark):
    """In a process of its own: one that was a client of Spark Connect stays one."""
    pytest.importorskip("grpc", reason="pyspark[connect] is not installed")
    with connect_server(tmp_path) as master:
        lists = command_lists(tmp_path, *by_spark, master, reprise=run_reprise)
    assert lists.equals(command_lists(tmp_path, purchases))
