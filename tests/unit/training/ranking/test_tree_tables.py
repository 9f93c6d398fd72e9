from functools import cache

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from training.ranking import tree_tables
from training.ranking.binning import Bins
from training.ranking.feature_table import FeatureGroup, FeatureTable
from training.ranking.tree_tables import MOST_LEAVES, TreeTables

NAMES = ("a", "b", "c", "unused")


def rows_of(n=3_000, seed=0):
    """Numbers, some missing, some equal."""
    rng = np.random.default_rng(seed)
    rows = np.stack([rng.random(n), rng.integers(5, size=n), rng.normal(size=n), np.zeros(n)], axis=1)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    rows[:, 3] = np.where(np.isnan(rows[:, 3]), np.nan, 1)
    return rows.astype(np.float32)


@cache
def classifier(most_leaves=MOST_LEAVES - 1):
    rows = rows_of()
    likely = np.nan_to_num(rows[:, 0], nan=0.9) + (rows[:, 1] == 3) + np.isnan(rows[:, 2])
    bought = np.random.default_rng(1).random(len(rows)) * 3 < likely
    trees = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=most_leaves, early_stopping=False)
    return trees.fit(numbers_of(rows), bought)


@cache
def bins():
    return Bins.of(pl.DataFrame(rows_of(), schema=NAMES), seed=0)


def numbers_of(rows):
    return bins().number(pl.DataFrame(rows, schema=NAMES))


def table_of(rows):
    return FeatureTable.of(pl.DataFrame(rows, schema=NAMES))


def expected(rows):
    return classifier().predict_proba(numbers_of(rows))[:, 1]


@pytest.mark.parametrize("most_leaves", [2, 15, MOST_LEAVES])
def test_probabilities_are_those_of_the_classifier(most_leaves):
    rows, trees = rows_of(seed=2), classifier(most_leaves)
    found = TreeTables(trees, bins()).probabilities(table_of(rows))
    assert found == pytest.approx(trees.predict_proba(numbers_of(rows))[:, 1], abs=1e-12)


def test_a_value_on_an_edge_goes_left():
    rows = np.repeat(np.concatenate([*bins().edges.values()])[:, None], len(NAMES), axis=1).astype(np.float32)
    above = np.nextafter(rows, np.float32(np.inf))
    for each in (rows, above):
        assert TreeTables(classifier(), bins()).probabilities(table_of(each)) == pytest.approx(
            expected(each), abs=1e-12
        )


def test_shared_rows_count_for_each_candidate():
    rows, shared = rows_of(200), rows_of(7, seed=3)
    of_shared = np.random.default_rng(4).integers(-1, 7, size=200)
    table = FeatureTable(
        [
            FeatureGroup({"a": rows[:, 0], "unused": rows[:, 3]}),
            FeatureGroup({"b": shared[:, 1], "c": shared[:, 2]}, of_shared),
        ],
        200,
    )
    rows[:, 1:3] = shared[of_shared, 1:3]
    assert TreeTables(classifier(), bins()).probabilities(table) == pytest.approx(expected(rows), abs=1e-12)


def test_blocks_change_nothing(monkeypatch):
    table, tables = table_of(rows_of()), TreeTables(classifier(), bins())
    whole = tables.probabilities(table)
    monkeypatch.setattr(tree_tables, "_BLOCK_ROWS", 999)
    assert np.array_equal(tables.probabilities(table), whole)


def test_no_rows():
    assert TreeTables(classifier(), bins()).probabilities(table_of(rows_of(0))).shape == (0,)
