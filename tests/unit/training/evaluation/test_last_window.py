"""The last window of a small shop from end to end."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recommender.cli.progress import Progress
from recommender.errors import TooLittleDataError
from recommender.settings import AlsSettings, Settings
from tests.support.worlds import AS_OF, empty_shop, ledger_of, new_customer, one_off_buyer
from training.dataset.split import end_of, split_window
from training.evaluation import last_window as last_window_module
from training.evaluation.last_window import evaluate_last_window, evaluate_window, last_window, rank_model
from training.ranking.examples import example_cache
from training.ranking.examples.example_cache import ExampleCache
from training.ranking.model import train_model
from training.ranking.shop_evidence import learn_shop

NO_PRODUCTS = pl.DataFrame(
    schema=dict.fromkeys(("product_id", "title", "category", "price", "currency", "url", "image_url"), pl.String)
    | {"in_stock": pl.Boolean, "replenishable": pl.Boolean}
)


def test_the_last_window_ends_with_the_last_purchase():
    window = last_window(ledger_of([("ANNA", "MILK", 30), ("ANNA", "MILK", 0.5)]), 7)
    assert window.cut == datetime(2026, 11, 12, 12, 0, 1, tzinfo=UTC)
    assert window.truth.rows() == [("ANNA", "MILK")]


def test_an_empty_ledger_has_no_last_window():
    with pytest.raises(TooLittleDataError, match="no purchase"):
        last_window(empty_shop(), 7)


SETTINGS = Settings(list_length=5, als=AlsSettings(factors=4, iterations=2))


def evaluate(ledger: pl.DataFrame):
    return evaluate_last_window(ledger, NO_PRODUCTS, SETTINGS, Progress(show=False))


def test_evaluates_model_and_baselines_on_the_last_window():
    """The ten regulars buy what they always buy: whoever recommends that is right."""
    evaluation = evaluate(new_customer())
    assert evaluation.n_customers == 10
    assert list(evaluation.scores) == ["reprise", "popular", "trending", "own_counts", "decayed_own"]
    assert evaluation.scores["reprise"]["recall@10"] == evaluation.scores["decayed_own"]["ndcg@10"] == 1
    assert evaluate(new_customer()) == evaluation


def test_no_moment_of_an_evaluated_training_is_learned_twice(monkeypatch):
    ledger, learned = new_customer(), []

    def learn(snapshot, *others):
        learned.append(snapshot.as_of)
        return learn_shop(snapshot, *others)

    monkeypatch.setattr(example_cache, "learn_shop", learn)
    cache = ExampleCache(ledger, NO_PRODUCTS, SETTINGS)
    evaluate_last_window(ledger, NO_PRODUCTS, SETTINGS, Progress(show=False), example_cache=cache)
    train_model(ledger, NO_PRODUCTS, end_of(ledger), SETTINGS, Progress(show=False), example_cache=cache)
    assert {last_window(ledger, SETTINGS.horizon_days).cut, end_of(ledger)} <= set(learned)
    assert len(set(learned)) == len(learned)


def test_of_many_customers_some_are_drawn_by_lot(monkeypatch):
    """All of the regulars are served alike, so that a lot of them has the same figures."""
    everybody = evaluate(new_customer())
    monkeypatch.setattr(last_window_module, "MOST_CUSTOMERS", 4)
    some = evaluate(new_customer())
    assert (some.n_customers, some.drawn_from) == (4, 10)
    assert (everybody.n_customers, everybody.drawn_from) == (10, None)
    assert some.scores["reprise"]["recall@10"] == 1
    assert some.scores["reprise"]["orders_0_n_customers"] == everybody.scores["reprise"]["orders_0_n_customers"]


def test_nobody_who_came_back_is_no_scores():
    evaluation = evaluate(one_off_buyer())
    assert (evaluation.n_customers, evaluation.scores) == (0, {})


def test_who_has_no_past_is_shown_best_sellers():
    ledger = new_customer()
    window = split_window(ledger, AS_OF - timedelta(days=1), 1)
    model = train_model(ledger, NO_PRODUCTS, window.cut, SETTINGS, Progress(show=False))
    ranking = rank_model(model, window, 5).filter(pl.col("customer_id") == "NEW")
    assert ranking["product_id"].to_list() == ["BREAD", "MILK", "CHEESE"]
    assert ranking["kind"].unique().to_list() == ["popular"]


def test_becomes_plain_json():
    """ANNA is shown what she bought, BEN nothing."""
    ledger = ledger_of([("ANNA", "MILK", 40), ("BEN", "TEA", 40), ("ANNA", "MILK", 10), ("BEN", "JAM", 10)])
    window = split_window(ledger, AS_OF - timedelta(days=30), 30)
    ranking = pl.DataFrame({"customer_id": ["ANNA"], "product_id": ["MILK"], "rank": [1]})
    document = evaluate_window(window, {"reprise": ranking}).to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["cut"] == "2026-10-21T00:00:00+00:00"
    assert document["scores"]["reprise"]["recall@10"] == 1 / 2
