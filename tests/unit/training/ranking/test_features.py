import numpy as np
import polars as pl
import pytest

from recommender.settings import AlsSettings, Settings
from tests.support.evidence import evidence_of
from tests.support.worlds import AS_OF, empty_shop, ledger_of, weekly_milk_buyer
from training.ranking.features import build_features, find_candidates

SETTINGS = Settings(als=AlsSettings(factors=8))


def catalogue_of(ledger, categories=None):
    ids = sorted(ledger["product_id"].unique())
    names = [(categories or {}).get(each) for each in ids]
    return pl.DataFrame(
        {"product_id": ids, "title": [None] * len(ids), "category": names},
        schema=dict.fromkeys(("product_id", "title", "category"), pl.String),
    )


def features_of(ledger, categories=None):
    """Features by customer and product id."""
    evidence = evidence_of(ledger, catalogue_of(ledger, categories), AS_OF, SETTINGS)
    snapshot = evidence.snapshot
    candidates = find_candidates(evidence, np.arange(len(snapshot.customers)))
    rows = build_features(evidence, candidates).to_frame().rows(named=True)
    pairs = zip(candidates.customer_index, candidates.product_index, strict=True)
    return {(snapshot.customers[c], snapshot.products[p]): row for (c, p), row in zip(pairs, rows, strict=True)}


def test_a_weekly_buyer():
    """ANNA bought MILK 20 times, every 7 days, the last time 5.5 days ago."""
    row = features_of(weekly_milk_buyer())["ANNA", "MILK"]
    assert (row["pair_orders"], row["pair_gap"], row["pair_last_gap"]) == (20, 7, 7)
    assert (row["pair_days_since_first"], row["pair_days_since_last"]) == (139, 6)
    assert (row["pair_orders_since_last"], row["pair_in_last_3"], row["pair_share_of_orders"]) == (0, 3, 1)
    assert row["pair_log_gap"] == pytest.approx(np.log(7), abs=0.1)
    assert row["pair_decayed_0.67"] < row["pair_decayed_18"] < 20
    assert row["customer_orders"] == 20
    assert row["customer_order_gap"] == 7
    assert row["product_sold_1"] == pytest.approx(np.log1p(4))
    assert row["product_days_since_sold"] == 6


def test_a_product_never_bought_has_counts_of_0_and_no_days():
    row = features_of(weekly_milk_buyer())["ANNA", "KETTLE"]
    assert (row["pair_orders"], row["pair_decayed_6"], row["pair_due"], row["pair_in_last_3"]) == (0, 0, 0, 0)
    assert np.isnan([row["pair_days_since_last"], row["pair_gap"], row["pair_lateness"]]).all()
    assert row["product_age_days"] == 41


def test_a_single_purchase_has_no_gap():
    row = features_of(weekly_milk_buyer())["BEN", "KETTLE"]
    assert row["pair_orders"] == 1
    assert np.isnan([row["pair_gap"], row["pair_last_gap"], row["customer_order_gap"]]).all()


def test_the_chance_is_highest_when_it_is_due():
    """Everybody buys every 10 days; A did 9 days ago, B today."""
    days = [("A", 9.5), ("B", 0.5)]
    ledger = ledger_of((name, "TEA", day + 10 * i) for name, day in days for i in range(12))
    rows = features_of(ledger)
    assert rows["A", "TEA"]["pair_lateness"] > rows["B", "TEA"]["pair_lateness"]
    assert rows["A", "TEA"]["pair_log_elapsed_gaps"] == pytest.approx(0, abs=0.1)


def test_newcomers_and_what_comes_back_with_the_season():
    """STOLLEN sold a year ago in the 30 days that come now; NEW has been on sale for a week."""
    year_ago = [(f"C{i}", "STOLLEN", 350.5) for i in range(4)]
    ledger = ledger_of([*year_ago, *((f"C{i}", "TEA", 60.5) for i in range(4)), ("C0", "NEW", 3.5)])
    rows = features_of(ledger)
    assert rows["C1", "STOLLEN"]["product_season"] == pytest.approx(np.log1p(4))
    assert rows["C1", "STOLLEN"]["pair_season"] == 1
    assert rows["C1", "TEA"]["product_season"] == 0
    assert (rows["C1", "NEW"]["product_discovered_1"], rows["C1", "TEA"]["product_discovered_1"]) == (
        pytest.approx(np.log(2)),
        0,
    )


