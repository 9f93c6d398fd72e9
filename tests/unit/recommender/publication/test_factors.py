"""A customer who is folded in gets what the model would have learned of them."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recommender.publication.factors import ProductFactors
from recommender.settings import AlsSettings
from training.models.als import fit_factors

TWO_TASTES = np.kron(np.eye(2, dtype=np.float32), np.ones((20, 4), np.float32))
"""Forty customers, eight products: the first half of each belongs together."""


@pytest.fixture(scope="module")
def products() -> ProductFactors:
    als = AlsSettings(factors=4, regularization=0.1, alpha=2.0)
    matrix = TWO_TASTES.copy()
    matrix[::5, 0] = matrix[1::5, 5] = 0  # not everybody bought everything
    return ProductFactors(fit_factors(csr_matrix(matrix), als, seed=0).products, als.regularization, als.alpha)


def test_one_purchase_leads_to_the_other_products_of_its_taste(products):
    indices, scores = products.rank(np.array([6]), k=3)
    assert set(indices.tolist()) == {4, 5, 7}
    assert (np.diff(scores) <= 0).all()


def test_what_was_bought_is_not_suggested_and_the_list_ends_at_k(products):
    indices, _ = products.rank(np.array([0, 1]), k=2)
    assert set(indices.tolist()) == {2, 3}


def test_it_is_the_least_squares_solution(products):
    y = products.factors.astype(np.float64)
    confidence = np.ones(len(y))
    confidence[2] = products.alpha
    preference = np.zeros(len(y))
    preference[2] = 1
    left = y.T @ np.diag(confidence) @ y + products.regularization * np.eye(y.shape[1])
    taste = np.linalg.solve(left, y.T @ (confidence * preference))
    indices, scores = products.rank(np.array([2]), k=8)
    assert scores == pytest.approx((y @ taste)[indices], rel=1e-3)


def test_nothing_bought_leads_to_nothing(products):
    assert [len(part) for part in products.rank(np.array([], np.int64), k=5)] == [0, 0]


def test_they_travel_at_half_the_precision(products):
    again = ProductFactors.from_bytes(products.to_bytes())
    assert (again.regularization, again.alpha) == (products.regularization, products.alpha)
    assert set(again.rank(np.array([6]), 3)[0].tolist()) == {4, 5, 7}


@pytest.mark.parametrize("wire", [b"", b"short", ProductFactors(np.ones((2, 3), np.float32), 1, 1).to_bytes()[:-2]])
def test_other_bytes_are_refused(wire):
    with pytest.raises(ValueError, match=r"\w"):
        ProductFactors.from_bytes(wire)


def test_a_product_without_buyers_says_nothing():
    factors = ProductFactors(np.zeros((3, 2), np.float32), 1.0, 2.0)
    assert factors.rank(np.array([0]), 2)[0].tolist() == []
