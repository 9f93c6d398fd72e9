"""Each measure by eye, then all of them against ir-measures on random rankings."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, R, Success, nDCG

from training.evaluation.offline_metrics import (
    average_precision_at_k,
    calibration_error,
    coverage,
    hit_rate_at_k,
    ndcg_at_k,
    novelty,
    recall_at_k,
    reliability,
    repeat_share,
)

HITS = np.array([[True, False, True], [False, False, False]])
BOUGHT = np.array([4, 1])
MEASURES = [recall_at_k, hit_rate_at_k, average_precision_at_k, ndcg_at_k]


def test_recall_is_the_share_of_what_was_bought():
    assert recall_at_k(HITS, BOUGHT).tolist() == [2 / 4, 0]


def test_hit_rate_asks_for_one_hit():
    assert hit_rate_at_k(HITS, BOUGHT).tolist() == [1, 0]


def test_average_precision_looks_at_each_hit():
    assert average_precision_at_k(HITS, BOUGHT) == pytest.approx([(1 / 1 + 2 / 3) / 4, 0])


def test_ndcg_divides_by_the_best_list_of_that_length():
    best = 1 + 1 / np.log2(3) + 1 / np.log2(4)  # 4 were bought, 3 fit
    assert ndcg_at_k(HITS, BOUGHT) == pytest.approx([(1 + 1 / np.log2(4)) / best, 0])


def test_ndcg_of_one_purchase_found_first_is_1():
    assert ndcg_at_k(np.array([[True, False, False]]), np.array([1])).tolist() == [1]


@pytest.mark.parametrize("measure", MEASURES)
def test_who_bought_nothing_is_not_scored(measure):
    assert np.isnan(measure(np.zeros((1, 3), dtype=bool), np.array([0]))).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_no_customers(measure):
    assert measure(np.zeros((0, 10), dtype=bool), np.zeros(0, dtype=int)).shape == (0,)


def test_coverage():
    assert coverage(np.array([[0, 1], [0, 2]]), 6) == 0.5
    assert coverage(np.zeros(0, dtype=int), 0) == 0


def test_repeat_share():
    assert repeat_share(np.array([True, False, False, True])) == 0.5
    assert np.isnan(repeat_share(np.zeros(0, dtype=bool)))


def test_novelty_is_in_bits():
    assert novelty(np.array([[1.0, 0.5], [0.25, 0.25]])) == (0 + 1 + 2 + 2) / 4
    assert np.isnan(novelty(np.zeros(0)))


def test_reliability_has_bins_of_equal_mass():
    bins = reliability(np.array([0.9, 0.1, 0.2, 0.8]), np.array([True, False, True, True]), n_bins=2)
    assert bins.predicted == pytest.approx([0.15, 0.85])
    assert bins.observed.tolist() == [0.5, 1.0]
    assert bins.n.tolist() == [2, 2]


def test_calibration_error_weighs_the_bins_by_their_size():
    bins = reliability(np.array([0.1, 0.1, 0.8]), np.array([False, False, True]), n_bins=2)
    assert calibration_error(bins) == pytest.approx((2 * 0.1 + 1 * 0.2) / 3)


def test_the_order_of_equal_predictions_does_not_matter():
    predictions, came = np.full(40, 0.5), np.arange(40) < 20
    assert calibration_error(reliability(predictions, came)) == 0


def test_calibration_of_what_happens_as_often_as_was_said():
    rng = np.random.default_rng(3)
    predictions = rng.uniform(0, 0.2, 200_000)
    assert calibration_error(reliability(predictions, rng.random(200_000) < predictions)) < 0.003


def test_fewer_predictions_than_bins():
    assert reliability(np.array([0.2]), np.array([True])).n.tolist() == [1]
    assert np.isnan(calibration_error(reliability(np.zeros(0), np.zeros(0, dtype=bool))))


@pytest.mark.parametrize("k", [1, 5, 10, 20])
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_ir_measures(k, seed):
    rng = np.random.default_rng(seed)
    n_customers, n_products, length = 40, 60, 15
    lists = np.array([rng.permutation(n_products)[:length] for _ in range(n_customers)])
    bought = [set(rng.permutation(n_products)[: rng.integers(1, 25)].tolist()) for _ in range(n_customers)]
    hits = np.zeros((n_customers, k), dtype=bool)
    for customer in range(n_customers):
        for place, product in enumerate(lists[customer][:k].tolist()):
            hits[customer, place] = product in bought[customer]
    ours = [measure(hits, np.array([len(each) for each in bought])) for measure in MEASURES]

    theirs = [R @ k, Success @ k, AP @ k, nDCG @ k]
    truth = [ir_measures.Qrel(f"{c:02}", str(product), 1) for c in range(n_customers) for product in bought[c]]
    # a place's score falls with its rank: trec_eval sorts by score and breaks ties by id
    places = [(c, place, product) for c in range(n_customers) for place, product in enumerate(lists[c])]
    run = [ir_measures.ScoredDoc(f"{c:02}", str(product), -float(place)) for c, place, product in places]
    expected = {(m.measure, m.query_id): m.value for m in ir_measures.iter_calc(theirs, truth, run)}
    for measure, figures in zip(theirs, ours, strict=True):
        assert figures == pytest.approx([expected[measure, f"{c:02}"] for c in range(n_customers)], abs=1e-9)


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.integers(0, 30))
def test_all_lie_between_0_and_1_and_a_better_place_never_hurts(row, missed):
    hits, n_relevant = np.array([row]), np.array([sum(row) + missed])
    sorted_hits = np.array([sorted(row, reverse=True)])
    for measure in MEASURES:
        figure, best = measure(hits, n_relevant)[0], measure(sorted_hits, n_relevant)[0]
        assert np.isnan(figure) or 0 <= figure <= best + 1e-12 <= 1 + 2e-12
