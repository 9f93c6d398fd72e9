import numpy as np
import pytest
from scipy.sparse import csr_matrix

from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.dataset.snapshot import build_snapshot
from training.models import neighbours
from training.models.neighbours import highest_of_rows, nearest_products, order_matrix

BOUGHT = csr_matrix(np.array([[1, 1, 0], [1, 1, 0], [0, 1, 1]], dtype=np.float32))


def test_shrunken_cosine_of_what_was_bought_together():
    nearest = nearest_products(BOUGHT, 2).toarray()
    assert nearest[0, 1] == pytest.approx(2 / (np.sqrt(2 * 3) + 10))
    assert nearest[0, 2] == 0
    assert np.diag(nearest).tolist() == [0, 0, 0]


def test_only_the_nearest_are_kept():
    nearest = nearest_products(BOUGHT, 1)
    assert np.diff(nearest.indptr).tolist() == [1, 1, 1]
    assert nearest.toarray()[1].argmax() == 0


def test_from_what_was_bought_to_what_was_discovered():
    """Who bought product 0 discovered product 2, not the other way round."""
    old = csr_matrix(np.array([[1, 0, 0], [1, 1, 0]], dtype=np.float32))
    new = csr_matrix(np.array([[0, 0, 1], [0, 0, 1]], dtype=np.float32))
    nearest = nearest_products(new, 2, old).toarray()
    assert nearest[0, 2] > nearest[1, 2] > 0
    assert not nearest[2].any()


def test_blocks_change_nothing(monkeypatch):
    bought = csr_matrix(np.random.default_rng(0).random((30, 12), dtype=np.float32))
    whole = nearest_products(bought, 4).toarray()
    monkeypatch.setattr(neighbours, "_BLOCK_CELLS", 40)
    assert np.array_equal(nearest_products(bought, 4).toarray(), whole)


def test_the_highest_entries_of_each_row():
    matrix = csr_matrix(np.array([[1, 5, 3, 0], [9, 2, 0, 4], [2, 2, 2, 1], [0, 0, 0, 0]], dtype=np.float32))
    highest = highest_of_rows(matrix, 2)
    assert highest.toarray().tolist() == [[0, 5, 3, 0], [9, 0, 0, 4], [2, 2, 0, 0], [0, 0, 0, 0]]
    assert (highest_of_rows(matrix, 5) != matrix).nnz == 0


def test_the_nearest_are_those_of_a_full_sort():
    lot = np.random.default_rng(1)
    bought = csr_matrix(lot.random((60, 40), dtype=np.float32) * (lot.random((60, 40)) < 0.2))
    dense = (bought.T @ bought).toarray()
    lengths = np.sqrt(np.diag(dense))
    similarity = dense / (np.outer(lengths, lengths) + 10)
    np.fill_diagonal(similarity, 0)
    fifth = np.sort(similarity, axis=1)[:, -5, None]
    expected = np.where(similarity >= fifth, similarity, 0)
    assert nearest_products(bought, 5).toarray() == pytest.approx(expected)


def test_a_large_order_says_less_of_each_product():
    ledger = ledger_of([("A", "TEA", 1.5), ("B", "TEA", 1.5), ("B", "MILK", 1.5)])
    held = order_matrix(build_snapshot(ledger, AS_OF)).toarray()
    assert held == pytest.approx(np.array([[0, 1 / np.log2(3)], [0.5, 0.5]]))


def test_an_empty_shop():
    held = order_matrix(build_snapshot(empty_shop(), AS_OF))
    assert held.shape == (0, 0)
    assert nearest_products(held, 3).shape == (0, 0)
