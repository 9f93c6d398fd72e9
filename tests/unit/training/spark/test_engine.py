"""The engine on Spark, as far as it goes without Spark."""

import pickle

import polars as pl
import pytest

from recommender.errors import HomeError, RepriseError, UsageError
from recommender.settings import AlsSettings, Settings
from tests.support.evidence import shop_of
from tests.support.worlds import AS_OF, new_customer
from training.parts.customer_parts import CustomerRange
from training.spark.engine import _plain, _read_lists, _without_secrets


def test_lists_that_are_not_there_ask_for_a_shared_folder(tmp_path):
    pl.DataFrame({"customer_id": ["A"]}).write_parquet(tmp_path / "one.parquet")
    with pytest.raises(HomeError, match="lists of 1 of 2 customers: REPRISE_HOME must be a folder that all executors"):
        _read_lists(tmp_path, CustomerRange(0, 1, 2))
    with pytest.raises(HomeError, match="lists of 0 of 2 customers"):
        _read_lists(tmp_path / "absent", CustomerRange(0, 1, 2))


def test_executors_learn_no_secret():
    ledger = new_customer()
    catalogue = ledger.select(pl.col("product_id").unique().sort()).with_columns(
        title=pl.lit(None, pl.String), category=pl.lit(None, pl.String)
    )
    settings = Settings(redis_url="redis://:open-sesame@localhost:6379/0", als=AlsSettings(factors=4), horizon_days=14)
    shop = shop_of(ledger, catalogue, AS_OF, settings)
    sent = _without_secrets(shop)
    assert b"open-sesame" in pickle.dumps(shop)
    assert b"open-sesame" not in pickle.dumps(sent)
    assert (sent.settings.horizon_days, sent.tastes.settings.als.factors) == (14, 4)


@pytest.mark.parametrize(
    ("message", "kind", "said"),
    [
        ("boom\nModuleNotFoundError: No module named 'training'\n", UsageError, "install reprise-recommender"),
        ("Job aborted\nOut of memory\n\n", RepriseError, "Spark gave the job up: Out of memory"),
        ("", RepriseError, "it does not say why"),
    ],
)
def test_what_spark_says_is_said_in_a_line(message, kind, said):
    assert isinstance(_plain(message), kind)
    assert said in str(_plain(message))
