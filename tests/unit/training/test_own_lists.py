"""Lists of another model in place of a trained version's."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from recommender.errors import MissingColumnError, UsageError
from training.own_lists import describe_own_lists, read_own_lists, read_rankings, with_own_lists
from training.tables.workspace import Workspace

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LISTS = {
    "similar": {"p0": [1, 2], "p1": [0], "p2": []},
    "together": {"p0": [], "p1": [], "p2": []},
    "buy_again": {"ann": [0, 1], "ben": [1]},
    "discover": {"ann": [2], "ben": [0, 2]},
    "popular": {"": [0, 1]},
    "trending": {"": [2]},
}


@pytest.fixture
def base(make_publication):
    publication = make_publication("20261120T020000Z-3f2a", LISTS, n_products=3)
    publication.tables["buy_again"].records["last_day"] = [100, 101, 102]
    return publication


@pytest.fixture
def read(tmp_path):
    def read(reader=read_own_lists, **columns):
        pl.DataFrame(columns).write_parquet(tmp_path / "mine.parquet")
        with Workspace(tmp_path / "home") as work:
            return reader(tmp_path / "mine.parquet", work)

    return read


def lists_of(publication, name):
    table = publication.tables[name]
    return {
        owner: table.records["product_index"][table.starts[i] : table.starts[i + 1]].tolist()
        for i, owner in enumerate(table.owner_ids)
    }


def test_what_was_bought_before_keeps_its_rhythm_and_the_rest_is_discovered(base, read):
    own = read(customer_id=["ann"] * 3, product_id=["p2", "p1", "p0"], rank=[1, 2, 3], score=[0.9, 0.5, 0.25])
    made = with_own_lists(base, own, NOW)
    assert lists_of(made, "buy_again") == {"ann": [1, 0], "ben": [1]}
    assert lists_of(made, "discover") == {"ann": [2], "ben": [0, 2]}
    assert made.tables["buy_again"].records["last_day"].tolist() == [101, 100, 102]
    assert made.tables["buy_again"].records["score"].tolist() == [0.5, 0.25, 1]
    assert made.tables["discover"].records["score"].tolist()[:1] == [pytest.approx(0.9, abs=1e-3)]


def test_of_a_customer_who_is_listed_nothing_of_the_old_lists_stays(base, read):
    made = with_own_lists(base, read(customer_id=["ben"], product_id=["p2"], rank=[1]), NOW)
    assert lists_of(made, "buy_again") == {"ann": [0, 1], "ben": []}
    assert lists_of(made, "discover") == {"ann": [2], "ben": [2]}
    assert np.isnan(made.tables["discover"].records["score"][1])


def test_lists_of_products_by_kind(base, read):
    own = read(
        for_product_id=["p2", "p2", "p0"],
        product_id=["p0", "p1", "p2"],
        rank=[2, 1, 1],
        kind=["similar"] * 2 + ["together"],
    )
    made = with_own_lists(base, own, NOW)
    assert lists_of(made, "similar") == {"p0": [1, 2], "p1": [0], "p2": [1, 0]}
    assert lists_of(made, "together") == {"p0": [2], "p1": [], "p2": []}
    assert lists_of(made, "buy_again") == lists_of(base, "buy_again")


def test_what_is_unknown_or_too_long_is_counted(base, read):
    base.manifest.settings["list_length"] = 1  # type: ignore[index]
    own = read(customer_id=["ann", "ann", "ann", "zoe"], product_id=["p2", "GONE", "p0", "p1"], rank=[1, 2, 3, 1])
    made = with_own_lists(base, own, NOW)
    told = {"buy_again": 1, "discover": 1, "similar": 0, "together": 0}
    assert made.manifest.metrics["own_lists"]["rows"] == told
    assert made.manifest.metrics["own_lists"]["left_out"] == {"unknown_product": 1, "unknown_owner_or_too_long": 1}
    assert "1 buy_again, 1 discover; left out: 1 rows of unknown products, 1 of unknown" in describe_own_lists(
        made.manifest
    )


def test_the_version_has_a_name_of_its_own_and_says_that_nobody_judged_it(base, read):
    made = with_own_lists(base, read(customer_id=["ben"], product_id=["p2"], rank=[1]), NOW)
    again = with_own_lists(base, read(customer_id=["ben"], product_id=["p2"], rank=[1]), NOW)
    other = with_own_lists(base, read(customer_id=["ben"], product_id=["p0"], rank=[1]), NOW)
    assert made.manifest.version == again.manifest.version != other.manifest.version
    assert made.manifest.version.startswith("20261120T020000Z-")
    assert made.manifest.version != base.manifest.version
    assert made.manifest.gate["verdict"] == "skipped"
    assert "reprise evaluate --also" in made.manifest.gate["reasons"][0]


def test_broken_lists_are_refused_by_the_gate(base, read):
    own = read(for_product_id=["p2"], product_id=["p2"], rank=[1], kind=["similar"])
    gate = with_own_lists(base, own, NOW).manifest.gate
    assert gate["verdict"] == "refused"
    assert "similar: 1 lists of a product hold that product" in gate["reasons"]


def test_a_file_of_another_shop_is_no_version(base, read):
    with pytest.raises(UsageError, match=r"no row of .*mine\.parquet is of a customer and a product"):
        with_own_lists(base, read(customer_id=["zoe"], product_id=["GONE"], rank=[1]), NOW)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"customer_id": ["a"], "rank": ["one"]}, "rank 'one' is no number"),
        ({"customer_id": ["a"], "rank": ["1"], "score": ["high"]}, "score 'high' is no number"),
        ({"customer_id": ["a"], "rank": ["1"], "score": ["1.5"]}, "score 1.5 of customer 'a' is no probability"),
        ({"rank": ["1"]}, "a row needs a customer_id or a for_product_id"),
        ({"rank": ["1"], "customer_id": ["a"], "for_product_id": ["p1"]}, "a row needs a customer_id or a for_product"),
        ({"rank": ["1"], "for_product_id": ["p1"]}, "kind None of product 'p1' is neither"),
        ({"rank": ["1"], "for_product_id": ["p1"], "kind": ["nearest"]}, "kind 'nearest' of product 'p1' is neither"),
        ({"rank": [None], "customer_id": ["a"]}, "1 rows of .* have no product_id or no rank"),
    ],
)
def test_a_row_that_cannot_be_is_named(read, columns, told):
    with pytest.raises(UsageError, match=told):
        read(**{"product_id": ["p0"], **columns})


def test_a_product_twice_and_scores_that_rise_are_named(read):
    with pytest.raises(UsageError, match="product 'p0' is twice on a list of 'a'"):
        read(customer_id=["a", "a"], product_id=["p0", "p0"], rank=[1, 2])
    with pytest.raises(UsageError, match=r"the score of product 'p1' is higher than the one before it .* customer 'a'"):
        read(customer_id=["a", "a"], product_id=["p0", "p1"], rank=[1, 2], score=[0.1, 0.2])


def test_a_missing_column_is_named(read):
    with pytest.raises(MissingColumnError, match="'rank'"):
        read(customer_id=["a"], product_id=["p0"])


def test_rankings_for_an_evaluation_are_those_of_customers(read):
    columns = {"customer_id": ["a", "a", None], "for_product_id": [None, None, "p0"], "kind": [None, None, "similar"]}
    ranking = read(read_rankings, product_id=["p0", "p1", "p1"], rank=[1, 2, 1], **columns)
    assert ranking.select("customer_id", "product_id", "rank").rows() == [("a", "p0", 1), ("a", "p1", 2)]
    with pytest.raises(UsageError, match="holds no list of a customer"):
        read(read_rankings, for_product_id=["p0"], product_id=["p1"], rank=[1], kind=["similar"])
