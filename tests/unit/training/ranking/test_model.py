from datetime import timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from recommender.cli.progress import Progress
from recommender.publication.lists import LIST_NAMES, RECORDS, WHOLE_SHOP
from recommender.settings import AlsSettings, Settings
from tests.support.worlds import (
    AS_OF,
    LEDGER_SCHEMA,
    empty_shop,
    ledger_of,
    new_customer,
    one_off_buyer,
    two_tastes,
    weekly_milk_buyer,
)
from training.ranking.examples.example_cache import ExampleCache
from training.ranking.model import train_model
from training.ranking.rankings import rank_customers

ALS = AlsSettings(factors=8, alpha=3.0, regularization=10.0, half_life_days=20.0)
SETTINGS = Settings(als=ALS, list_length=20)
QUIET = Progress(show=False)


def catalogue_of(*product_ids: str, category: str | None = None) -> pl.DataFrame:
    texts = {name: pl.lit(None, pl.String) for name in ("title", "price", "currency", "url", "image_url")}
    return pl.DataFrame({"product_id": sorted(product_ids)}, schema={"product_id": pl.String}).with_columns(
        category=pl.lit(category, pl.String),
        in_stock=pl.lit(True),
        replenishable=pl.lit(None, pl.Boolean),
        **texts,
    )


def train(ledger, catalogue=None, as_of=AS_OF, settings=SETTINGS):
    catalogue = catalogue_of(*ledger["product_id"].unique()) if catalogue is None else catalogue
    return train_model(ledger, catalogue, as_of, settings, Progress(show=False))


def busy_shop() -> pl.DataFrame:
    """60 customers, 40 products: an order a week for 15 weeks, of two own favourites and something new each time."""
    return ledger_of(
        (f"C{customer:02}", f"P{(customer + step) % 40:02}", 0.5 + 7 * week + customer % 7)
        for customer in range(60)
        for week in range(15)
        for step in (0, 1, 17 - week)
    )


@cache
def busy_model():
    """What the busy shop teaches; nobody changes it."""
    return train(busy_shop())


def contents(model):
    return {
        name: (list(table.owner_ids), table.starts.tolist(), table.records.tobytes(), table.basis.tolist())
        for name, table in model.tables.items()
    }


def list_of(model, name, owner):
    table = model.tables[name]
    i = list(table.owner_ids).index(owner)
    return [model.products[j].product_id for j in table.records["product_index"][table.starts[i] : table.starts[i + 1]]]


def test_every_list_has_the_owners_and_records_that_a_version_needs():
    model = train(busy_shop(), catalogue_of(*(f"P{i:02}" for i in range(41)), category="all"))
    assert tuple(sorted(model.tables)) == tuple(sorted(LIST_NAMES))
    assert all(table.records.dtype == RECORDS[name] for name, table in model.tables.items())
    assert all(tuple(model.tables[name].owner_ids) == model.snapshot.products.ids for name in ("similar", "together"))
    assert all(
        tuple(model.tables[name].owner_ids) == model.snapshot.customers.ids for name in ("buy_again", "discover")
    )
    assert all(list(model.tables[name].owner_ids) == [WHOLE_SHOP, "all"] for name in ("popular", "trending"))
    assert tuple(product.product_id for product in model.products) == model.snapshot.products.ids


def test_probabilities_are_between_0_and_1_and_fall_within_each_list():
    model = busy_model()
    for name in ("buy_again", "discover"):
        table = model.tables[name]
        scores = table.records["score"].astype(float)
        assert ((scores >= 0) & (scores <= 1)).all()
        for first, last in zip(table.starts, table.starts[1:], strict=False):
            assert (np.diff(scores[first:last]) <= 0).all()


def test_favourites_are_likelier_than_anything_new_where_people_come_back():
    model = busy_model()
    own, new = (model.tables[name] for name in ("buy_again", "discover"))
    own_first, new_first = (table.records["score"][table.starts[:-1]].astype(float).mean() for table in (own, new))
    assert own_first > new_first


def test_the_mean_probability_is_what_was_bought_in_the_horizon_after():
    ledger = busy_shop()
    as_of = AS_OF - timedelta(days=30)
    model = train(ledger, as_of=as_of)
    later = ledger.filter(pl.col("ordered_at") >= as_of).select("customer_id", "product_id").unique().rows()
    table = model.tables["buy_again"]
    owners = np.repeat(table.owner_ids, np.diff(table.starts))
    products = [model.products[i].product_id for i in table.records["product_index"]]
    share = np.mean([pair in set(later) for pair in zip(owners, products, strict=True)])
    assert table.records["score"].astype(float).mean() == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize("world", [busy_shop, two_tastes, weekly_milk_buyer])
def test_what_happens_at_or_after_as_of_changes_nothing(world):
    ledger, catalogue = world(), catalogue_of(*world()["product_id"].unique(), "FUTURE")
    rows = [("C00", "FUTURE", AS_OF, "o1", 5.0, 1.0), ("NEW", "P00", AS_OF + timedelta(days=3), "o2", 1.0, 1.0)]
    future = pl.DataFrame(rows, schema=LEDGER_SCHEMA, orient="row")
    assert contents(train(ledger.vstack(future), catalogue)) == contents(train(ledger, catalogue))


def test_a_product_that_is_only_in_the_catalogue_is_recommended_to_nobody():
    ledger = busy_shop()
    model = train(ledger, catalogue_of(*ledger["product_id"].unique(), "A NEW ONE"))
    unsold = model.snapshot.products.indices(["A NEW ONE"], unknown="raise")[0]
    assert all(unsold not in table.records["product_index"] for table in model.tables.values())
    assert len(list_of(model, "similar", "A NEW ONE")) == 20


