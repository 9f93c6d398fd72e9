"""From scores to lists: order, ties, fill and both kinds."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import AS_OF, ledger_of
from training.dataset.snapshot import Snapshot, build_snapshot
from training.evaluation import top_k
from training.evaluation.top_k import OwnAndShared, count_orders, rank_by


@pytest.fixture
def snapshot() -> Snapshot:
    """ANNA bought A and B, BEN C and D, both a while ago; CARL bought C and E, DORA E, lately."""
    long_ago = [("ANNA", "A", 90), ("ANNA", "B", 90), ("BEN", "C", 90), ("BEN", "D", 90)]
    return build_snapshot(ledger_of([*long_ago, ("CARL", "C", 1), ("CARL", "E", 1), ("DORA", "E", 2)]), AS_OF)


def ranked(snapshot: Snapshot, scores: list[float], customers: list[str], k: int) -> list[list[str]]:
    row = np.array(scores, dtype=np.float32)
    ranking = rank_by(lambda index: np.tile(row, (len(index), 1)), snapshot, pl.Series(customers, dtype=pl.String), k)
    return ranking.group_by("customer_id", maintain_order=True).agg("product_id")["product_id"].to_list()


def test_best_first_and_ties_by_id(snapshot):
    assert ranked(snapshot, [1, 2, 2, 3, 1], ["ANNA"], 5) == [["D", "B", "C", "A", "E"]]


def test_the_best_of_each_kind(snapshot):
    """Two of what ANNA bought, two of what she did not, in one order."""
    assert ranked(snapshot, [1, 2, 5, 4, 3], ["ANNA"], 2) == [["C", "D", "B", "A"]]


def test_what_nothing_speaks_for_comes_last_by_recent_buyers(snapshot):
    """E had two buyers lately, C one, and nobody bought A, B or D: they are not shown."""
    assert ranked(snapshot, [0, 1e-30, 0, 0, 0], ["ANNA"], 5) == [["B", "E", "C"]]


def test_who_is_unknown_gets_best_sellers_whatever_the_scores(snapshot):
    assert ranked(snapshot, [5, 4, 3, 2, 1], ["NEW", "ANNA"], 5) == [["A", "B", "C", "D", "E"], ["E", "C"]]


def test_nobody_gets_nothing(snapshot):
    assert ranked(snapshot, [1, 1, 1, 1, 1], [], 5) == []


@given(st.lists(st.floats(2**-20, 100, width=32), min_size=5, max_size=5), st.integers(1, 6))
def test_sorts_as_python_does(scores, k):
    world = build_snapshot(ledger_of([("ANNA", name, 1) for name in "ABCDE"]), AS_OF)
    expected = [name for _, name in sorted(zip([-score for score in scores], "ABCDE", strict=True))]
    assert ranked(world, scores, ["ANNA"], k) == [expected[:k]]


@given(
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.5]), min_size=5, max_size=5),
    st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=6, max_size=6),
    st.integers(1, 6),
)
def test_own_and_shared_scores_give_the_lists_of_the_dense_ones(shared, own, k):
    long_ago = [("ANNA", "A", 90), ("ANNA", "B", 90), ("BEN", "C", 90), ("BEN", "D", 90)]
    snapshot = build_snapshot(ledger_of([*long_ago, ("CARL", "C", 1), ("DORA", "E", 2)]), AS_OF)
    matrix = count_orders(snapshot)
    matrix.data = np.array(own, np.float32)
    scorer = OwnAndShared(matrix, np.array(shared, np.float32))
    customers = pl.Series(["NEW", "DORA", "ANNA", "BEN", "CARL"])
    dense = rank_by(scorer.__call__, snapshot, customers, k)
    assert rank_by(scorer, snapshot, customers, k).equals(dense)


def test_own_and_shared_scores_in_blocks(monkeypatch):
    lines = [(f"C{n}", f"P{(n * step) % 23:02}", 5 * step) for n in range(30) for step in range(1, 8)]
    snapshot = build_snapshot(ledger_of(lines), AS_OF)
    scorer = OwnAndShared(count_orders(snapshot), np.arange(23, dtype=np.float32) % 7)
    customers = pl.Series([f"C{n}" for n in range(31)])
    dense = rank_by(scorer.__call__, snapshot, customers, 4)
    assert rank_by(scorer, snapshot, customers, 4).equals(dense)
    monkeypatch.setattr(top_k, "_BLOCK_CELLS", 50)
    assert rank_by(scorer, snapshot, customers, 4).equals(dense)
