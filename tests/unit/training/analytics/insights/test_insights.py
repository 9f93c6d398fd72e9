"""Insights beside a recount by hand, and their bounds."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recommender.publication import insights as bounds
from recommender.publication.lists import OWN, ListTable
from recommender.publication.product import Product
from tests.support.profiles import make_profile, make_table
from training.analytics.customer_value.order_summary import ORDER_DAYS
from training.analytics.insights import due_board, repurchase, value_tenths
from training.analytics.insights.due_board import build_due_board
from training.analytics.insights.first_orders import first_order_rows
from training.analytics.insights.lifecycle_flow import lifecycle_flow
from training.analytics.insights.repurchase import repurchase_rows
from training.analytics.insights.value_tenths import value_now, value_then
from training.dataset.snapshot import Snapshot, build_snapshot

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = (DAY_0 - datetime(1970, 1, 1, tzinfo=UTC)).days
PRODUCTS = [Product("BREAD", category="Bakery"), Product("MILK", category="Dairy"), Product("PEN")]


def snapshot_of(*rows: tuple[str, str, int]) -> Snapshot:
    """Purchases of (customer, product, day from DAY_0), each an order of its day."""
    ledger = pl.DataFrame(
        {
            "customer_id": [customer for customer, _, _ in rows],
            "product_id": [product for _, product, _ in rows],
            "ordered_at": pl.Series(
                [DAY_0 + timedelta(days=day, hours=9) for *_, day in rows], dtype=pl.Datetime("us", "UTC")
            ),
            "order_id": [f"{customer}{day}" for customer, _, day in rows],
            "quantity": [1.0] * len(rows),
        },
        schema_overrides={"customer_id": pl.String, "product_id": pl.String, "order_id": pl.String},
    )
    return build_snapshot(ledger, DAY_0 + timedelta(days=400), [one.product_id for one in PRODUCTS])


SNAPSHOT = snapshot_of(
    ("ann", "MILK", 0), ("ann", "MILK", 4), ("ann", "MILK", 12), ("ann", "BREAD", 12),
    ("ben", "MILK", 1), ("ben", "MILK", 7), ("cleo", "BREAD", 300), ("cleo", "MILK", 300),
)  # fmt: skip
NOTHING_DUE = np.zeros((3, 3), np.int64)


def test_quartiles_of_the_days_between_with_the_customers_behind_them() -> None:
    due = np.array([[0, 5, 0], [0, 6, 0], [1, 7, 0]])
    rows = repurchase_rows(SNAPSHOT, due)
    gaps = [4, 8, 6]
    assert rows == [
        ["MILK", 3, 2, *(float(np.quantile(gaps, share)) for share in (0.25, 0.5, 0.75)), 5, 6, 7],
        ["BREAD", 2, 0, None, None, None, 0, 0, 1],
    ]


def test_two_purchases_of_one_day_are_no_gap() -> None:
    assert repurchase_rows(snapshot_of(("a", "MILK", 1), ("a", "MILK", 1)), NOTHING_DUE)[0][:3] == ["MILK", 1, 0]


def test_only_so_many_products_with_the_most_buyers_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repurchase, "MOST_PRODUCTS", 1)
    assert [row[0] for row in repurchase_rows(SNAPSHOT, NOTHING_DUE)] == ["MILK"]


def own_table(rows: dict[str, list[tuple[float, ...]]]) -> ListTable:
    records = [record for one in rows.values() for record in one]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in rows.values()])]).astype(np.int64)
    return ListTable(list(rows), starts, np.array(records, dtype=OWN), np.zeros(len(rows), np.uint8))


WEEK = math.log(7)
BOARD = own_table({
    "ann": [(1, 0.9, FIRST - 6, 5, WEEK, 0.2, 0.9), (0, 0.5, FIRST - 20, 3, WEEK, 0.2, 0.9)],
    "ben": [(1, 0.4, FIRST, 5, math.log(29), 0.2, 0.9), (0, 0.3, FIRST, 5, math.log(30), 0.2, 0.9)],
    "cleo": [(1, 0.6, FIRST - 7, 5, WEEK, 0.2, 0.9), (2, 0.7, FIRST - 4, 2, WEEK, 0.2, 0.5)],
})  # fmt: skip


def test_the_board_counts_pairs_by_day_and_category_and_names_the_likeliest() -> None:
    board = build_due_board(BOARD, PRODUCTS, FIRST)
    dairy, other = [0] * 30, [0] * 30
    dairy[0] = dairy[1] = dairy[29] = 1
    other[3] = 1
    assert board.document == {
        "days": 30, "pairs": 4, "customers": 3, "categories": ["Dairy", ""], "counts": [dairy, other],
    }  # fmt: skip
    assert {who: [line.product_id for line in lines] for who, lines in board.lines.items()} == {
        "ann": ["MILK"],
        "cleo": ["PEN", "MILK"],
        "ben": ["MILK"],
    }
    assert board.by_product.tolist() == [[0, 2, 1], [0, 2, 1], [0, 3, 1]]


def test_the_board_is_bounded_in_customers_lines_and_categories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due_board, "MOST_DUE_CUSTOMERS", 2)
    monkeypatch.setattr(due_board, "MOST_DUE_LINES", 1)
    board = build_due_board(BOARD, PRODUCTS, FIRST)
    assert {who: len(lines) for who, lines in board.lines.items()} == {"ann": 1, "cleo": 1}
    assert board.document["customers"] == 3


def test_an_empty_board() -> None:
    board = build_due_board(own_table({}), PRODUCTS, FIRST)
    assert (board.document["pairs"], board.document["counts"], dict(board.lines)) == (0, [], {})
    assert board.by_product.shape == (3, 3)


def test_who_comes_back_after_which_first_order() -> None:
    rows = first_order_rows(SNAPSHOT, PRODUCTS, FIRST + 330)
    # cleo ordered 30 days ago: she counts within 30 days, and not yet within 60
    assert rows["product"] == [["MILK", 3, 2 / 3, 1.0, 1.0, 1.0, None], ["BREAD", 1, 0.0, None, None, None, None]]
    assert [row[:3] for row in rows["category"]] == [["Dairy", 3, 2 / 3], ["Bakery", 1, 0.0]]


def test_tenths_add_up_to_everybody_the_best_first() -> None:
    table = make_table(
        *(make_profile(f"c{i}", orders=1, spent=float(i), predicted_clv=float(i * 10)) for i in range(25))
    )
    rows = value_now(table)
    assert [row[0] for row in rows] == [3] * 5 + [2] * 5
    assert sum(row[1] for row in rows) == sum(range(25))
    assert rows[0] == [3, 24 + 23 + 22, 690.0]
    assert value_now(make_table(make_profile("a", orders=1, predicted_clv=math.nan))) == []


def order_days(n_customers: int, *, until: int) -> pl.DataFrame:
    """Customer i orders every i + 3 days, for 2.00 each."""
    rows = [(f"c{i:03}", day, 2.0) for i in range(n_customers) for day in range(0, until + 1, i + 3)]
    return pl.DataFrame(rows, schema=ORDER_DAYS, orient="row").sort("customer_id", "day")


def test_the_forecast_stands_beside_a_recount_of_what_came() -> None:
    days = order_days(40, until=300)
    then = value_then(days, 300, 90)
    assert then is not None
    window = days.filter(pl.col("day") > 210)
    assert sum(row[2] for row in then["tenths"]) == len(window)
    assert sum(row[4] for row in then["tenths"]) == 2.0 * len(window)
    assert sum(row[0] for row in then["tenths"]) == 40
    assert then["tenths"][0][2] > then["tenths"][-1][2]
    assert (then["days"], then["from"]) == (90, "1970-07-31")


def test_a_forecast_of_many_customers_is_judged_by_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_tenths, "MOST_JUDGED", 20)
    then = value_then(order_days(40, until=300), 300, 90)
    assert then is not None
    assert sum(row[0] for row in then["tenths"]) == 20
    assert value_then(order_days(3, until=300), 300, 90) is None


def test_the_flow_counts_everybody_once_from_state_to_state() -> None:
    rows = [
        ("new", 300, 1.0),
        *(("gone", day, 1.0) for day in (0, 10, 20, 30)),
        *(("back", d, 1.0) for d in (200, 300)),
    ]
    flow = lifecycle_flow(pl.DataFrame(rows, schema=ORDER_DAYS, orient="row").sort("customer_id", "day"), 300, 90)
    counts = {
        (before, after): n
        for before, row in zip(flow["from"], flow["counts"], strict=True)
        for after, n in zip(flow["to"], row, strict=True)
        if n
    }
    assert sum(counts.values()) == 3
    assert counts["not_yet", "new"] == 1
    assert counts["lapsed", "lapsed"] == 1
    assert flow["since"] == "1970-07-30"


def test_the_bounds_are_those_that_are_stated() -> None:
    assert (bounds.MOST_PRODUCTS, bounds.MOST_DUE_CUSTOMERS, bounds.MOST_DUE_LINES) == (5_000, 10_000, 3)
