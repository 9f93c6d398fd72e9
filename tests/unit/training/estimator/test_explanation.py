"""Which features pull a customer's products up or down."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recommender.cli.progress import Progress
from recommender.errors import UnknownCustomerError
from recommender.settings import Settings
from training.estimator.explanation import explain_customer
from training.ranking.model import train_model
from training.ranking.rankings import rank_customers

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ledger():
    """Sixty customers over a year: each buys TEA every 30 days from a day of its own on, and other things by chance."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(60):
        for day in range(number % 30, 365, 30):
            at = AS_OF - timedelta(days=365 - day)
            rows += [(f"c{number:02}", product, at) for product in ("TEA", f"p{rng.integers(12)}")]
    frame = pl.DataFrame(rows, ["customer_id", "product_id", "ordered_at"], orient="row")
    return frame.with_columns(
        order_id=pl.col("customer_id") + pl.col("ordered_at").cast(pl.String), quantity=1.0, unit_price=3.0
    ).with_columns(pl.col("ordered_at").cast(pl.Datetime("us", "UTC")))


@pytest.fixture(scope="module")
def model(ledger):
    ids = pl.DataFrame({"product_id": sorted(set(ledger["product_id"]))})
    names = ("title", "category", "price", "currency", "url", "image_url")
    catalogue = ids.with_columns(*(pl.lit(None, pl.String).alias(name) for name in names), in_stock=pl.lit(value=True))
    return train_model(ledger, catalogue, AS_OF, Settings(list_length=5), Progress(show=False))


def explain(model, ledger, customer_id, *, k=3, n_features=4):
    return explain_customer(customer_id, ledger, model.shop, model.ranker, k=k, n_features=n_features)


def test_the_products_are_those_of_the_ranking(model, ledger):
    told = explain(model, ledger, "c07").unique("rank", maintain_order=True)
    ranking = rank_customers(model, k=3, mix="auto", customers=["c07"])
    assert told["product_id"].to_list() == ranking["product_id"].to_list()
    assert told["kind"].to_list() == ranking["kind"].to_list()
    assert told["probability"].to_numpy() == pytest.approx(ranking["score"].to_numpy(), rel=1e-3)


def test_each_product_has_its_largest_pulls_first(model, ledger):
    told = explain(model, ledger, "c07", n_features=6)
    assert told.group_by("rank").len()["len"].to_list() == [6, 6, 6]
    for (_,), pulls in told.group_by("rank"):
        sizes = pulls["pull"].abs().to_list()
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] > 0


def test_a_feature_of_the_usual_value_pulls_nothing(model, ledger):
    told = explain(model, ledger, "c07", n_features=1000)
    same = told.filter(pl.col("value") == pl.col("usual"))
    assert len(same) > 5
    assert same["pull"].to_list() == [0.0] * len(same)


def test_the_same_customer_is_told_the_same(model, ledger):
    assert explain(model, ledger, "c07").equals(explain(model, ledger, "c07"))


def test_who_bought_nothing_before_has_no_ranking(model, ledger):
    later = ledger.with_columns(pl.col("ordered_at") + timedelta(days=500))
    with pytest.raises(UnknownCustomerError, match="'c07' bought nothing before 2026-11-01"):
        explain(model, later, "c07")
