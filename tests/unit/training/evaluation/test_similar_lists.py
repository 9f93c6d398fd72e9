"""Lists of a product, judged by hand."""

from datetime import timedelta

import numpy as np
import pytest

from recommender.publication.lists import RANKED, Basis, ListTable
from tests.support.worlds import AS_OF, ledger_of
from training.dataset.snapshot import Snapshot, build_snapshot
from training.dataset.split import Window, split_window
from training.evaluation.similar_lists import judge_similar


def table_of(lists: dict[str, str], products: str) -> ListTable:
    lengths = [len(lists.get(name, "")) for name in products]
    records = np.zeros(sum(lengths), RANKED)
    records["product_index"] = [products.index(other) for name in products for other in lists.get(name, "")]
    return ListTable(list(products), np.cumsum([0, *lengths]), records, np.zeros(len(products), np.uint8))


@pytest.fixture
def window() -> Window:
    """A sold to three, B to two, C and D to one. Later orders: A with B, A with C and D, and D alone."""
    buyers = {"A": "XYZ", "B": "XY", "C": "X", "D": "X"}
    past = [(who, name, 40) for name, names in buyers.items() for who in names]
    later = [("X", "A", 10), ("X", "B", 10), ("Y", "A", 10), ("Y", "C", 10), ("Y", "D", 10), ("NEW", "D", 10)]
    return split_window(ledger_of([*past, *later]), AS_OF - timedelta(days=30), 30)


@pytest.fixture
def snapshot(window) -> Snapshot:
    return build_snapshot(window.past, window.cut)


def test_counts_what_is_recommended(window, snapshot):
    figures = judge_similar(table_of({"A": "B", "B": "A", "C": "B"}, "ABCD"), snapshot, [None] * 4, window)
    assert (figures["n_products"], figures["n_lists"], figures["n_recommended"], figures["coverage"]) == (4, 3, 2, 0.5)
    assert figures["same_category_share"] is figures["same_category_by_chance"] is None


def test_categories(window, snapshot):
    """A and B are dairy, C is not, D has no category: A stays once of twice, C never does."""
    figures = judge_similar(table_of({"A": "BC", "C": "AD"}, "ABCD"), snapshot, ["dairy", "dairy", "tea", None], window)
    assert figures["same_category_share"] == pytest.approx(1 / 3)
    assert figures["same_category_by_chance"] == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)


def test_co_purchases(window, snapshot):
    """X: A finds B, not the reverse: 1/2. Y: of A, C, D only C finds another of them: 1/3."""
    figures = judge_similar(table_of({"A": "B", "C": "D"}, "ABCD"), snapshot, [None] * 4, window)
    assert figures["n_orders"] == 2
    assert figures["co_purchase_hit_rate"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert figures["co_purchase_hit_rate_popular"] == 1


def test_only_the_first_k_are_judged(window, snapshot):
    lists = table_of({"A": "DB", "B": "DA"}, "ABCD")
    assert judge_similar(lists, snapshot, [None] * 4, window, k=1)["n_recommended"] == 1


def test_best_sellers_that_fill_a_list_are_noticed():
    """P00 to P09 sell most. The list of P10 is half of them, that of P11 all."""
    past = [(f"C{n}", f"P{p:02}", 40) for p in range(12) for n in range(3 if p < 10 else 1)]
    window = split_window(ledger_of(past), AS_OF - timedelta(days=30), 30)
    snapshot = build_snapshot(window.past, window.cut)
    starts, records = np.array([0] * 11 + [2, 4]), np.zeros(4, RANKED)
    records["product_index"] = [0, 11, 3, 4]
    table = ListTable(snapshot.products.ids, starts, records, np.zeros(12, np.uint8))
    figures = judge_similar(table, snapshot, [None] * 12, window)
    assert figures["best_seller_share"] == 3 / 4
    assert (figures["n_dominated"], figures["n_fallback"]) == (1, 0)
    assert figures["co_purchase_hit_rate"] is None
    cold = ListTable(snapshot.products.ids, starts, records, np.full(12, Basis.POPULAR, np.uint8))
    figures = judge_similar(cold, snapshot, [None] * 12, window)
    assert (figures["n_dominated"], figures["n_fallback"]) == (0, 2)


def test_the_same_lists_have_the_same_fingerprint(window, snapshot):
    first, again, other = (
        judge_similar(table_of(lists, "ABCD"), snapshot, [None] * 4, window)["fingerprint"]
        for lists in ({"A": "BC"}, {"A": "BC"}, {"A": "CB"})
    )
    assert first == again != other
