from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recommender.publication.lists import OWN, Own, PublishedList
from recommender.slate.due import due
from tests.support.worlds import AS_OF, empty_shop, ledger_of, new_customer, one_off_buyer, weekly_milk_buyer
from training.dataset.pair_history import build_history
from training.dataset.snapshot import Snapshot, build_snapshot
from training.models import repurchase
from training.models.buy_again import OwnLists, build_buy_again
from training.models.repurchase import PairRhythms, find_rhythms, fit_rhythms

ONLINE_RETAIL = Path(__file__).parents[4] / "../shared/data/online-retail-ii.parquet"


def learn(purchases, categories=None) -> tuple[Snapshot, PairRhythms]:
    ledger = purchases if isinstance(purchases, pl.DataFrame) else ledger_of(purchases)
    snapshot = build_snapshot(ledger, AS_OF)
    return snapshot, rhythms_of(snapshot, categories)


def rhythms_of(snapshot: Snapshot, categories=None) -> PairRhythms:
    history = build_history(snapshot)
    return find_rhythms(history, fit_rhythms(snapshot, history, categories or [None] * len(snapshot.products)))


def lists(snapshot: Snapshot, rhythm: PairRhythms, k: int = 10) -> dict[str, list[str]]:
    table = build_buy_again(snapshot, rhythm, k, 180.0).table
    assert list(table.owner_ids) == list(snapshot.customers)
    names = [snapshot.products[index] for index in table.records["product_index"]]
    return {owner: names[table.starts[i] : table.starts[i + 1]] for i, owner in enumerate(table.owner_ids)}


def every(days: float, times: int, product: str, customer: str = "ANNA", last: float = 0.5):
    return [(customer, product, last + days * n) for n in range(times)]


def one_time_buyers(product: str, count: int, days_ago: float):
    return [(f"{product}-{n}", product, days_ago) for n in range(count)]


def pair(snapshot: Snapshot, rhythm: PairRhythms, customer: str, product: str) -> int:
    where = (rhythm.history.customer_index == list(snapshot.customers).index(customer)) & (
        rhythm.history.product_index == list(snapshot.products).index(product)
    )
    return int(np.flatnonzero(where)[0])


def test_a_weekly_buyer_has_a_weekly_rhythm():
    snapshot, rhythm = learn(weekly_milk_buyer())
    milk = pair(snapshot, rhythm, "ANNA", "MILK")
    assert np.exp(rhythm.pairs.log_gap[milk]) == pytest.approx(7, abs=0.2)
    assert rhythm.pairs.return_share[milk] > 0.9


def test_weekly_milk_is_due_on_its_day():
    snapshot, rhythm = learn(weekly_milk_buyer())
    table = build_buy_again(snapshot, rhythm, 10, 180.0).table
    own = PublishedList("buy_again", dict(table.encode(0, 2))["ANNA"]).records[0]
    assert isinstance(own, Own)
    assert own.purchases == 20
    assert due(own, AS_OF).at.isoformat() == "2026-11-21"


def test_a_newcomer_takes_the_rhythm_of_the_product():
    snapshot, rhythm = learn(new_customer())
    bread = pair(snapshot, rhythm, "NEW", "BREAD")
    assert np.exp(rhythm.pairs.log_gap[bread]) == pytest.approx(7, abs=0.3)
    assert lists(snapshot, rhythm)["NEW"] == ["BREAD"]


def test_own_gaps_outweigh_the_product_s_the_more_there_are():
    crowd = [line for n in range(20) for line in every(7, 10, "MILK", f"C{n}")]
    gaps = []
    for times in (1, 2, 5, 20):
        snapshot, rhythm = learn([*crowd, *every(28, times, "MILK")])
        gaps.append(np.exp(rhythm.pairs.log_gap[pair(snapshot, rhythm, "ANNA", "MILK")]))
    assert gaps == sorted(gaps)
    assert gaps[0] == pytest.approx(7, abs=0.2)
    assert gaps[-1] > 20


def test_a_regular_buyer_s_spread_is_not_that_of_all_buyers():
    crowd = [line for n in range(20) for line in every(4 + 3 * n, 8, "MILK", f"C{n}")]
    snapshot, rhythm = learn([*crowd, *every(28, 10, "MILK")])
    anna = pair(snapshot, rhythm, "ANNA", "MILK")
    assert rhythm.forecast.log_gap_sd[anna] < 0.5 * rhythm.shop.products.log_gap_sd[0]


def test_published_shares_follow_what_was_bought_in_the_last_30_days():
    silent = [(f"C{n}", "MILK", days) for n in range(200) for days in (45.5, 52.5, 59.5, 66.5)]
    awake = [*silent, *((f"C{n}", "MILK", 5.5) for n in range(200))]
    shifts = []
    for world in (silent, awake):
        snapshot, rhythm = learn(world)
        shifts.append(rhythm.shop.odds_shift)
        published = build_buy_again(snapshot, rhythm, 10, 180.0).table.records["return_share"]
        assert published == pytest.approx(rhythm.shop.calibrate(rhythm.forecast).return_share, abs=1e-3)
    assert shifts[0] < 0 < shifts[1]


