import numpy as np
import pytest

from recommender.publication.lists import RANKED
from tests.support.worlds import AS_OF, empty_shop, ledger_of, new_customer, two_tastes, weekly_milk_buyer
from training.dataset.snapshot import build_snapshot
from training.models import copurchase
from training.models.copurchase import build_together


def together(ledger, k: int = 10, catalogue=()) -> dict[str, list[str]]:
    snapshot = build_snapshot(ledger, AS_OF, catalogue)
    table = build_together(snapshot, k)
    assert list(table.owner_ids) == list(snapshot.products)
    assert table.records.dtype == RANKED
    names = [snapshot.products[index] for index in table.records["product_index"]]
    return {owner: names[table.starts[i] : table.starts[i + 1]] for i, owner in enumerate(table.owner_ids)}


def orders(*baskets: tuple[str, int]):
    """(products as letters, how many such orders), each order by a customer of its own."""
    purchases, number = [], 0
    for letters, count in baskets:
        for _ in range(count):
            number += 1
            purchases += [(f"C{number}", letter, 0.5) for letter in letters]
    return ledger_of(purchases)


def test_companions_come_before_best_sellers():
    # M is in nearly every order, so it says nothing; P and Q are found together
    assert together(orders(("PQM", 20), ("M", 100), ("PM", 5), ("QM", 5), ("X", 5)))["P"][0] == "Q"


def test_a_rare_coincidence_does_not_win():
    ledger = orders(("AB", 40), ("A", 20), ("B", 20), ("AZ", 3), ("X", 200))
    assert together(ledger)["A"] == ["B", "Z"]


def test_two_orders_are_an_accident_and_three_are_not():
    assert together(orders(("AB", 2), ("X", 50)))["A"] == []
    assert together(orders(("AB", 3), ("X", 50)))["A"] == ["B"]


def test_products_that_avoid_each_other_are_no_companions():
    assert together(orders(("AB", 3), ("A", 50), ("B", 50)))["A"] == []


def test_the_score_is_the_logarithm_of_the_shrunken_lift():
    snapshot = build_snapshot(orders(("AB", 20), ("A", 10), ("B", 20), ("X", 50)), AS_OF)
    table = build_together(snapshot, 5)
    expected = 30 * 40 / 100
    assert table.records["score"][0] == pytest.approx(np.log(30 / (expected + 10)), rel=1e-3)


def test_ties_go_by_product_index_and_lists_end_at_k():
    assert together(orders(("ABCD", 5), ("X", 20)), k=2) == {
        "A": ["B", "C"],
        "B": ["A", "C"],
        "C": ["A", "B"],
        "D": ["A", "B"],
        "X": [],
    }


def test_an_order_that_is_a_stock_up_says_nothing():
    many = [f"P{number:03}" for number in range(201)]
    stock_up = ledger_of((f"C{customer}", product, 0.5) for customer in range(4) for product in many)
    assert not any(together(stock_up).values())


def test_counting_in_blocks_changes_nothing(monkeypatch):
    ledger = orders(("ABC", 5), ("BCD", 6), ("AE", 7), ("X", 30))
    whole = together(ledger)
    monkeypatch.setattr(copurchase, "_BLOCK", 2)
    assert together(ledger) == whole


def test_a_product_that_nobody_bought_has_an_empty_list():
    assert together(orders(("AB", 3), ("X", 9)), catalogue=["SOFA"])["SOFA"] == []


def test_named_worlds():
    assert together(empty_shop()) == {}
    assert not any(together(weekly_milk_buyer()).values())
    assert not any(together(two_tastes()).values())
    assert "MILK" in together(new_customer())["BREAD"]


def test_same_input_same_bytes():
    snapshot = build_snapshot(orders(("ABC", 5), ("BCD", 6), ("X", 9)), AS_OF)
    assert build_together(snapshot, 3).records.tobytes() == build_together(snapshot, 3).records.tobytes()
