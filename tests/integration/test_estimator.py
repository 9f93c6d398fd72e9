"""Reprise from Python: the same lists as the commands make, from frames of any library."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from recommender.errors import MissingColumnError, TooLittleDataError, UnknownCustomerError, UsageError
from recommender.redis.open import open_version_store
from recommender.settings import Settings
from recommender.storage.versions import current_manifest
from training.estimator import RepeatRecommender


@pytest.fixture(scope="module")
def purchases(shop_files):
    return pd.read_csv(shop_files.purchases)


@pytest.fixture(scope="module")
def fitted(purchases, shop_files, tmp_path_factory):
    model = RepeatRecommender(list_length=20, home=tmp_path_factory.mktemp("home"))
    return model.fit(purchases, products=pd.read_csv(shop_files.products))


def test_lists_are_those_of_reprise_rank(fitted, reprise, shop_files, tmp_path):
    until = fitted.model_.snapshot.as_of.isoformat()
    out = tmp_path / "ranked.parquet"
    products = ("--products", shop_files.products)
    done = reprise("rank", shop_files.purchases, *products, "--as-of", until, "--k", 20, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    asked = pl.from_pandas(fitted.rank(20))
    assert asked.sort("customer_id", "rank").equals(pl.read_parquet(out).sort("customer_id", "rank"))


def test_frames_come_back_in_kind(fitted, purchases):
    assert isinstance(fitted.rank(3), pd.DataFrame)
    same = clone(fitted).fit(pl.from_pandas(purchases))
    assert isinstance(same.rank(3), pl.DataFrame)
    assert isinstance(same.explain("C00003"), pl.DataFrame)


def test_parameters_are_those_of_scikit_learn(fitted):
    assert clone(fitted).get_params() == fitted.get_params()
    assert clone(fitted).set_params(horizon_days=14).horizon_days == 14


def test_one_customer_is_explained(fitted):
    told = fitted.explain("C00003", k=2, features=3)
    assert told["rank"].tolist() == [1, 1, 1, 2, 2, 2]
    assert np.isfinite(told["pull"]).all()
    with pytest.raises(UnknownCustomerError, match="'nobody' bought nothing before"):
        fitted.explain("nobody")


def test_it_is_judged_beside_another_model(fitted):
    cut = fitted.model_.snapshot.as_of - pd.Timedelta(days=30)
    earlier = clone(fitted).set_params(as_of=cut)
    rows = earlier.fit(pl.DataFrame(fitted.ingested_.ledger)).rank(10)
    found = fitted.evaluate(cuts=[cut], also={"mine": rows.select("customer_id", "product_id", "rank")})
    document = json.loads(json.dumps(found.to_dict()))
    assert {"reprise", "decayed_own", "mine"} <= document["mean"].keys()
    assert document["mean"]["mine"]["ndcg@10"][0] > document["mean"]["popular"]["ndcg@10"][0]


def test_what_was_fitted_can_be_published(purchases, redis_url, tmp_path, monkeypatch):
    monkeypatch.setenv("REPRISE_REDIS_URL", redis_url)
    monkeypatch.setenv("REPRISE_SHOP", "estimator")
    manifest = RepeatRecommender(home=tmp_path).fit(purchases).publish(force=True)
    with open_version_store(Settings(redis_url=redis_url, shop="estimator")) as store:
        assert current_manifest(store) == manifest
    assert (tmp_path / "models" / manifest.version / "manifest.json").exists()


class TestBadInput:
    def test_nothing_fitted(self):
        with pytest.raises(NotFittedError):
            RepeatRecommender().rank()

    def test_no_frame(self):
        with pytest.raises(UsageError, match="str is no frame"):
            RepeatRecommender().fit("purchases.csv")

    def test_a_column_that_is_missing(self, purchases, tmp_path):
        with pytest.raises(MissingColumnError, match="ordered_at"):
            RepeatRecommender(home=tmp_path).fit(purchases.drop(columns="ordered_at"))

    def test_a_longer_ranking_than_there_are_lists(self, fitted):
        with pytest.raises(UsageError, match="k is 21, and lists have 20 products"):
            fitted.rank(21)

    def test_too_few_purchases_to_explain(self, purchases, tmp_path):
        few = RepeatRecommender(home=tmp_path).fit(purchases.head(40))
        assert len(few.rank(3))
        with pytest.raises(TooLittleDataError, match="too few purchases to learn from"):
            few.explain(str(purchases["customer_id"][0]))

    def test_the_frame_is_left_as_it_is(self, purchases, tmp_path):
        before = purchases.copy()
        RepeatRecommender(home=tmp_path).fit(purchases.head(200))
        pd.testing.assert_frame_equal(purchases, before)
