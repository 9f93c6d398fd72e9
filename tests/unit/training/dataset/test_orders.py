from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.dataset.orders import build_orders
from training.dataset.snapshot import build_snapshot


def test_orders_by_customer_and_day():
    ledger = ledger_of([("A", "TEA", 9.5), ("A", "MILK", 9.5), ("A", "TEA", 2.5), ("B", "TEA", 5.5)])
    orders = build_orders(build_snapshot(ledger, AS_OF))
    assert orders.customer_index.tolist() == [0, 0, 1]
    assert (orders.day - orders.day[0]).tolist() == [0, 7, 4]
    assert orders.lines.tolist() == [2, 1, 1]
    assert orders.later.tolist() == [1, 0, 0]


def test_an_empty_shop_has_no_orders():
    orders = build_orders(build_snapshot(empty_shop(), AS_OF))
    assert [len(each) for each in (orders.customer_index, orders.day, orders.lines, orders.later)] == [0, 0, 0, 0]
