import numpy as np
import pytest

from recommender.settings import AlsSettings, Settings
from tests.support.worlds import AS_OF, empty_shop, ledger_of, two_tastes
from training.dataset.orders import build_orders
from training.dataset.pair_history import build_history
from training.dataset.snapshot import build_snapshot
from training.models import affinity
from training.models.affinity import find_affinities, fit_tastes, measure

SETTINGS = Settings(als=AlsSettings(factors=8, alpha=3.0, regularization=10.0))
MEASURES = {
    "als", "als_timeless", "neighbours", "together", "together_last", "discovery", "peers", "titles", "titles_last",
}  # fmt: skip


def measures_of(ledger, titles=None):
    """The snapshot, and every measure as a table of customers by products."""
    snapshot = build_snapshot(ledger, AS_OF)
    titles = titles or [None] * len(snapshot.products)
    history, orders = build_history(snapshot), build_orders(snapshot)
    affinities = find_affinities(snapshot, history, orders, fit_tastes(snapshot, history, orders, titles, SETTINGS))
    measures = measure(affinities, np.arange(len(snapshot.customers)))
    factors = {name: customers @ products.T for name, (customers, products) in measures.factors.items()}
    return snapshot, factors | {name: matrix.toarray() for name, matrix in measures.sparse.items()}


@pytest.mark.parametrize("name", ["als", "als_timeless", "neighbours", "discovery", "peers"])
def test_the_product_of_the_own_kind_is_nearer_than_any_other_that_is_new(name):
    """Customer CAi has all products of kind A but Ai: that one is nearer than every B."""
    snapshot, measures = measures_of(two_tastes())
    for i in range(6):
        row = measures[name][snapshot.customers.ids.index(f"CA{i}")]
        others = [row[j] for j, product in enumerate(snapshot.products) if product[0] == "B"]
        assert row[snapshot.products.ids.index(f"A{i}")] > max(others)


def test_what_goes_with_the_last_order():
    orders = [(f"C{i}", product, 5.5) for i in range(5) for product in ("CUP", "SAUCER")]
    snapshot, measures = measures_of(ledger_of([*orders, ("NEW", "PAN", 9.5), ("NEW", "CUP", 1.5)]))
    row = measures["together_last"][snapshot.customers.ids.index("NEW")]
    assert row.argmax() == snapshot.products.ids.index("SAUCER")
    assert row[snapshot.products.ids.index("PAN")] == 0


def test_the_share_of_like_customers_who_bought_a_product_lately():
    """A is like B, who bought JAM this month, and C, who bought it long ago; everybody buys TEA, which says nothing."""
    lines = [(customer, product, 100.5) for customer in "ABC" for product in ("OATS", "TEA")]
    lines += [("C", "JAM", 100.5), ("B", "JAM", 9.5), ("C", "OATS", 9.5), ("D", "TEA", 9.5), ("D", "PAN", 9.5)]
    snapshot, measures = measures_of(ledger_of(lines))
    row = measures["peers"][snapshot.customers.ids.index("A")]
    jam, pan, tea = (row[snapshot.products.ids.index(each)] for each in ("JAM", "PAN", "TEA"))
    assert 0.3 < jam < 0.7
    assert (pan, tea) == (0, 0)


def test_nobody_is_a_peer_of_oneself():
    snapshot, measures = measures_of(ledger_of([("A", "TEA", 9.5), ("B", "TEA", 8.5), ("B", "JAM", 8.5)]))
    assert measures["peers"][snapshot.customers.ids.index("B"), snapshot.products.ids.index("JAM")] == 0


def test_titles_alike():
    ledger = ledger_of([("A", "P1", 1.5), ("B", "P2", 1.5), ("B", "P3", 1.5), ("B", "P4", 1.5), ("B", "P5", 1.5)])
    snapshot, measures = measures_of(ledger, ["rose mug", "rose plate", "blue chair", "blue lamp", None])
    assert measures["titles"][snapshot.customers.ids.index("A")].argsort()[::-1][:2].tolist() == [0, 1]


def test_every_measure_of_every_customer_for_every_product():
    _, measures = measures_of(two_tastes())
    assert set(measures) == MEASURES
    assert {each.shape for each in measures.values()} == {(12, 12)}
    assert {each.dtype for each in measures.values()} == {np.dtype(np.float32)}


def test_a_large_shop_fits_one_thing_after_the_other_to_the_same_bytes(monkeypatch):
    _, before = measures_of(two_tastes())
    monkeypatch.setattr(affinity, "_LARGE", 0)
    _, after = measures_of(two_tastes())
    assert {name: each.tobytes() for name, each in after.items()} == {n: each.tobytes() for n, each in before.items()}


def test_an_empty_shop():
    _, measures = measures_of(empty_shop())
    assert {each.shape for each in measures.values()} == {(0, 0)}
