"""The ledger before a moment, with dense indices."""

import math

import numpy as np
import polars as pl

from tests.support.worlds import AS_OF, ledger_of, two_tastes
from training.dataset.coded_ids import code_ids
from training.dataset.snapshot import build_snapshot


def test_coded_ids_change_nothing():
    ledger = ledger_of([("B", "TEA", 3.5), ("A", "MILK", 2.5), ("C", "TEA", 2.5), ("A", "JAM", 1.5), ("A", "TEA", 1.5)])
    coded = code_ids(ledger)
    assert coded["customer_id"].dtype == pl.Enum(["A", "B", "C"])
    places = ledger["order_id"].rank("dense").cast(pl.UInt32) - 1
    assert coded.cast({"customer_id": pl.String, "product_id": pl.String}).equals(ledger.with_columns(places))
    assert code_ids(coded).equals(coded)
    plain, of_codes = build_snapshot(ledger, AS_OF, ["BREAD"]), build_snapshot(coded, AS_OF, ["BREAD"])
    assert list(plain.products) == list(of_codes.products) == ["BREAD", "JAM", "MILK", "TEA"]
    assert list(plain.customers) == list(of_codes.customers)
    for name in ("customer_index", "product_index", "order_index", "day", "quantity"):
        assert getattr(of_codes, name).tolist() == getattr(plain, name).tolist()


def test_fractional_quantities_add_up_to_the_same_bytes_each_time():
    # all add up to a number halfway between two float32: which of them it becomes, the order of the sum decides
    quantities = np.random.default_rng(0).random(30).tolist()
    quantities.append(64 + 2.0**-18 - math.fsum(quantities))
    customers = [f"C{number}" for number in range(500)]
    ledger = ledger_of((customer, "FLOUR", 2.5) for _ in quantities for customer in customers)
    ledger = ledger.with_columns(quantity=pl.Series(quantities * len(customers)))  # it is sorted by customer
    shuffled = ledger.sample(fraction=1.0, shuffle=True, seed=0)
    first, *others = (build_snapshot(shuffled, AS_OF).quantity for _ in range(5))
    assert {each.tobytes() for each in others} == {first.tobytes()}


def test_some_customers_at_a_time_are_the_same_snapshot(monkeypatch):
    ledger = code_ids(two_tastes())
    whole = build_snapshot(ledger, AS_OF)
    monkeypatch.setattr("training.dataset.coded_ids._LINES", 7)
    runs = build_snapshot(ledger, AS_OF)
    assert (list(runs.customers), list(runs.products)) == (list(whole.customers), list(whole.products))
    for name in ("customer_index", "product_index", "order_index", "day", "quantity"):
        assert getattr(runs, name).tobytes() == getattr(whole, name).tobytes()


def test_every_second_customer_with_the_indices_of_all():
    snapshot = build_snapshot(ledger_of([(f"C{n}", "TEA", n + 0.5) for n in range(5)]), AS_OF)
    half = snapshot.of_every(2)
    assert half.customer_index.tolist() == [0, 2, 4]
    assert half.day.tolist() == snapshot.day[::2].tolist()
    assert half.customers is snapshot.customers
    assert snapshot.of_every(1) is snapshot
