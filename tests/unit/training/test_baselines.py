"""The two baselines on small worlds, and on the protocol that others can repeat."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tests.worlds import AS_OF, empty_shop, ledger_of
from training.baselines import decayed_own, popular
from training.evaluate import evaluate_window
from training.snapshot import Snapshot, build_snapshot
from training.split import split_window

ONLINE_RETAIL = Path(__file__).parents[3] / "../shared/data/online-retail-ii.parquet"
RANKING = {
    "customer_id": pl.String,
    "product_id": pl.String,
    "rank": pl.Int32,
    "score": pl.Float32,
    "kind": pl.String,
}


@pytest.fixture
def snapshot() -> Snapshot:
    """MILK has 3 recent buyers, JAM 2, TEA 1 who came back for it often, OLD none within 30 days."""
    recent = [("ANNA", "MILK", 1), ("BEN", "MILK", 2), ("CARL", "MILK", 3), ("ANNA", "JAM", 1), ("BEN", "JAM", 2)]
    often = [("CARL", "TEA", day) for day in range(4, 10)]
    long_ago = [("ANNA", "OLD", 181), ("ANNA", "OLD", 182), ("ANNA", "OLD", 183)]
    return build_snapshot(ledger_of([*recent, *often, *long_ago]), AS_OF)


def ids(*names: str) -> pl.Series:
    return pl.Series("customer_id", names, dtype=pl.String)


def lists(ranking: pl.DataFrame) -> dict[str, list[str]]:
    by_customer = ranking.group_by("customer_id", maintain_order=True).agg("product_id")
    return dict(by_customer.rows())


def test_popular_counts_buyers_not_purchases(snapshot):
    assert lists(popular(snapshot, ids("BEN", "ANNA"), 10)) == {
        "ANNA": ["MILK", "JAM", "TEA"],
        "BEN": ["MILK", "JAM", "TEA"],
    }


def test_popular_takes_the_smaller_id_of_equals():
    snapshot = build_snapshot(ledger_of([("ANNA", product, 1) for product in ("C", "A", "B")]), AS_OF)
    assert lists(popular(snapshot, ids("ANNA"), 2)) == {"ANNA": ["A", "B"]}


def test_popular_in_a_shop_that_was_closed_is_what_sold_last():
    snapshot = build_snapshot(ledger_of([("ANNA", "MILK", 100), ("ANNA", "TEA", 140)]), AS_OF)
    assert lists(popular(snapshot, ids("ANNA"), 10)) == {"ANNA": ["MILK"]}


def test_decayed_own_counts_orders_by_age_and_is_filled_with_best_sellers(snapshot):
    ranking = decayed_own(snapshot, ids("ANNA"), 10, half_life_days=180)
    # three orders half a year old weigh about half each: more than one of yesterday
    assert lists(ranking) == {"ANNA": ["OLD", "JAM", "MILK", "TEA"]}
    assert ranking["kind"].to_list() == ["buy_again"] * 3 + ["popular"]
    assert ranking["rank"].to_list() == [1, 2, 3, 4]
    assert ranking["score"].to_list() == pytest.approx([1.488, 0.996, 0.996, 0], abs=1e-3)


def test_decayed_own_with_a_short_half_life_prefers_what_is_recent(snapshot):
    assert lists(decayed_own(snapshot, ids("ANNA"), 10, half_life_days=30))["ANNA"][:2] == ["JAM", "MILK"]


def test_decayed_own_stops_at_k(snapshot):
    assert lists(decayed_own(snapshot, ids("ANNA", "CARL"), 2, half_life_days=180)) == {
        "ANNA": ["OLD", "JAM"],
        "CARL": ["TEA", "MILK"],
    }


def test_a_customer_without_a_past_gets_best_sellers(snapshot):
    assert lists(decayed_own(snapshot, ids("NEW"), 2, half_life_days=180)) == {"NEW": ["MILK", "JAM"]}


@pytest.mark.parametrize("ledger", [empty_shop(), ledger_of([("ANNA", "MILK", 1)])])
def test_both_give_a_ranking_whatever_the_shop(ledger):
    snapshot = build_snapshot(ledger, AS_OF)
    customers = ids(*snapshot.customers)
    for ranking in (popular(snapshot, customers, 5), decayed_own(snapshot, customers, 5, 180)):
        assert ranking.schema == RANKING
        assert len(ranking) == len(ledger)


@pytest.mark.skipif(not ONLINE_RETAIL.exists(), reason="needs ../shared/data/online-retail-ii.parquet")
def test_online_retail_gives_the_known_figures():
    """30 days from 2011-10-01: decayed own counts .140 / .294 mixed, popularity .028 / .062 for discover."""
    cut = datetime(2011, 10, 1, tzinfo=UTC)
    window = split_window(read_online_retail(), cut, 30)
    snapshot = build_snapshot(window.past, cut)
    evaluation = evaluate_window(
        window,
        {
            "popular": popular(snapshot, window.customers, 100),
            "decayed_own": decayed_own(snapshot, window.customers, 100, 180),
        },
    )
    assert evaluation.n_customers == 1107
    own, best = evaluation.scores["decayed_own"], evaluation.scores["popular"]
    assert [own["recall@10"], own["ndcg@10"]] == pytest.approx([0.140, 0.294], abs=0.002)
    assert [best["discover_recall@10"], best["discover_ndcg@10"]] == pytest.approx([0.028, 0.062], abs=0.001)


def read_online_retail() -> pl.DataFrame:
    """Purchases of products by known customers at a price; cancellations are left out, not netted."""
    kept = (
        ~pl.col("Invoice").str.starts_with("C")
        & pl.col("Customer ID").is_not_null()
        & (pl.col("Price") > 0)
        & (pl.col("Quantity") > 0)
        & pl.col("StockCode").str.contains(r"^\d{5}[A-Za-z]*$")
    )
    return (
        pl.scan_parquet(ONLINE_RETAIL)
        .filter(kept)
        .select(
            customer_id=pl.col("Customer ID").cast(pl.String),
            product_id="StockCode",
            ordered_at=pl.col("InvoiceDate").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            order_id="Invoice",
            quantity=pl.col("Quantity").cast(pl.Float64),
            unit_price="Price",
        )
        .collect()
    )
