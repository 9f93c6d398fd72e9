from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.ingest.refunds import net_refunds

START = datetime(2024, 1, 1, tzinfo=UTC)


def rows(*lines):
    """(day, order, quantity) or (day, order, quantity, of_order) of one customer and product."""
    return pl.DataFrame(
        {
            "customer_id": ["c"] * len(lines),
            "product_id": ["p"] * len(lines),
            "order_id": [line[1] for line in lines],
            "ordered_at": [START + timedelta(days=line[0]) for line in lines],
            "quantity": [float(line[2]) for line in lines],
            "of_order": [len(line) > 3 for line in lines],
        },
        schema_overrides={"ordered_at": pl.Datetime("us", "UTC")},
    )


def left(netted):
    return sorted(netted.purchases.select("order_id", "quantity").iter_rows())


def test_the_latest_earlier_purchase_goes_first():
    netted = net_refunds(rows((0, "a", 5), (1, "b", 2), (2, "r", -3), (3, "c", 7)))
    assert left(netted) == [("a", 4.0), ("c", 7.0)]
    assert (netted.lines, netted.units, netted.purchases_gone, netted.unmatched_lines) == (1, 3.0, 1, 0)


def test_what_finds_no_earlier_purchase_is_counted():
    netted = net_refunds(rows((0, "r", -2), (1, "a", 5), (2, "s", -6)))
    assert left(netted) == []
    assert (netted.unmatched_lines, netted.unmatched_units) == (2, 3.0)


def test_at_the_same_moment_the_purchase_comes_first():
    assert left(net_refunds(rows((0, "r", -1), (0, "a", 1)))) == []


def test_a_refund_of_an_order_leaves_other_orders_alone():
    netted = net_refunds(rows((0, "a", 1), (1, "b", 1), (2, "a", -1, True)))
    assert left(netted) == [("b", 1.0)]


def test_a_refunded_line_alone_was_the_purchase_itself():
    netted = net_refunds(rows((0, "a", 1), (1, "b", -1, True)))
    assert left(netted) == [("a", 1.0)]
    assert (netted.void_lines, netted.unmatched_lines) == (1, 0)


def test_without_refunds_nothing_changes():
    bought = rows((0, "a", 1))
    assert net_refunds(bought).purchases.equals(bought)


@given(st.lists(st.integers(min_value=-4, max_value=4).filter(bool), min_size=1, max_size=12))
def test_the_running_sums_do_what_a_stack_does(quantities):
    stack, unmatched = [], 0
    for day, quantity in enumerate(quantities):
        if quantity > 0:
            stack.append([f"{day:02}", quantity])
            continue
        owed = -quantity
        while owed and stack:
            taken = min(owed, stack[-1][1])
            owed, stack[-1][1] = owed - taken, stack[-1][1] - taken
            if not stack[-1][1]:
                stack.pop()
        unmatched += owed
    netted = net_refunds(rows(*((day, f"{day:02}", quantity) for day, quantity in enumerate(quantities))))
    assert left(netted) == [tuple(layer) for layer in stack]
    assert netted.unmatched_units == pytest.approx(unmatched)
