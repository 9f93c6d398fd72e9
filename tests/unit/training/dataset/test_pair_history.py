from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from training.dataset.pair_history import build_history, sum_by
from training.dataset.snapshot import build_snapshot

AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
LINES = [  # customer, product, days ago, order, quantity
    ("BEN", "MILK", 3, "o4", 1.0),
    ("ANNA", "MILK", 10, "o1", 2.0),
    ("ANNA", "BREAD", 10, "o1", 1.0),
    ("ANNA", "MILK", 3, "o2", 3.0),
    ("ANNA", "MILK", 3, "o3", 4.0),
]


def history_of(lines):
    rows = [(c, p, AS_OF - timedelta(days=d), o, q, 1.0) for c, p, d, o, q in lines]
    names = ["customer_id", "product_id", "ordered_at", "order_id", "quantity", "unit_price"]
    frame = pl.DataFrame(rows, schema=names, orient="row") if rows else empty_ledger(names)
    return build_history(build_snapshot(frame, AS_OF))


def empty_ledger(names):
    types = [pl.String, pl.String, pl.Datetime("us", "UTC"), pl.String, pl.Float64, pl.Float64]
    return pl.DataFrame(schema=dict(zip(names, types, strict=True)))


def test_orders_and_days_are_counted_apart():
    history = history_of(LINES)
    assert history.customer_index.tolist() == [0, 0, 1]  # ANNA with BREAD, ANNA with MILK, BEN with MILK
    assert history.product_index.tolist() == [0, 1, 1]
    assert history.orders.tolist() == [1, 3, 1]
    assert history.visits.tolist() == [1, 2, 1]


def test_visits_are_days_in_order_with_the_day_s_quantity():
    history = history_of(LINES)
    assert history.pair.tolist() == [0, 1, 1, 2]
    assert np.diff(history.day[1:3]).tolist() == [7]
    assert history.quantity.tolist() == [1, 2, 7, 1]
    assert history.first_visit.tolist() == [0, 1, 3]
    assert history.last_visit.tolist() == [0, 2, 3]
    assert history.sum_by_pair(history.quantity).tolist() == [1, 9, 1]


def test_an_empty_past_gives_empty_arrays():
    history = history_of([])
    assert len(history.pair) == len(history.orders) == len(history.visits) == len(history.quantity) == 0


def test_sum_by_gives_zero_where_there_is_nothing():
    assert sum_by(np.array([0, 2, 2]), np.array([1.5, 1, 1]), 4).tolist() == [1.5, 0, 2, 0]
