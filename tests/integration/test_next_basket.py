"""The next-basket benchmark on a made-up set of baskets whose answers are known."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "next_basket.py"
METHODS = ["G-TopFreq", "P-TopFreq", "GP-TopFreq", "Decayed counts + popular", "UP-CF@r", "TIFU-KNN", "ALS", "Reprise"]
N_CUSTOMERS = 150


def make_baskets(last: int | None = None) -> dict[str, list[list[int]]]:
    """Everybody buys two products of their own in each of 5 baskets, and one of 30 others by chance.

    With `last`, test customers' last baskets hold this product alone.
    """
    rng = random.Random(0)
    baskets = {}
    for customer in range(N_CUSTOMERS):
        staples = rng.sample(range(30), 2)
        baskets[str(customer)] = [[*staples, rng.randrange(30, 60)] for _ in range(5)]
        if last is not None and customer >= 120:
            baskets[str(customer)][-1] = [last]
    return baskets


def write_data(folder: Path, baskets: dict[str, list[list[int]]], n_folds: int = 1) -> Path:
    """Customers 0 to 99 train, to 119 validate, the others test, in every fold."""
    folder.mkdir()
    names = [str(customer) for customer in range(N_CUSTOMERS)]
    fold = {"item_num": 61, "train": names[:100], "val": names[100:120], "test": names[120:]}
    (folder / "baskets.json").write_text(json.dumps(baskets))
    for index in range(n_folds):
        (folder / f"fold_{index}.json").write_text(json.dumps(fold))
    return folder


def run(folder: Path, *options: str) -> str:
    """What the benchmark prints."""
    command = [sys.executable, str(BENCHMARK), "--data", str(folder), *options]
    # without it, threads that wait for each other keep the cores busy
    quiet = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=quiet).stdout


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, float]]]:
    return json.loads(run(write_data(tmp_path_factory.mktemp("data") / "staples", make_baskets(), 2), "--json"))


def test_every_method_is_judged_by_the_same_measures(table):
    assert list(table) == METHODS
    assert {tuple(figures) for figures in table.values()} == {
        ("R@10", "NDCG@10", "PHR@10", "R@20", "NDCG@20", "PHR@20", "seconds")
    }


def test_equal_folds_give_equal_figures(table):
    assert {figures["R@10"]["sd"] for figures in table.values()} == {0.0}


@pytest.mark.parametrize("method", ["P-TopFreq", "GP-TopFreq", "TIFU-KNN", "Reprise"])
def test_what_is_in_every_basket_is_foretold(table, method):
    assert table[method]["R@10"]["mean"] >= 2 / 3
    assert table[method]["PHR@10"]["mean"] == 1


def test_popularity_alone_knows_nobody(table):
    assert table["G-TopFreq"]["R@10"]["mean"] < 2 / 3


def test_a_test_customers_last_basket_is_never_learned_from(tmp_path):
    # product 60 stands in these baskets alone: a method that has seen them could name it
    printed = run(write_data(tmp_path / "surprise", make_baskets(last=60)), "--json")
    assert {figures["R@20"]["mean"] for figures in json.loads(printed).values()} == {0.0}


def test_the_table_has_a_line_for_each_method(tmp_path):
    lines = run(write_data(tmp_path / "staples", make_baskets())).splitlines()
    assert [line[:26].strip() for line in lines[1:]] == METHODS