def test_the_same_input_gives_the_same_bytes():
    assert contents(train(busy_shop())) == contents(busy_model())


def test_discover_holds_nothing_that_was_bought():
    model = train(two_tastes())
    assert all(list_of(model, "discover", f"C{group}{i}")[0] == f"{group}{i}" for group in "AB" for i in range(6))
    bought = set(zip(two_tastes()["customer_id"], two_tastes()["product_id"], strict=True))
    assert not any(
        (owner, p) in bought for owner in model.snapshot.customers for p in list_of(model, "discover", owner)
    )


def test_similar_remembers_what_discover_has_forgotten():
    """Half of the customers bought their kind a year ago only: still the same kind."""
    old = two_tastes().filter(pl.col("customer_id").str.starts_with("CA"))
    recent = two_tastes().filter(pl.col("customer_id").str.starts_with("CB"))
    ledger = old.with_columns(pl.col("ordered_at") - timedelta(days=400)).vstack(recent)
    assert {product[0] for product in list_of(train(ledger), "similar", "A0")[:5]} == {"A"}


def test_too_little_to_learn_from_gives_lists_without_probability():
    model = train(new_customer())
    assert np.isnan(model.tables["discover"].records["score"]).all()
    assert list_of(model, "buy_again", "NEW") == ["BREAD"]
    assert set(list_of(model, "discover", "NEW")) == {"MILK", "CHEESE"}


@pytest.mark.parametrize(
    "ledger",
    [
        empty_shop(),
        weekly_milk_buyer(),
        one_off_buyer(),
        ledger_of([("A", "TEA", 0.5)]),
        ledger_of([("A", "TEA", 400.5)]),
        ledger_of((f"C{i}", "TEA", i + 0.5) for i in range(60)),
        ledger_of(("A", f"P{i}", i + 0.5) for i in range(60)),
        ledger_of((f"C{i}", f"P{i}", i + 0.5) for i in range(60)),
    ],
    ids=["empty", "two", "one_order", "one_purchase", "long_ago", "one_product", "one_customer", "nobody_twice"],
)
def test_a_world_at_the_edge_is_a_model_all_the_same(ledger):
    model = train(ledger)
    for table in model.tables.values():
        assert (table.records["product_index"] < len(model.products)).all()
    assert len(model.tables["discover"]) == ledger["customer_id"].n_unique()


def test_nothing_before_as_of_is_an_empty_shop():
    model = train(weekly_milk_buyer(), catalogue_of("KETTLE", "MILK"), as_of=AS_OF - timedelta(days=3_650))
    assert (len(model.snapshot.customers), len(model.tables["similar"])) == (0, 2)
    assert list_of(model, "popular", WHOLE_SHOP) == []


def test_products_carry_what_the_catalogue_tells():
    catalogue = catalogue_of("KETTLE", "MILK", category="Kitchen").with_columns(price=pl.lit("12.90"))
    product = train(weekly_milk_buyer(), catalogue).products[0]
    assert (product.product_id, product.category, product.price, product.title) == ("KETTLE", "Kitchen", "12.90", None)


def test_progress_measures_each_step():
    progress = Progress(show=False)
    train_model(new_customer(), catalogue_of("BREAD", "MILK", "CHEESE"), AS_OF, SETTINGS, progress)
    steps = {"Live through past windows", "Learn to rank, tastes and rhythms", "Find similar products"}
    assert steps <= set(progress.seconds)


def test_the_candidates_of_a_small_shop_are_all_that_can_be_bought():
    assert busy_model().ceiling == 1.0
    assert train(one_off_buyer()).ceiling == 1.0
    assert train(empty_shop()).ceiling is None


def test_lists_of_some_customers_are_those_of_all():
    whole, ledger = busy_model(), busy_shop()
    some = [*whole.snapshot.customers][3:30:5]
    catalogue = catalogue_of(*ledger["product_id"].unique())
    model = train_model(ledger, catalogue, AS_OF, SETTINGS, QUIET, customers=[*some, "nobody"])
    for name in ("buy_again", "discover"):
        assert list(model.tables[name].owner_ids) == some
        assert all(list_of(model, name, customer) == list_of(whole, name, customer) for customer in some)
    assert model.tables.keys() == whole.tables.keys() - {"similar", "together"}
    ranked = rank_customers(model, k=5, mix="auto", customers=[*some, "nobody"])
    everybody = rank_customers(whole, k=5, mix="auto")
    assert ranked.equals(everybody.filter(pl.col("customer_id").is_in(some)))


def test_shared_windows_change_nothing():
    ledger, as_of = busy_shop(), AS_OF - timedelta(days=3)
    catalogue = catalogue_of(*ledger["product_id"].unique())
    examples = ExampleCache(ledger, catalogue, SETTINGS)
    shared = [train_model(ledger, catalogue, each, SETTINGS, QUIET, example_cache=examples) for each in (as_of, AS_OF)]
    assert [contents(each) for each in shared] == [contents(train(ledger, as_of=as_of)), contents(busy_model())]


@pytest.mark.parametrize("lines", [1, 50, 700])
def test_lists_are_the_same_bytes_whatever_the_size_of_the_parts(lines, monkeypatch):
    monkeypatch.setattr("training.ranking.model.LINES_OF_A_PART", lines)
    assert contents(train(busy_shop())) == contents(busy_model())


def test_parts_without_probabilities_are_the_same_bytes(monkeypatch):
    whole = contents(train(two_tastes()))
    monkeypatch.setattr("training.ranking.model.LINES_OF_A_PART", 7)
    assert contents(train(two_tastes())) == whole
