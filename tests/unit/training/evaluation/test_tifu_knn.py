"""TIFU-KNN by hand."""

import numpy as np
import pytest

from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.dataset.snapshot import build_snapshot
from training.evaluation.tifu_knn import Tifu, build_vectors, tifu_knn


def test_orders_fade_within_and_between_groups():
    """ANNA's orders are E, D, C, B, A from the last one on, in groups of two: (A) (B C) (D E)."""
    snapshot = build_snapshot(ledger_of([("ANNA", name, 9 - day) for day, name in enumerate("ABCDE")]), AS_OF)
    vectors = build_vectors(snapshot, Tifu(group_size=2, within=0.9, between=0.5))
    expected = np.array([0.25 / 1, 0.5 * 0.9 / 2, 0.5 / 2, 0.9 / 2, 1 / 2]) / 3
    assert vectors.matrix.toarray() == pytest.approx(expected[None], abs=1e-7)


def test_neighbours_vote():
    """BEN is nearer to ANNA than CARL, and no customer is a neighbour of herself."""
    bought = {"ANNA": "AB", "BEN": "ABC", "CARL": "XYZ"}
    snapshot = build_snapshot(ledger_of([(who, name, 1) for who, names in bought.items() for name in names]), AS_OF)
    scores = tifu_knn(snapshot, Tifu(neighbours=1, own=0.7))(np.array([0]))
    assert dict(zip(snapshot.products, scores[0].tolist(), strict=True)) == pytest.approx(
        {"A": 1.0, "B": 1.0, "C": 0.3, "X": 0.0, "Y": 0.0, "Z": 0.0}
    )


def test_a_lone_customer_has_no_neighbours():
    snapshot = build_snapshot(ledger_of([("ANNA", "A", 1)]), AS_OF)
    assert tifu_knn(snapshot, Tifu(own=0.7))(np.array([0])) == pytest.approx(0.7)


def test_an_empty_shop():
    snapshot = build_snapshot(empty_shop(), AS_OF)
    assert tifu_knn(snapshot, Tifu())(np.zeros(0, np.int64)).shape == (0, 0)
