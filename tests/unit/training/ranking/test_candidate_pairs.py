import numpy as np
from scipy.sparse import csr_matrix

from training.models.affinity import AffinityMeasures
from training.ranking import candidate_pairs
from training.ranking.candidate_pairs import choose_candidates

SPARSE = ("neighbours", "together", "together_last", "discovery", "peers", "titles_last")


def measures_of(scores, **sparse):
    """ALS that predicts `scores` (n, n_products); the other measures as given, or without an entry."""
    products = np.eye(scores.shape[1], dtype=np.float32)
    factors = {"als": (scores, products), "als_timeless": (np.zeros_like(scores), products)}
    return AffinityMeasures(factors, {name: csr_matrix(sparse.get(name, np.zeros_like(scores))) for name in SPARSE})


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


def test_the_nearest_by_a_sparse_measure_with_its_values_for_every_candidate(monkeypatch):
    monkeypatch.setattr(candidate_pairs, "_TOP", {"neighbours": 2, "peers": 1})
    monkeypatch.setattr(candidate_pairs, "_RANKED", ("neighbours", "peers"))
    monkeypatch.setattr(candidate_pairs, "_TRENDING", 0)
    own = csr_matrix(np.array([[0, 1, 0, 0, 0], [1, 0, 0, 0, 0]], dtype=np.float32))
    neighbours = np.array([[1, 9, 3, 2, 0], [7, 0, 0, 0, 0]], dtype=np.float32)
    peers = np.array([[0, 0, 0, 1, 4], [0, 0, 0, 0, 0]], dtype=np.float32)
    measures = measures_of(np.zeros((2, 5), np.float32), neighbours=neighbours, peers=peers)
    chosen = choose_candidates(np.array([0, 1]), own, measures, np.ones(5, np.float32))
    pairs = list(zip(chosen.customer_index.tolist(), chosen.product_index.tolist(), strict=True))
    assert pairs == [(0, 1), (0, 2), (0, 3), (0, 4), (1, 0)]
    assert chosen.affinity["neighbours"].tolist() == [9, 3, 2, 0, 7]
    assert chosen.affinity["neighbours_rank"].tolist() == [1, 2, 3, 4, 1]
    assert chosen.affinity["peers"].tolist() == [0, 0, 1, 4, 0]
    assert chosen.affinity["peers_rank"].tolist() == [3, 4, 2, 1, 1]


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
