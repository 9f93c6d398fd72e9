import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import UsageError
from recommender.publication.lists import OWN, RANKED, WHOLE_SHOP, ListTable
from recommender.publication.product import Product
from recommender.slate.candidates import Candidate, merge_by_probability
from tests.support.worlds import AS_OF, empty_shop
from training.dataset.id_map import IdMap
from training.dataset.snapshot import build_snapshot
from training.models.als import Factors
from training.ranking.model import Model
from training.ranking.rankings import rank_customers, rank_in_runs

NAN = float("nan")


def table_of(lists: dict[str, list[tuple[int, float]]], dtype=RANKED) -> ListTable:
    lengths = [len(each) for each in lists.values()]
    records = np.zeros(sum(lengths), dtype)
    records["product_index"] = [index for each in lists.values() for index, _ in each]
    records["score"] = [score for each in lists.values() for _, score in each]
    starts = np.cumsum([0, *lengths], dtype=np.int64)
    return ListTable(list(lists), starts, records, np.zeros(len(lists), np.uint8))


def model_of(buy_again, discover, popular=()) -> Model:
    """Products p0 to p9; customers are the owners of the lists."""
    products = IdMap(f"p{i}" for i in range(10))
    blank = build_snapshot(empty_shop(), AS_OF, products)
    snapshot = type(blank)(**{**vars(blank), "customers": IdMap(buy_again)})
    tables = {
        "buy_again": table_of(buy_again, OWN),
        "discover": table_of(discover),
        "popular": table_of({WHOLE_SHOP: [(index, 100.0) for index in popular], "category": [(9, 100.0)]}),
    }
    nothing = np.zeros((0, 1), np.float32)
    return Model(snapshot, [Product(id_) for id_ in products], tables, Factors(nothing, nothing))


def rows(frame: pl.DataFrame) -> list[tuple[str, str, int, str]]:
    return frame.select("customer_id", "product_id", "rank", "kind").rows()


def test_auto_is_one_order_by_probability():
    model = model_of({"A": [(0, 0.5), (1, 0.125)]}, {"A": [(2, 0.25), (3, 0.0625)]})
    ranked = rank_customers(model, k=3, mix="auto")
    assert rows(ranked) == [("A", "p0", 1, "buy_again"), ("A", "p2", 2, "discover"), ("A", "p1", 3, "buy_again")]
    assert ranked["score"].to_list() == [0.5, 0.25, 0.125]


def test_a_tie_and_a_missing_probability_go_to_buy_again():
    model = model_of(
        {"TIE": [(0, 0.25)], "OWN": [(0, NAN)], "NEW": [(0, 0.25)]},
        {"TIE": [(1, 0.25)], "OWN": [(1, 0.9)], "NEW": [(1, NAN)]},
    )
    ranked = rank_customers(model, k=2, mix="auto")
    assert ranked["product_id"].to_list() == ["p0", "p1"] * 3
    assert ranked.filter(pl.col("customer_id") == "OWN")["score"].to_list() == [None, pytest.approx(0.9, abs=1e-3)]


def test_auto_is_filled_with_best_sellers_that_are_not_there_yet():
    model = model_of({"A": [(0, 0.5)], "NOTHING": []}, {"A": [(2, 0.25)], "NOTHING": []}, popular=[2, 7, 0, 8, 9])
    ranked = rank_customers(model, k=4, mix="auto")
    assert rows(ranked) == [
        ("A", "p0", 1, "buy_again"),
        ("A", "p2", 2, "discover"),
        ("A", "p7", 3, "popular"),
        ("A", "p8", 4, "popular"),
        ("NOTHING", "p2", 1, "popular"),
        ("NOTHING", "p7", 2, "popular"),
        ("NOTHING", "p0", 3, "popular"),
        ("NOTHING", "p8", 4, "popular"),
    ]
    assert ranked.filter(pl.col("kind") == "popular")["score"].null_count() == 6


@pytest.mark.parametrize(("mix", "expected"), [("buy_again", ["p0"]), ("discover", ["p2", "p3"])])
def test_a_single_list_is_left_as_it_is_and_not_filled(mix, expected):
    model = model_of({"A": [(0, 0.5)], "B": []}, {"A": [(2, 0.25), (3, 0.0625)], "B": []}, popular=[7, 8])
    ranked = rank_customers(model, k=5, mix=mix)
    assert ranked["product_id"].to_list() == expected
    assert ranked["rank"].to_list() == list(range(1, len(expected) + 1))
    assert set(ranked["kind"]) == {mix}


@pytest.mark.parametrize("mix", ["auto", "buy_again", "discover"])
def test_no_customers_give_an_empty_frame_with_its_types(mix):
    ranked = rank_customers(model_of({}, {}), k=5, mix=mix)
    assert (len(ranked), dict(ranked.schema)) == (
        0,
        {
            "customer_id": pl.String,
            "product_id": pl.String,
            "rank": pl.Int32,
            "score": pl.Float32,
            "kind": pl.String,
        },
    )


def test_wrong_arguments_are_named():
    model = model_of({}, {})
    with pytest.raises(UsageError, match="k is 0"):
        rank_customers(model, k=0, mix="auto")
    with pytest.raises(UsageError, match="'best' is unknown"):
        rank_customers(model, k=5, mix="best")


probabilities = st.lists(st.sampled_from([0.5, 0.25, 0.125]), max_size=5).map(lambda p: sorted(p, reverse=True))


@given(own=probabilities, new=probabilities, own_known=st.booleans(), new_known=st.booleans(), k=st.integers(1, 12))
def test_auto_has_the_order_of_the_service(own, new, own_known, new_known, k):
    """The service merges candidates one by one; the frame is merged at once."""
    model = model_of(
        {"A": [(i, p if own_known else NAN) for i, p in enumerate(own)]},
        {"A": [(5 + i, p if new_known else NAN) for i, p in enumerate(new)]},
    )
    candidates = merge_by_probability(
        [Candidate(Product(f"p{i}"), "buy_again", p if own_known else None) for i, p in enumerate(own)],
        [Candidate(Product(f"p{5 + i}"), "discover", p if new_known else None) for i, p in enumerate(new)],
    )
    expected = [candidate.product.product_id for candidate in candidates][:k]
    assert rank_customers(model, k=k, mix="auto")["product_id"].to_list() == expected


@pytest.mark.parametrize("mix", ["auto", "buy_again", "discover"])
def test_some_customers_at_a_time_are_the_same_rows(mix, monkeypatch):
    monkeypatch.setattr("recommender.publication.lists._RUN", 2)
    model = model_of(
        {"A": [(0, 0.5), (1, 0.125)], "B": [], "C": [(4, 0.5)]}, {"A": [(2, 0.25)], "B": [(3, 0.5)], "C": []}, [7, 8]
    )
    runs = list(rank_in_runs(model, k=3, mix=mix))
    assert len(runs) == 2
    assert pl.concat(runs).equals(rank_customers(model, k=3, mix=mix))


def test_nobody_is_one_frame_without_rows():
    (run,) = rank_in_runs(model_of({}, {}), k=3, mix="auto")
    assert run.equals(rank_customers(model_of({}, {}), k=3, mix="auto"))
