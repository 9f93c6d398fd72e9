import polars as pl
import pytest

from tests.support.worlds import empty_shop, ledger_of
from training.dataset.coded_ids import code_ids
from training.parts.customer_parts import lines_of, split_customers


def shop(sizes: dict[str, int]) -> pl.DataFrame:
    """Lines of each customer, one a day, so that those of all stand between each other."""
    lines = [(customer, f"P{n}", n + 0.5) for customer, size in sizes.items() for n in range(size)]
    return code_ids(ledger_of(lines).sort("ordered_at"))


@pytest.mark.parametrize(
    ("most", "parts"),
    [
        (1, [["A"], ["B"], ["C"], ["D"]]),
        (3, [["A", "B"], ["C"], ["D"]]),
        (7, [["A", "B"], ["C", "D"]]),
        (100, [["A", "B", "C", "D"]]),
    ],
)
def test_parts_hold_whole_customers_by_id_and_one_larger_than_a_part_is_alone(most, parts):
    ledger = shop({"D": 1, "B": 1, "A": 2, "C": 5})
    split = list(split_customers(ledger, most))
    assert [part["customer_id"].unique().sort().to_list() for part in split] == parts
    assert pl.concat(split).sort(pl.all()).equals(ledger.sort(pl.all()))


def test_no_customer_no_part():
    assert list(split_customers(code_ids(empty_shop()), 10)) == []


@pytest.mark.parametrize("code", [code_ids, lambda ledger: ledger])
def test_lines_of_some_customers(code):
    ledger = code(shop({"A": 2, "B": 3, "C": 1}))
    assert lines_of(ledger, ["C", "nobody", "A"]).equals(ledger.filter(pl.col("customer_id") != "B"))
