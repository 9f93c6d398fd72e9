"""Scores that can be worked out by hand, and the last window of a small shop from end to end."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recommender.errors import TooLittleDataError
from recommender.progress import Progress
from recommender.settings import AlsSettings, Settings
from tests.worlds import AS_OF, empty_shop, ledger_of, new_customer, one_off_buyer
from training.evaluate import evaluate_last_window, evaluate_window, last_window, score_ranking
from training.split import Window, split_window

NO_PRODUCTS = pl.DataFrame(
    schema=dict.fromkeys(("product_id", "title", "category", "price", "url", "image_url"), pl.String)
    | {"in_stock": pl.Boolean, "replenishable": pl.Boolean}
)


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
    """ANNA knew MILK and TEA and bought MILK and JAM; BEN knew TEA and bought JAM. Sold before: MILK, TEA, JAM, PAN."""
    past = [("ANNA", "MILK", 40), ("ANNA", "TEA", 40), ("BEN", "TEA", 40), ("CARL", "JAM", 40), ("CARL", "PAN", 40)]
    later = [("ANNA", "MILK", 10), ("ANNA", "JAM", 10), ("BEN", "JAM", 10)]
    return split_window(ledger_of([*past, *later]), AS_OF - timedelta(days=30), 30)


@pytest.fixture
def scores(window):
    lists = {"ANNA": ["TEA", "JAM", "MILK"], "BEN": ["TEA", "JAM"], "CARL": ["JAM"]}
    return score_ranking(ranking_of(lists), window, 2)


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
    assert score_ranking(ranking_of({"BEN": ["JAM"]}), window, 2)["recall@2"] == 1 / 2


def test_order_of_rows_and_gaps_in_ranks_do_not_matter(window, scores):
    ranking = ranking_of({"ANNA": ["TEA", "JAM", "MILK"], "BEN": ["TEA", "JAM"]})
    turned = ranking.with_columns(pl.col("rank") * 7).reverse()
    assert score_ranking(turned, window, 2) == scores


def test_the_truth_itself_is_perfect(window):
    scores = score_ranking(ranking_of({"ANNA": ["MILK", "JAM"], "BEN": ["JAM"]}), window)
    measures = ("recall@10", "ndcg@10", "hit_rate@10", "map@10")
    perfect = [scores[kind + measure] for kind in ("", "repeat_", "discover_") for measure in measures]
    assert perfect == pytest.approx([1.0] * 12)


def test_an_empty_ranking_scores_zero(window):
    scores = score_ranking(ranking_of({}), window)
    assert scores["recall@10"] == scores["ndcg@10"] == scores["coverage@10"] == 0
    assert scores["repeat_share@10"] is None


def test_a_repeated_product_is_refused(window):
    with pytest.raises(ValueError, match="twice"):
        score_ranking(ranking_of({"ANNA": ["MILK", "MILK"]}), window)


def test_figures_that_nobody_could_be_scored_on_are_none():
    window = split_window(ledger_of([("ANNA", "MILK", 40), ("ANNA", "JAM", 10)]), AS_OF - timedelta(days=30), 30)
    scores = score_ranking(ranking_of({"ANNA": ["JAM"]}), window)
    assert scores["repeat_recall@10"] is None
    assert scores["repeat_n_customers"] == 0
    assert scores["discover_recall@10"] == 1


def test_the_last_window_ends_with_the_last_purchase():
    window = last_window(ledger_of([("ANNA", "MILK", 30), ("ANNA", "MILK", 0.5)]), 7)
    assert window.cut == datetime(2026, 11, 12, 12, 0, 0, 1, tzinfo=UTC)
    assert window.truth.rows() == [("ANNA", "MILK")]


def test_an_empty_ledger_has_no_last_window():
    with pytest.raises(TooLittleDataError, match="no purchase"):
        last_window(empty_shop(), 7)


def evaluate(ledger: pl.DataFrame):
    settings = Settings(list_length=5, als=AlsSettings(factors=4, iterations=2))
    return evaluate_last_window(ledger, NO_PRODUCTS, settings, Progress(show=False))


def test_evaluates_model_and_baselines_on_the_last_window():
    """The ten regulars buy what they always buy: whoever recommends that is right."""
    evaluation = evaluate(new_customer())
    assert evaluation.n_customers == 10
    assert list(evaluation.scores) == ["reprise", "popular", "decayed_own"]
    assert evaluation.scores["reprise"]["recall@10"] == evaluation.scores["decayed_own"]["ndcg@10"] == 1
    assert evaluate(new_customer()) == evaluation


def test_nobody_who_came_back_is_no_scores():
    evaluation = evaluate(one_off_buyer())
    assert (evaluation.n_customers, evaluation.scores) == (0, {})


def test_becomes_plain_json(window):
    ranking = ranking_of({"ANNA": ["MILK"]})
    document = evaluate_window(window, {"reprise": ranking}).to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["cut"] == "2026-10-21T00:00:00+00:00"
    assert document["scores"]["reprise"]["recall@10"] == 1 / 4
