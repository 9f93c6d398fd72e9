import numpy as np
from scipy.sparse import csr_matrix

from training.ranking import candidate_pairs
from training.ranking.candidate_pairs import choose_candidates

MEASURES = ("als", "neighbours", "together", "together_last", "discovery", "peers", "titles_last")


def measures_of(scores):
    zero = np.zeros_like(scores)
    return {name: scores if name == "als" else zero for name in MEASURES}


def test_own_products_the_nearest_new_ones_and_best_sellers(monkeypatch):
    monkeypatch.setattr(candidate_pairs, "_TOP", {"als": 1})
    monkeypatch.setattr(candidate_pairs, "_TRENDING", 1)
    own = csr_matrix(np.array([[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]], dtype=np.float32))
    scores = np.array([[9, 0, 3, 2, 0], [0, 4, 0, 5, 0]], dtype=np.float32)
    sales = np.array([1, 2, 3, 4, 8], dtype=np.float32)
    chosen = choose_candidates(np.array([3, 7]), own, measures_of(scores), sales)
    pairs = list(zip(chosen.customer_index.tolist(), chosen.product_index.tolist(), strict=True))
    assert pairs == [(3, 0), (3, 2), (3, 4), (7, 3), (7, 4)]
    assert chosen.affinity["als"].tolist() == [9, 3, 0, 5, 0]
    assert chosen.affinity["als_rank"].tolist() == [1, 2, 3, 1, 2]


def test_a_product_that_was_never_sold_is_no_candidate():
    scores = np.array([[5, 4]], dtype=np.float32)
    chosen = choose_candidates(
        np.array([0]), csr_matrix((1, 2), dtype=np.float32), measures_of(scores), np.array([np.nan, 1], np.float32)
    )
    assert chosen.product_index.tolist() == [1]


def test_a_score_of_zero_puts_nothing_forward(monkeypatch):
    monkeypatch.setattr(candidate_pairs, "_TRENDING", 0)
    scores = np.zeros((1, 3), dtype=np.float32)
    chosen = choose_candidates(
        np.array([0]), csr_matrix((1, 3), dtype=np.float32), measures_of(scores), np.ones(3, np.float32)
    )
    assert len(chosen.product_index) == 0


def test_some_are_kept():
    own = csr_matrix(np.ones((1, 3), dtype=np.float32))
    chosen = choose_candidates(
        np.array([0]), own, measures_of(np.ones((1, 3), dtype=np.float32)), np.ones(3, np.float32)
    ).keep(np.array([True, False, True]))
    assert chosen.product_index.tolist() == [0, 2]
    assert chosen.affinity["als_rank"].tolist() == [1, 3]
