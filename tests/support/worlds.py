"""Named hand-made worlds: ledgers small enough to solve by eye, each with its known answers in its docstring.

Every world is a ledger as `training.ingest.ingest` returns it: cleaned, sorted by ordered_at, customer_id, order_id and
product_id. All purchases happen at noon UTC, before `AS_OF`. Build more with `ledger_of`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import polars as pl

AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
"""Midnight after the last day of every world."""

LEDGER_SCHEMA = {
    "customer_id": pl.String,
    "product_id": pl.String,
    "ordered_at": pl.Datetime("us", "UTC"),
    "order_id": pl.String,
    "quantity": pl.Float64,
    "unit_price": pl.Float64,
}


def ledger_of(purchases: Iterable[tuple[str, str, float]]) -> pl.DataFrame:
    """A ledger from (customer_id, product_id, days before AS_OF); one order per customer and day, quantity 1.

    0.5 days before AS_OF is noon of the last day; whole numbers are midnight of that day.
    """
    rows = []
    for customer_id, product_id, days_ago in purchases:
        ordered_at = AS_OF - timedelta(days=days_ago)
        rows.append((customer_id, product_id, ordered_at, f"{customer_id}-{ordered_at:%Y-%m-%d}", 1.0, 2.0))
    ledger = pl.DataFrame(rows, schema=LEDGER_SCHEMA, orient="row")
    return ledger.sort("ordered_at", "customer_id", "order_id", "product_id")


def empty_shop() -> pl.DataFrame:
    """Nobody ever bought anything: no rows, every column with its type. Every list of every kind is empty."""
    return ledger_of([])


def weekly_milk_buyer() -> pl.DataFrame:
    """ANNA bought MILK every 7 days, 20 times, the last time 5.5 days before AS_OF; BEN bought a KETTLE 40.5 days ago.

    Known answers: ANNA's gap is 7 days exactly (19 gaps, no spread), so MILK is due in 1.5 days: on 2026-11-21. Her
    buy-again list is MILK alone. BEN's kettle was never re-bought by anyone, so it stays far less likely than
    ANNA's milk. No order holds two products, so nothing is bought together. MILK is the best seller (20 to 1).
    """
    milk = [("ANNA", "MILK", 5.5 + 7 * week) for week in range(20)]
    return ledger_of([*milk, ("BEN", "KETTLE", 40.5)])


def one_off_buyer() -> pl.DataFrame:
    """ONCE bought a KETTLE and a PAN in one order 200.5 days ago and never came back; nobody else is there.

    Known answers: 1 order, 2 purchases, no gap, no repeat (repeat share 0). KETTLE and PAN were bought together in
    every order. There is no product that ONCE never bought, so the discover list is empty.
    """
    return ledger_of([("ONCE", "KETTLE", 200.5), ("ONCE", "PAN", 200.5)])


def new_customer() -> pl.DataFrame:
    """Ten regulars buy BREAD and MILK every week for 10 weeks, half of them CHEESE too; NEW bought BREAD yesterday.

    Known answers: BREAD (101 lines) sells better than MILK (100) better than CHEESE (50). NEW has a single purchase
    and no gap of its own, so its BREAD takes the product's weekly rhythm: due in 6.5 days. For NEW, discover has
    MILK and CHEESE. In orders of at least two products BREAD and MILK always go together.
    """
    regulars = [f"R{number}" for number in range(10)]
    weeks = [0.5 + 7 * week for week in range(10)]
    staples = [(customer, product, day) for customer in regulars for product in ("BREAD", "MILK") for day in weeks]
    cheese = [(customer, "CHEESE", day) for customer in regulars[::2] for day in weeks]
    return ledger_of([*staples, *cheese, ("NEW", "BREAD", 0.5)])


def two_tastes(*, group_size: int = 6) -> pl.DataFrame:
    """A checkerboard: group A buys products A0, A1, …, group B buys B0, B1, …; nobody crosses over.

    There are `group_size` customers `CA0, CA1, …` and `CB0, CB1, …` and as many products in each group. Customer
    number i misses exactly product number i of the own group and bought each of the others once, one order each
    (product j, 0.5 + j days before AS_OF).

    Known answers: the first product to discover is A{i} for CA{i} and B{i} for CB{i}, the one that is missing.
    Everything similar to an A is an A (before any B), everything similar to a B is a B. All products have the
    same number of buyers, group_size - 1, so popularity cannot tell them apart. No order holds two products.
    """
    numbers = range(group_size)
    return ledger_of(
        (f"C{group}{customer}", f"{group}{product}", 0.5 + product)
        for group in "AB"
        for customer in numbers
        for product in numbers
        if product != customer
    )