def test_a_large_shop_learns_the_correction_from_some_of_its_customers(monkeypatch):
    world = [(f"C{n:03}", "MILK", days) for n in range(400) for days in (15.5 + 60 * (n % 3 > 0), 100.5 + n % 7)]
    whole = learn(world)[1].shop
    monkeypatch.setattr(repurchase, "_SHIFT_LINES", 800)
    thinned = learn(world)[1].shop
    assert thinned.odds_shift == pytest.approx(whole.odds_shift, abs=0.1)
    assert thinned.odds_shift != whole.odds_shift
    assert np.array_equal(thinned.products.return_share, whole.products.return_share), "rhythms are everybody's"


def test_a_product_without_gaps_takes_those_of_its_category():
    weekly = [line for n in range(20) for line in every(7, 10, "MILK", f"C{n}")]
    yearly = [line for n in range(20) for line in every(100, 4, "SOAP", f"C{n}")]
    new = [("ANNA", "CREAM", 0.5), ("ANNA", "SHAMPOO", 0.5)]
    categories = ["Dairy", "Dairy", "Bath", "Bath"]  # CREAM, MILK, SHAMPOO, SOAP
    _, rhythm = learn([*weekly, *yearly, *new], categories)
    cream, _, shampoo, _ = np.exp(rhythm.shop.products.log_gap)
    assert cream < 12
    assert shampoo > 40


def test_fresh_buyers_do_not_count_against_a_product():
    regulars = [line for n in range(10) for line in every(30, 6, "COFFEE", f"C{n}")]
    silent, fresh = ([*regulars, *one_time_buyers("COFFEE", 30, days)] for days in (150.5, 1.5))
    assert learn(silent)[1].shop.products.return_share[0] == pytest.approx(0.25, abs=0.05)
    assert learn(fresh)[1].shop.products.return_share[0] > 0.85


def test_a_product_that_nobody_buys_again_is_never_due():
    milk = [line for n in range(30) for line in every(7, 20, "MILK", f"C{n}")]
    kettle = [(f"C{n}", "KETTLE", 120.5) for n in range(30)]
    snapshot, rhythm = learn([*milk, *kettle], ["Kitchen", "Dairy"])
    assert rhythm.shop.products.return_share[0] < 0.04
    assert all(own == ["MILK"] for own in lists(snapshot, rhythm).values())


def test_a_customer_who_does_buy_the_durable_again_keeps_it():
    kettle = [*one_time_buyers("KETTLE", 50, 200.5), *every(30, 4, "KETTLE")]
    milk = [line for n in range(30) for line in every(7, 20, "MILK", f"C{n}")]
    assert lists(*learn([*kettle, *milk], ["Kitchen", "Dairy"]))["ANNA"] == ["KETTLE"]


def test_low_shares_everywhere_do_not_empty_the_lists():
    returning = [line for n in range(10) for line in every(60, 2, "CANDLE", f"C{n}")]
    snapshot, rhythm = learn([*returning, *one_time_buyers("CANDLE", 100, 300.5)])
    assert rhythm.shop.shop_return_share < 0.15
    assert all(own == ["CANDLE"] for own in lists(snapshot, rhythm).values())


def test_often_and_lately_comes_first():
    purchases = [*every(7, 8, "MILK"), *every(7, 2, "BREAD"), *every(7, 8, "JAM", last=360.5)]
    assert lists(*learn(purchases))["ANNA"][:2] == ["MILK", "BREAD"]


def test_a_large_last_purchase_stretches_the_gap_but_not_beyond_double():
    ledger = ledger_of(every(30, 6, "COFFEE"))
    usual, twice, pallet = (
        ledger.with_columns(quantity=pl.when(pl.col("ordered_at") == pl.col("ordered_at").max()).then(q).otherwise(1.0))
        for q in (1.0, 2.0, 1e9)
    )
    gaps = [float(np.exp(learn(world)[1].pairs.log_gap[0])) for world in (usual, twice, pallet)]
    # five of six purchases are 1, so ln(last / geometric mean) is 5/6 ln 2, and a quarter of it is added
    assert gaps[1] / gaps[0] == pytest.approx(2 ** (0.25 * 5 / 6))
    assert gaps[2] / gaps[0] == pytest.approx(2)


