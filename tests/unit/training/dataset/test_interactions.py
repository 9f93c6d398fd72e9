from datetime import timedelta

import numpy as np
import pytest

from recommender.settings import AlsSettings
from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.dataset.interactions import build_interactions
from training.dataset.snapshot import build_snapshot

LOG = AlsSettings(weighting="log", half_life_days=10)
BINARY = AlsSettings(weighting="binary", half_life_days=10)


def matrix_of(purchases, als):
    return build_interactions(build_snapshot(ledger_of(purchases), AS_OF), als)


def test_log_takes_the_logarithm_of_one_and_the_decayed_purchases():
    matrix = matrix_of([("A", "MILK", 0.5), ("A", "MILK", 10.5), ("A", "TEA", 20.5), ("B", "MILK", 0.5)], LOG)
    expected = np.log1p(np.array([[1.5, 0.25], [1.0, 0.0]]))
    np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-6)


def test_binary_takes_one_whatever_was_bought_and_when():
    matrix = matrix_of([("A", "MILK", 0.5), ("A", "MILK", 10.5), ("B", "TEA", 900.5)], BINARY)
    assert matrix.toarray().tolist() == [[1, 0], [0, 1]]


def test_rows_are_customers_and_columns_products():
    matrix = matrix_of([("A", "MILK", 0.5), ("A", "TEA", 0.5), ("A", "RICE", 0.5), ("B", "TEA", 0.5)], BINARY)
    assert (matrix.shape, matrix.dtype, matrix.has_sorted_indices) == ((2, 3), np.float32, True)
    assert matrix[1].indices.tolist() == [2]


def test_a_purchase_faded_to_zero_is_still_an_entry():
    matrix = matrix_of([("A", "MILK", 9_000.5), ("B", "TEA", 0.5)], LOG)
    assert matrix.nnz == 2
    assert matrix[0, 0] == 0


def test_a_shop_that_closed_has_not_forgotten():
    ledger = ledger_of([("A", "MILK", 0.5), ("B", "TEA", 10.5)])
    now, later = (build_snapshot(ledger, as_of) for as_of in (AS_OF, AS_OF + timedelta(days=3_650)))
    assert (build_interactions(now, LOG) != build_interactions(later, LOG)).nnz == 0


@pytest.mark.parametrize("als", [LOG, BINARY])
def test_an_empty_shop_has_no_entries(als):
    matrix = build_interactions(build_snapshot(empty_shop(), AS_OF, ["TEA"]), als)
    assert (matrix.shape, matrix.nnz) == ((0, 1), 0)
