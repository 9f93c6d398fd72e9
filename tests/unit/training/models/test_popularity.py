from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from recommender.publication.lists import RANKED, WHOLE_SHOP
from tests.support.worlds import AS_OF, empty_shop, ledger_of
from training.dataset.id_map import IdMap
from training.dataset.snapshot import Snapshot, build_snapshot
from training.models.popularity import best_sellers, build_popular, trend


def snapshot_of(purchases, as_of: datetime = AS_OF) -> Snapshot:
    return build_snapshot(ledger_of(purchases), as_of)


def rows(table, owner: str) -> list[tuple[int, float]]:
    position = list(table.owner_ids).index(owner)
    return table.records[table.starts[position] : table.starts[position + 1]].tolist()


def test_an_order_one_half_life_older_counts_half():
    snapshot = snapshot_of([("A", "MILK", 0.5), ("B", "MILK", 30.5), ("C", "BREAD", 60.5)])
    assert best_sellers(snapshot, 30.0).tolist() == [0.25, 1.5]


def test_a_wholesale_quantity_is_one_sale():
    ledger = ledger_of([("A", "MILK", 0.5), ("B", "BREAD", 0.5), ("C", "BREAD", 0.5)])
    ledger = ledger.with_columns(
        quantity=pl.when(pl.col("product_id") == "MILK").then(1000.0).otherwise(pl.col("quantity"))
    )
    assert best_sellers(build_snapshot(ledger, AS_OF), 30.0).tolist() == [2, 1]


def test_a_shop_that_was_closed_for_centuries_still_has_best_sellers():
    purchases = [("A", "MILK", 0.5), ("B", "MILK", 1.5), ("B", "BREAD", 1.5)]
    later = datetime(2500, 1, 1, tzinfo=UTC)
    now, then = best_sellers(snapshot_of(purchases), 30.0), best_sellers(snapshot_of(purchases, later), 30.0)
    assert then.tolist() == now.tolist()
    assert (then > 0).all()
    assert (trend(snapshot_of(purchases, later)) > 0).all()


def test_trend_prefers_what_sells_more_than_before():
    steady = [(f"C{n}", "STEADY", 0.5 + 30 * window) for window in range(4) for n in range(20)]
    rising = [(f"C{n}", "RISING", 0.5) for n in range(20)]
    gone = [(f"C{n}", "GONE", 40.5) for n in range(20)]
    assert trend(snapshot_of([*steady, *rising, *gone])).tolist() == [0, 20 * 25 / 5, 20]


def test_trend_shrinks_small_numbers():
    assert trend(snapshot_of([("A", "NEW", 0.5)])).tolist() == pytest.approx([6 / 5])


def test_whole_shop_first_then_categories_by_name():
    products = IdMap(["P0", "P1", "P2", "P3", "P4"])
    scores = np.array([1, 3, 2, 0, 2], dtype=np.float32)
    table = build_popular(scores, products, ["Tea", "Bread", "Tea", "Tea", None], k=3)
    assert list(table.owner_ids) == [WHOLE_SHOP, "Bread", "Tea"]
    assert rows(table, WHOLE_SHOP) == [(1, 3), (2, 2), (4, 2)]
    assert rows(table, "Bread") == [(1, 3)]
    assert rows(table, "Tea") == [(2, 2), (0, 1)]  # P3 was never sold
    assert table.records.dtype == RANKED


def test_each_list_is_cut_at_k_and_an_unsold_category_is_empty():
    table = build_popular(np.array([2, 1, 0], np.float32), IdMap("abc"), ["X", "X", "Y"], k=1)
    assert rows(table, "X") == [(0, 2)]
    assert rows(table, "Y") == []


def test_a_score_beyond_float16_is_clipped():
    table = build_popular(np.array([1e6], np.float32), IdMap("a"), [None], k=1)
    assert np.isfinite(table.records["score"]).all()


def test_an_empty_shop():
    snapshot = build_snapshot(empty_shop(), AS_OF)
    assert best_sellers(snapshot, 30.0).shape == trend(snapshot).shape == (0,)
    assert rows(build_popular(best_sellers(snapshot, 30.0), snapshot.products, [], k=5), WHOLE_SHOP) == []


def test_products_of_the_catalogue_that_nobody_bought_score_zero():
    snapshot = build_snapshot(ledger_of([("A", "MILK", 0.5)]), AS_OF + timedelta(days=1), ["SOFA"])
    assert best_sellers(snapshot, 30.0).tolist() == [1, 0]