def test_the_list_has_what_a_slate_needs():
    snapshot, rhythm = learn([*every(10, 3, "MILK"), *every(10, 1, "BREAD")])
    result = build_buy_again(snapshot, rhythm, 10, 180.0)
    records, raw_score = result.table.records, result.raw_score
    assert records.dtype == OWN
    assert records["purchases"].tolist() == [3, 1]
    assert records["last_day"].tolist() == [int(AS_OF.timestamp() // 86_400) - 1] * 2
    assert np.isnan(records["score"]).all()
    assert raw_score.dtype == np.float32
    assert raw_score[0] > raw_score[1] > 0


def test_lists_end_at_k_and_ties_go_by_product_index():
    purchases = [("ANNA", product, 30.5 + 7 * week) for product in "DBCA" for week in range(2)]
    assert lists(*learn(purchases), k=3)["ANNA"] == ["A", "B", "C"]


def test_two_orders_on_one_day_are_two_purchases_and_no_gap():
    ledger = ledger_of([("ANNA", "MILK", 3.5)])
    ledger = pl.concat([ledger, ledger.with_columns(order_id=pl.lit("second"))])
    _, rhythm = learn(ledger)
    assert rhythm.history.orders.tolist() == [2]
    assert np.exp(rhythm.shop.products.log_gap[0]) == pytest.approx(30)


def test_nobody_buys_twice():
    _, rhythm = learn(one_off_buyer())
    assert rhythm.shop.shop_return_share < 0.05
    assert all(np.isfinite(field).all() for field in (*rhythm.shop.products, *rhythm.pairs))


def test_an_empty_shop():
    snapshot, rhythm = learn(empty_shop())
    result = build_buy_again(snapshot, rhythm, 10, 180.0)
    assert len(result.table) == len(result.raw_score) == len(rhythm.history.pair) == 0


def test_a_moment_long_after_everything_still_ranks():
    ledger = ledger_of([*every(7, 8, "MILK"), *every(7, 2, "BREAD")])
    snapshot = build_snapshot(ledger, datetime(2036, 1, 1, tzinfo=UTC))
    result = build_buy_again(snapshot, rhythms_of(snapshot), 10, 180.0)
    assert np.isfinite(result.raw_score).all()


def test_the_score_uses_the_probability_that_the_service_states():
    snapshot, rhythm = learn([*every(10, 3, "MILK"), *every(20, 4, "BREAD"), *every(9, 2, "BREAD", "BEN")])
    result = build_buy_again(snapshot, rhythm, 10, 180.0)
    history = build_history(snapshot)
    for record, score in zip(result.table.records[:2].tolist(), result.raw_score, strict=False):
        own = Own(*record)
        visits = history.day[history.pair == pair(snapshot, rhythm, "ANNA", snapshot.products[own.product_index])]
        strength = (0.5 ** ((snapshot.as_of_day - visits) / 180)).sum()
        stated = np.sqrt(due(own, AS_OF).probability[30])
        assert score == pytest.approx(
            strength * rhythm.shop.products.return_share[own.product_index] * stated, rel=0.01
        )


def test_same_input_same_bytes():
    def once() -> OwnLists:
        return build_buy_again(*learn(new_customer()), 10, 180.0)

    assert once().table.records.tobytes() == once().table.records.tobytes()


@pytest.mark.skipif(not ONLINE_RETAIL.exists(), reason="../shared/data/online-retail-ii.parquet is not there")
def test_online_retail_lists_find_more_than_decayed_own_counts():
    cut = datetime(2011, 8, 1, tzinfo=UTC)
    ledger = read_online_retail()
    snapshot = build_snapshot(ledger, cut)
    rhythm = rhythms_of(snapshot)
    history = rhythm.history
    later = ledger.filter(pl.col("ordered_at").is_between(cut, cut.replace(day=31), closed="left"))
    later = later.filter(pl.col("product_id").is_in(snapshot.products.ids))
    n = len(snapshot.products)
    bought = snapshot.customers.indices(later["customer_id"].to_list(), unknown="mark").astype(np.int64) * n
    bought += snapshot.products.indices(later["product_id"].to_list(), unknown="raise")
    truth = np.intersect1d(bought, history.customer_index * n + history.product_index)

    table = build_buy_again(snapshot, rhythm, 10, 180.0).table
    owner = np.repeat(np.arange(len(table)), np.diff(table.starts))
    counts = history.sum_by_pair(0.5 ** ((snapshot.as_of_day - history.day) / 180))
    best = np.lexsort((history.product_index, -counts, history.customer_index))
    first_ten = best[rank_within(history.customer_index[best]) < 10]
    baseline = history.customer_index[first_ten] * n + history.product_index[first_ten]
    assert np.isin(owner * n + table.records["product_index"], truth).sum() > 1.05 * np.isin(baseline, truth).sum()


def rank_within(sorted_owner: np.ndarray) -> np.ndarray:
    return np.arange(len(sorted_owner)) - np.searchsorted(sorted_owner, sorted_owner)


def read_online_retail() -> pl.DataFrame:
    lines = pl.scan_parquet(ONLINE_RETAIL).filter(
        ~pl.col("Invoice").str.starts_with("C"),
        pl.col("Customer ID").is_not_null(),
        pl.col("Price") > 0,
        pl.col("Quantity") > 0,
        pl.col("StockCode").str.contains(r"^\d{5}[A-Za-z]*$"),
    )
    return lines.select(
        customer_id=pl.col("Customer ID").cast(pl.String),
        product_id=pl.col("StockCode"),
        ordered_at=pl.col("InvoiceDate").dt.cast_time_unit("us").dt.replace_time_zone("UTC"),
        order_id=pl.col("Invoice"),
        quantity=pl.col("Quantity").cast(pl.Float64),
        unit_price=pl.col("Price"),
    ).collect()
