"""The baselines on small worlds, and on the protocol that others can repeat."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recommender.settings import AlsSettings
from tests.support.worlds import AS_OF, empty_shop, ledger_of, two_tastes
from training.dataset.snapshot import Snapshot, build_snapshot
from training.dataset.split import split_window
from training.evaluation.baselines import als_alone, bpr, decayed_own, item_cosine, own_counts, popular, sar, trending
from training.evaluation.boosted_counts import boosted_counts
from training.evaluation.scores import score_ranking
from training.evaluation.tifu_knn import Tifu, tifu_knn
from training.evaluation.top_k import Scorer, rank_by

ONLINE_RETAIL = Path(__file__).parents[4] / "../shared/data/online-retail-ii.parquet"
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


def first(scorer: Scorer, snapshot: Snapshot, *customers: str, k: int = 10) -> dict[str, list[str]]:
    return lists(rank_by(scorer, snapshot, ids(*customers), k))


def test_sar_is_the_decayed_count_by_the_share_of_common_buyers(snapshot):
    """MILK and JAM: 2 of 3 buyers bought both; TEA and MILK: 1 of 3. ANNA's JAM is a day old, her OLD half a year."""
    scores = sar(snapshot, 1.0)(snapshot.customers.indices(["CARL"], unknown="raise"))[0]
    milk, tea = 0.5**3, sum(0.5**day for day in range(4, 10))
    expected = {"JAM": milk * 2 / 3, "MILK": milk + tea / 3, "TEA": tea + milk / 3, "OLD": milk / 3}
    found = dict(zip(snapshot.products, scores.tolist(), strict=True))
    assert found == pytest.approx(expected, rel=1e-5)


def test_sar_in_blocks_is_the_same(snapshot, monkeypatch):
    everybody = snapshot.customers.indices(["ANNA", "BEN", "CARL"], unknown="raise")
    whole = sar(snapshot, 30.0)(everybody)
    monkeypatch.setattr("training.evaluation.baselines._BLOCK_PRODUCTS", 3)
    assert sar(snapshot, 30.0)(everybody).tolist() == whole.tolist()


def test_boosted_counts_learn_what_is_bought_again():
    """For half a year everybody has bought what is their own each fortnight, and something else once."""
    own = [(f"C{i:02}", f"OWN{i % 5}", day + 0.5) for i in range(60) for day in range(0, 180, 14)]
    once = [(f"C{i:02}", f"ONCE{i % 7}", 100.5) for i in range(60)]
    snapshot = build_snapshot(ledger_of([*own, *once]), AS_OF)
    found = first(boosted_counts(snapshot, 30, 0), snapshot, "C03", "C11")
    assert (found["C03"][0], found["C11"][0]) == ("OWN3", "OWN1")


@pytest.mark.parametrize("ledger", [empty_shop(), ledger_of([("A", "TEA", 1.5)]), ledger_of([("A", "TEA", 90.5)])])
def test_boosted_counts_with_nothing_to_learn_from_score_nothing(ledger):
    snapshot = build_snapshot(ledger, AS_OF)
    assert not boosted_counts(snapshot, 30, 0)(np.arange(len(snapshot.customers))).any()


def test_popular_counts_buyers_not_purchases(snapshot):
    assert first(popular(snapshot), snapshot, "BEN") == {"BEN": ["MILK", "JAM", "TEA"]}


def test_popular_in_a_shop_that_was_closed_is_what_sold_last():
    snapshot = build_snapshot(ledger_of([("ANNA", "MILK", 100), ("ANNA", "TEA", 140)]), AS_OF)
    assert first(popular(snapshot), snapshot, "ANNA") == {"ANNA": ["MILK"]}


def test_trending_counts_orders(snapshot):
    assert first(trending(snapshot), snapshot, "BEN") == {"BEN": ["TEA", "MILK", "JAM"]}


def test_own_counts_are_filled_with_best_sellers(snapshot):
    assert first(own_counts(snapshot), snapshot, "ANNA", "CARL") == {
        "ANNA": ["OLD", "JAM", "MILK", "TEA"],
        "CARL": ["TEA", "MILK", "JAM"],
    }


def test_decayed_own_counts_orders_by_age(snapshot):
    ranking = rank_by(decayed_own(snapshot, half_life_days=180), snapshot, ids("ANNA"), 10)
    # three orders half a year old weigh about half each: more than one of yesterday
    assert lists(ranking) == {"ANNA": ["OLD", "JAM", "MILK", "TEA"]}
    assert ranking["kind"].to_list() == ["buy_again"] * 3 + ["discover"]
    assert ranking["rank"].to_list() == [1, 2, 3, 4]
    assert ranking["score"].to_list() == pytest.approx([1.488, 0.996, 0.996, -1 / 2], abs=1e-3)


def test_decayed_own_with_a_short_half_life_prefers_what_is_recent(snapshot):
    assert first(decayed_own(snapshot, 30), snapshot, "ANNA")["ANNA"][:2] == ["JAM", "MILK"]


def test_popularity_decides_between_equals_and_then_over_own_orders(snapshot):
    assert first(decayed_own(snapshot, 180, 0.1), snapshot, "ANNA")["ANNA"] == ["OLD", "MILK", "JAM", "TEA"]
    assert first(decayed_own(snapshot, 180, 50), snapshot, "CARL")["CARL"] == ["MILK", "JAM", "TEA"]


@pytest.mark.parametrize(
    "learn",
    [
        item_cosine,
        lambda snapshot: als_alone(snapshot, AlsSettings(factors=4), seed=0),
        lambda snapshot: bpr(snapshot, 4, seed=0),
        lambda snapshot: tifu_knn(snapshot, Tifu(neighbours=4, own=0.5)),
    ],
)
def test_what_learns_from_others_finds_the_product_that_is_missing(learn):
    """A customer of group A has yet to discover one product of it, and bought no B."""
    snapshot = build_snapshot(two_tastes(), AS_OF)
    ranking = rank_by(learn(snapshot), snapshot, ids("CA0", "CB3"), 10)
    new = ranking.filter(pl.col("kind") == "discover").group_by("customer_id", maintain_order=True).first()
    assert new["product_id"].to_list() == ["A0", "B3"]


@pytest.mark.parametrize("ledger", [empty_shop(), ledger_of([("ANNA", "MILK", 1)])])
@pytest.mark.parametrize(
    "learn", [popular, trending, own_counts, lambda snapshot: decayed_own(snapshot, 180), item_cosine]
)
def test_all_give_a_ranking_whatever_the_shop(ledger, learn):
    snapshot = build_snapshot(ledger, AS_OF)
    ranking = rank_by(learn(snapshot), snapshot, ids(*snapshot.customers), 5)
    assert ranking.schema == RANKING
    assert len(ranking) == len(ledger)


@pytest.mark.skipif(not ONLINE_RETAIL.exists(), reason="needs ../shared/data/online-retail-ii.parquet")
def test_online_retail_gives_the_known_figures():
    """30 days from 2011-10-01: decayed own counts .140 / .294 mixed, popularity .028 / .062 for discover."""
    cut = datetime(2011, 10, 1, tzinfo=UTC)
    window = split_window(read_online_retail(), cut, 30)
    snapshot = build_snapshot(window.past, cut)
    own, best = (
        score_ranking(rank_by(scorer, snapshot, window.customers, 10), window, (10,))
        for scorer in (decayed_own(snapshot, 180), popular(snapshot))
    )
    assert own["n_customers"] == 1107
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