def test_owners_who_came_back_lately_and_orders_missed_since():
    """Of 20 who had bought TEA before the last 30 days, 9 did again; nobody has for 6 days, nor PAN for 50."""
    owners = [(f"C{i:02}", product, 50.5) for i in range(20) for product in ("TEA", "PAN")]
    ledger = ledger_of([*owners, *((f"C{i:02}", "TEA", 5.5) for i in range(9))])
    tea, pan = (features_of(ledger)["C00", product] for product in ("TEA", "PAN"))
    assert tea["product_conversion_1"] == pytest.approx(10 / 40)
    assert pan["product_conversion_1"] == pytest.approx(1 / 40)
    assert tea["product_missed_orders"] == pytest.approx(np.log1p(6 * 29.5 / 90))
    assert pan["product_missed_orders"] == pytest.approx(np.log1p(51 * 20.5 / 90))


def test_orders_count_by_those_that_came_after():
    """MILK was in the last order but one, and in the one before."""
    ledger = ledger_of([("A", "MILK", 300.5), ("A", "MILK", 299.5), ("A", "TEA", 1.5)])
    row = features_of(ledger)["A", "MILK"]
    assert row["pair_faded_0.8"] == pytest.approx(0.8 + 0.64)
    assert (row["pair_in_last_10"], features_of(ledger)["A", "TEA"]["pair_faded_0.8"]) == (2, 1)


def test_what_was_bought_of_the_same_category():
    ledger = ledger_of([("A", "RED", 9.5), ("A", "RED", 2.5), ("B", "BLUE", 3.5), ("B", "PAN", 3.5)])
    rows = features_of(ledger, {"RED": "paint", "BLUE": "paint"})
    assert (rows["A", "BLUE"]["category_lines"], rows["A", "BLUE"]["category_days_since_last"]) == (2, 3)
    assert rows["B", "RED"]["category_lines"] == 1
    assert np.isnan(rows["A", "PAN"]["category_lines"])


def test_prices_are_those_of_the_past_and_compared_with_what_the_customer_pays():
    ledger = ledger_of([("A", "TEA", 9.5), ("B", "GOLD", 2.5), ("B", "TEA", 2.5)])
    gold = pl.col("product_id") == "GOLD"
    rows = features_of(ledger.with_columns(unit_price=pl.when(gold).then(500.0).otherwise(2.0)))
    assert rows["A", "TEA"]["match_price"] == 0
    assert rows["A", "GOLD"]["match_price"] == pytest.approx(np.log(501 / 3), rel=1e-4)
    assert rows["B", "GOLD"]["product_price"] == pytest.approx(np.log(501))


def test_a_product_without_a_price():
    ledger = ledger_of([("A", "TEA", 9.5)]).with_columns(unit_price=pl.lit(None, pl.Float64))
    assert np.isnan(features_of(ledger)["A", "TEA"]["match_price"])


def test_nothing_is_infinite():
    rows = features_of(ledger_of([("A", "TEA", 0.0), ("B", "MILK", 800.5), ("B", "TEA", 0.0)]))
    values = np.array([list(row.values()) for row in rows.values()])
    assert not np.isinf(values).any()


def test_an_empty_shop():
    assert features_of(empty_shop()) == {}


def test_titles_of_products_that_are_still_to_come_change_nothing():
    """LATER would make "rose" a word of two titles."""
    ledger = ledger_of([("A", "P1", 9.5), ("B", "P2", 2.5)])
    catalogue = pl.DataFrame({"product_id": ["LATER", "P1", "P2"], "title": ["Rose cup", "Rose mug", "Blue lamp"]})
    evidence = evidence_of(ledger, catalogue.with_columns(category=pl.lit(None, pl.String)), AS_OF, SETTINGS)
    assert evidence.shop.tastes.words.shape == (3, 0)
