import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from training.dataset.ledger_order import sort_ledger
from training.ingest.schema import LEDGER

COLUMNS = ("ordered_at", "customer_id", "order_id", "product_id", "quantity", "unit_price")
IDS = st.sampled_from(["", "1", "10", "9", "a", "B", "é", "𝒳"])
ROWS = st.tuples(st.integers(0, 2), IDS, IDS, IDS, st.sampled_from([0.5, 1.0, 2.0]), st.sampled_from([None, 0.0, 1.5]))


def rows_of(rows) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row", infer_schema_length=None)
    return frame.with_columns(pl.col("ordered_at").cast(pl.Int64)).cast({name: LEDGER[name] for name in COLUMNS})


@given(st.lists(ROWS, max_size=40))
def test_rows_are_sorted_by_all_columns_one_after_the_other(rows):
    ledger = rows_of(rows)
    assert ledger[sort_ledger(ledger)].rows() == ledger.sort(COLUMNS).rows()


def test_orders_of_one_moment_are_told_apart_wherever_they_stand():
    ledger = rows_of([(0, "1", order, product, 1.0, None) for order, product in ("bA", "aB", "cA", "aA")])
    assert ledger[sort_ledger(ledger)]["order_id"].to_list() == ["a", "a", "b", "c"]
