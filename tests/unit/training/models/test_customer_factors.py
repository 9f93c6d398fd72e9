import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recommender.errors import SettingsError
from recommender.settings import AlsSettings
from training.models.als import Factors, fit_factors
from training.models.customer_factors import fold_in

ALS = AlsSettings(factors=8, regularization=1.0, iterations=30)


@pytest.fixture(scope="module")
def strengths() -> csr_matrix:
    lot = np.random.default_rng(0)
    return csr_matrix(lot.random((60, 40)) * (lot.random((60, 40)) < 0.2), dtype=np.float32)


@pytest.fixture(scope="module")
def factors(strengths) -> Factors:
    return fit_factors(strengths, ALS, 0)


def solve(factors: Factors, row: np.ndarray) -> np.ndarray:
    """Hu, Koren, Volinsky (2008), equation (4)."""
    products, confidence, bought = factors.products.astype(float), ALS.alpha * row, row > 0
    known = products[bought]
    left = products.T @ products + known.T @ ((confidence[bought] - 1)[:, None] * known)
    return np.linalg.solve(left + factors.regularization * np.eye(8), known.T @ confidence[bought])


def test_they_solve_the_least_squares(strengths, factors):
    expected = np.stack([solve(factors, row) for row in strengths.toarray()])
    assert fold_in(factors, strengths, ALS) == pytest.approx(expected, rel=0.01, abs=1e-3)


def test_they_are_the_same_bytes_whoever_else_is_folded_in(strengths, factors):
    whole = fold_in(factors, strengths, ALS)
    assert all(fold_in(factors, strengths[row], ALS).tobytes() == whole[row].tobytes() for row in range(60))


def test_a_customer_of_whom_nothing_is_left_has_none(factors):
    faded = csr_matrix((np.zeros(1, np.float32), ([1], [3])), shape=(2, 40))
    assert not fold_in(factors, faded, ALS).any()
    assert fold_in(factors, faded[:0], ALS).shape == (0, 8)


def test_what_diverged_is_no_factor(factors):
    wild = csr_matrix((np.full(2, 3e38, np.float32), ([0, 0], [1, 2])), shape=(1, 40))
    with np.errstate(all="ignore"), pytest.raises(SettingsError, match=r"als\.alpha"):
        fold_in(factors, wild, ALS)
