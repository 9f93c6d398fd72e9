from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from recommender.settings import AlsSettings, Settings
from tests.support.worlds import AS_OF, LEDGER_SCHEMA, empty_shop, two_tastes
from training.ranking.examples import example_cache
from training.ranking.examples.example_cache import ExampleCache, open_kept

SETTINGS = Settings(als=AlsSettings(factors=8))
CUT = (AS_OF - timedelta(days=40)).replace(hour=0, minute=0, second=0)
END = CUT + timedelta(days=30)


def catalogue_of(ledger, *others):
    ids = pl.concat([ledger["product_id"].unique(), pl.Series("product_id", others, pl.String)]).sort()
    return pl.DataFrame({"product_id": ids}).with_columns(
        title=pl.lit(None, pl.String), category=pl.lit("all", pl.String)
    )


def two_months():
    """Two tastes, and the same once more 45 days before."""
    return pl.concat([two_tastes(), two_tastes().with_columns(pl.col("ordered_at") - timedelta(days=45))])


def line(customer, product, moment, order="o1"):
    return pl.DataFrame([(customer, product, moment, order, 1.0, 1.0)], schema=LEDGER_SCHEMA, orient="row")


@pytest.fixture
def kept(tmp_path):
    def examples(ledger=None, catalogue=None, settings=SETTINGS):
        """The examples of CUT, and whether they were collected anew."""
        ledger = two_months() if ledger is None else ledger
        catalogue = catalogue_of(ledger) if catalogue is None else catalogue
        found, collected = [], []

        def collect(*args):
            collected.append(args)
            return collect_examples(*args)

        with pytest.MonkeyPatch.context() as patch:
            collect_examples = example_cache.collect_examples
            patch.setattr(example_cache, "collect_examples", collect)
            cache = ExampleCache(ledger, catalogue, settings, open_kept(tmp_path, settings))
            found = cache.examples(CUT)
        cache.forget_others()
        return found, bool(collected)

    return examples


def same(one, other):
    frames = zip((one.customers, one.features), (other.customers, other.features), strict=True)
    return all(a.equals(b) for a, b in frames) and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("returned", "bought", "share", "weight", "n_bought")
    )


def test_windows_are_collected_once():
    cache = ExampleCache(two_tastes(), catalogue_of(two_tastes()), SETTINGS)
    assert cache.examples(CUT) is cache.examples(CUT)


def test_the_next_training_reads_what_the_last_one_kept(kept):
    made, collected = kept()
    assert collected
    found, collected = kept()
    assert not collected
    assert same(found, made)


@pytest.mark.parametrize("shuffled", [False, True])
def test_later_purchases_and_products_change_nothing_that_is_kept(kept, shuffled):
    later = [line("CA0", "A0", END, "o0"), line("NEW", "AFTER", END + timedelta(days=1), "o9")]
    ledger = pl.concat([two_months(), *later])
    ledger = ledger.sample(fraction=1.0, shuffle=True, seed=1) if shuffled else ledger
    kept()
    found, collected = kept(ledger, catalogue_of(ledger, "A00", "UNSOLD"))
    assert not collected
    cold = ExampleCache(ledger, catalogue_of(ledger, "A00", "UNSOLD"), SETTINGS).examples(CUT)
    assert same(found, cold)


@pytest.mark.parametrize(
    "change",
    [
        lambda ledger: pl.concat([ledger, line("CA0", "A0", END - timedelta(seconds=1))]),
        lambda ledger: pl.concat([ledger, line("CA0", "A0", CUT - timedelta(days=3))]),
        lambda ledger: ledger.with_columns(quantity=pl.col("quantity") + 1),
        lambda ledger: ledger.with_columns(unit_price=pl.lit(7.0)),
        lambda ledger: ledger.filter(pl.col("customer_id") != "CA0"),
    ],
    ids=["in the window", "before it", "quantity", "price", "a customer erased"],
)
def test_other_purchases_of_the_window_are_collected_anew(kept, change):
    kept()
    ledger = change(two_months())
    found, collected = kept(ledger)
    assert collected
    assert same(found, ExampleCache(ledger, catalogue_of(ledger), SETTINGS).examples(CUT))


def test_another_category_or_setting_is_collected_anew(kept):
    kept()
    catalogue = catalogue_of(two_months()).with_columns(category=pl.lit("other"))
    assert kept(catalogue=catalogue)[1]
    assert kept(settings=Settings(als=AlsSettings(factors=8), seed=1))[1]


def test_what_no_training_needs_any_more_is_deleted(tmp_path):
    cache = ExampleCache(two_tastes(), catalogue_of(two_tastes()), SETTINGS, open_kept(tmp_path, SETTINGS))
    cache.examples(CUT)
    assert len(list(tmp_path.glob("*-*"))) == 2
    following = ExampleCache(two_tastes(), catalogue_of(two_tastes()), SETTINGS, open_kept(tmp_path, SETTINGS))
    following.examples(CUT - timedelta(days=7))
    following.forget_others()
    assert {path.name[:8] for path in tmp_path.glob("*-*")} == {f"{CUT - timedelta(days=7):%Y%m%d}"}


def test_an_empty_shop_has_no_windows():
    assert ExampleCache(empty_shop(), catalogue_of(empty_shop()), SETTINGS).cuts(AS_OF) == []
