"""Scores that can be worked out by hand."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from tests.support.worlds import AS_OF, ledger_of
from training.dataset.split import Window, split_window
from training.evaluation.scores import SLICES, score_customers, score_ranking, slice_of


def ranking_of(lists: dict[str, Iterable[str]]) -> pl.DataFrame:
    rows = [
        (customer, product, rank, 1 / rank, "buy_again")
        for customer, products in lists.items()
        for rank, product in enumerate(products, start=1)
    ]
    columns = [("customer_id", pl.String), ("product_id", pl.String), ("rank", pl.Int32)]
    schema = dict([*columns, ("score", pl.Float32), ("kind", pl.String)])
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.fixture
def window() -> Window:
    """ANNA knew MILK and TEA and bought MILK and JAM; BEN knew TEA and bought JAM. Sold before: MILK, TEA, JAM, PAN.

    NEW had bought nothing and bought PAN.
    """
    past = [("ANNA", "MILK", 40), ("ANNA", "TEA", 40), ("BEN", "TEA", 40), ("CARL", "JAM", 40), ("CARL", "PAN", 40)]
    later = [("ANNA", "MILK", 10), ("ANNA", "JAM", 10), ("BEN", "JAM", 10), ("NEW", "PAN", 10)]
    return split_window(ledger_of([*past, *later]), AS_OF - timedelta(days=30), 30)


@pytest.fixture
def scores(window):
    lists = {"ANNA": ["TEA", "JAM", "MILK"], "BEN": ["TEA", "JAM"], "CARL": ["JAM"], "NEW": ["TEA", "PAN"]}
    return score_ranking(ranking_of(lists), window, (2,))


def test_mixed_takes_the_first_k_against_all_that_was_bought(scores):
    assert scores["n_customers"] == 2
    assert scores["recall@2"] == (1 / 2 + 1) / 2
    assert scores["hit_rate@2"] == 1
    second = 1 / np.log2(3)
    assert scores["ndcg@2"] == pytest.approx((second / (1 + second) + second) / 2)
    assert scores["map@2"] == (1 / 4 + 1 / 2) / 2


def test_repeat_ranks_own_products_anew(scores):
    """ANNA's own are TEA and MILK, and MILK comes second of them; BEN bought nothing again."""
    assert scores["repeat_n_customers"] == 1
    assert scores["repeat_recall@2"] == 1
    assert scores["repeat_ndcg@2"] == pytest.approx(1 / np.log2(3))


def test_discover_ranks_new_products_anew(scores):
    """JAM is the first new product of both."""
    assert scores["discover_n_customers"] == 2
    assert scores["discover_ndcg@2"] == 1


def test_variety(scores):
    """ANNA and BEN are shown TEA and JAM each: 2 of 4 products, half of the places own ones."""
    assert scores["coverage@2"] == 2 / 4
    assert scores["repeat_share@2"] == 2 / 4


def test_who_has_no_list_scores_nothing_and_counts(window):
    assert score_ranking(ranking_of({"BEN": ["JAM"]}), window, (2,))["recall@2"] == 1 / 2


def test_order_of_rows_and_gaps_in_ranks_do_not_matter(window, scores):
    ranking = ranking_of({"ANNA": ["TEA", "JAM", "MILK"], "BEN": ["TEA", "JAM"], "NEW": ["TEA", "PAN"]})
    turned = ranking.with_columns(pl.col("rank") * 7).reverse()
    assert score_ranking(turned, window, (2,)) == scores


def test_the_truth_itself_is_perfect(window):
    scores = score_ranking(ranking_of({"ANNA": ["MILK", "JAM"], "BEN": ["JAM"]}), window, (10,))
    measures = ("recall@10", "ndcg@10", "hit_rate@10", "map@10")
    perfect = [scores[kind + measure] for kind in ("", "repeat_", "discover_") for measure in measures]
    assert perfect == pytest.approx([1.0] * 12)


def test_an_empty_ranking_scores_zero(window):
    scores = score_ranking(ranking_of({}), window, (10,))
    assert scores["recall@10"] == scores["ndcg@10"] == scores["coverage@10"] == 0
    assert scores["repeat_share@10"] is None


def test_a_repeated_product_is_refused(window):
    with pytest.raises(ValueError, match="twice"):
        score_ranking(ranking_of({"ANNA": ["MILK", "MILK"]}), window, (10,))


def test_figures_that_nobody_could_be_scored_on_are_none():
    window = split_window(ledger_of([("ANNA", "MILK", 40), ("ANNA", "JAM", 10)]), AS_OF - timedelta(days=30), 30)
    scores = score_ranking(ranking_of({"ANNA": ["JAM"]}), window, (10,))
    assert scores["repeat_recall@10"] is None
    assert scores["repeat_n_customers"] == 0
    assert scores["discover_recall@10"] == 1


def test_customers_without_a_past_are_a_slice_of_their_own(scores):
    """NEW is shown PAN in the second place and is in no other slice."""
    assert scores["orders_0_n_customers"] == 1
    assert scores["orders_0_recall@2"] == 1
    assert scores["orders_0_map@2"] == 1 / 2


def test_slices_by_past_orders():
    """A customer made 1 to 6 orders before, CUSTOMER number n made n, and all are shown what they buy but number 4."""
    past = [(f"C{n}", f"P{order}", 40 + order) for n in range(1, 7) for order in range(n)]
    later = [(f"C{n}", "NEW", 10) for n in range(1, 7)]
    window = split_window(ledger_of([*past, *later]), AS_OF - timedelta(days=30), 30)
    scores = score_ranking(ranking_of({f"C{n}": ["P0" if n == 4 else "NEW"] for n in range(1, 7)}), window, (5,))
    assert [scores[f"{piece}n_customers"] for piece in ("", "orders_0_", "orders_1_", "orders_2_4_", "orders_5_")] == [
        *(6, 0, 1, 3, 2)
    ]
    assert scores["orders_2_4_recall@5"] == pytest.approx(2 / 3)
    assert scores["orders_1_recall@5"] == scores["orders_5_recall@5"] == 1
    assert scores["orders_0_recall@5"] is None


def test_novelty_is_the_surprise_of_what_is_shown(scores):
    """Of 3 customers, TEA had 2 and JAM 1: ANNA and BEN are each shown both."""
    assert scores["novelty@2"] == pytest.approx((np.log2(3 / 2) + np.log2(3)) / 2)


def test_figures_of_customers_are_nan_outside_of_a_slice(window):
    figures = score_customers(ranking_of({"ANNA": ["MILK"], "NEW": ["PAN"]}), window, (1,))
    assert figures.customers.to_list() == ["ANNA", "BEN", "NEW"]
    recall, newcomers = (figures.values[:, figures.measures.index(name)] for name in ("recall@1", "orders_0_recall@1"))
    np.testing.assert_array_equal(recall, [1 / 2, 0, np.nan])
    np.testing.assert_array_equal(newcomers, [np.nan, np.nan, 1])


@pytest.mark.parametrize("piece", SLICES)
def test_a_measure_names_its_slice(piece):
    assert slice_of(f"{piece}ndcg@10") == piece
