import polars as pl

from training.ingest.affected import Affected, affected_by, affected_shares
from training.tables.files import CLOSING_LINE


def test_a_problem_touches_rows_money_and_customers():
    rows = pl.DataFrame(
        [("ann", 2.0, 5.0, None), ("ann", 1.0, 10.0, "odd"), ("bob", -1.0, 20.0, "odd"), (None, 1.0, None, "odd")],
        schema=["customer_id", "quantity", "unit_price", "why"],
        orient="row",
    )
    found = affected_by(rows, "why")
    assert found == {None: Affected(4, 40.0, 2), "odd": Affected(3, 30.0, 2)}
    assert affected_shares([found, found]) == {
        "odd": {"rows": 6, "rows_share": 0.75, "money_share": 0.75, "customers_share": 1.0}
    }


def test_without_prices_the_share_of_money_is_unknown():
    rows = pl.DataFrame(
        {"customer_id": ["ann"], "quantity": [1.0], "unit_price": [None], "why": ["odd"]},
        schema_overrides={"unit_price": pl.Float64},
    )
    assert affected_shares([affected_by(rows, "why")])["odd"]["money_share"] is None
    assert affected_shares([]) == {}


def test_a_line_of_totals_is_worth_nothing_further():
    rows = pl.DataFrame(
        {"customer_id": ["ann", None], "quantity": [1.0, 1.0], "unit_price": [4.0, 4.0], "why": [None, CLOSING_LINE]}
    )
    assert affected_shares([affected_by(rows, "why")])[CLOSING_LINE]["money_share"] == 0
