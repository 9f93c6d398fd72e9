"""What is kept of results, in memory and on real servers."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from recommender.results.campaigns import CampaignResults, Effect, VariantResults
from recommender.results.placements import DayResults, PlacementRow, sum_rows
from recommender.results.store import DAYS_KEPT, CountedDay, ResultStore
from recommender.storage.shops import ShopStorage

DAY = date(2026, 11, 20)
ROW = PlacementRow("home", "buy_again", "DUE_SOON", "1-3", 9, 3, 2, 1, 2.0, {"EUR": 5.8})


@pytest.fixture
def results(storage: ShopStorage, shop: str) -> ResultStore:
    return storage.results(shop)


def counted(day: date, *rows: PlacementRow, source: str = "s1") -> CountedDay:
    return CountedDay(DayResults(day.isoformat(), rows), source)


def campaign(campaign_id: str, first_at: str = "2026-11-20T06:00:00+00:00") -> CampaignResults:
    variants = (VariantResults("mailed", 9, {"too_often": 2}, money={"EUR": 2.5}), VariantResults("holdout", 1))
    return CampaignResults(campaign_id, first_at, 7, variants, Effect("undecided", 0.1, -0.2, 0.4, more_weeks=9))


def test_a_new_shop_has_no_results(results: ResultStore):
    assert (results.days(DAY, DAY + timedelta(days=9)), results.campaigns(), results.campaign("c")) == ([], [], None)
    assert (results.counted_at(), results.sources(), results.decided("c")) == (None, {}, {})


def test_days_are_kept_in_place_of_what_was_kept_of_them(results: ResultStore):
    nothing = PlacementRow(None, None, None, "unknown", 1)
    results.keep_days([counted(DAY, ROW), counted(DAY + timedelta(days=1), nothing), counted(DAY - timedelta(days=1))])
    assert results.days(DAY - timedelta(days=9), DAY + timedelta(days=2)) == [
        DayResults("2026-11-20", (ROW,)),
        DayResults("2026-11-21", (nothing,)),
    ]
    assert results.days(DAY, DAY + timedelta(days=1)) == [DayResults("2026-11-20", (ROW,))]
    assert results.sources() == dict.fromkeys(["2026-11-19", "2026-11-20", "2026-11-21"], "s1")
    results.keep_days([counted(DAY, replace(ROW, seen=10), source="s2"), counted(DAY + timedelta(days=1), source="s2")])
    assert [day.rows[0].seen for day in results.days(DAY, DAY + timedelta(days=2))] == [10]


def test_the_oldest_days_go(results: ResultStore):
    results.keep_days(counted(DAY + timedelta(days=n), ROW) for n in range(DAYS_KEPT + 2))
    assert len(results.days(DAY, DAY + timedelta(days=DAYS_KEPT + 9))) == DAYS_KEPT
    assert min(results.sources()) == "2026-11-22"


def test_campaigns_come_latest_first_and_whole(results: ResultStore):
    results.keep_campaigns([campaign("old", "2026-11-01T06:00:00+00:00"), campaign("new")], "s1")
    assert results.campaigns() == [campaign("new"), campaign("old", "2026-11-01T06:00:00+00:00")]
    assert results.campaign("new") == campaign("new")
    assert results.sources() == {"campaigns": "s1"}


def test_a_block_that_is_decided_again_counts_once(results: ResultStore):
    results.note_decided("c", 0, {"mailed": {"selected": 9, "too_often": 1}})
    results.note_decided("c", 1, {"mailed": {"selected": 8}, "holdout": {"selected": 1}})
    results.note_decided("c", 0, {"mailed": {"selected": 9, "too_often": 2}})
    assert results.decided("c") == {"mailed": {"selected": 17, "too_often": 2}, "holdout": {"selected": 1}}


def test_what_is_forgotten_can_be_counted_again(results: ResultStore):
    results.keep_days([counted(DAY, ROW)])
    results.keep_campaigns([campaign("c")], "s1")
    results.note_decided("c", 0, {"mailed": {"selected": 9}})
    results.note_count(datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert results.counted_at() == datetime(2026, 11, 20, 12, tzinfo=UTC)
    results.clear()
    assert (results.days(DAY, DAY + timedelta(days=1)), results.campaigns(), results.sources()) == ([], [], {})
    assert results.decided("c") == {"mailed": {"selected": 9}}, "no archive holds this"


def test_rows_add_up_over_what_is_not_asked_for():
    rows = [
        ROW,
        replace(ROW, ranks="4-6", bought=0, units=0, money={}),
        replace(ROW, placement=None, money={"CHF": 1.0, "EUR": 1.1}),
        replace(ROW, placement="cart", reason="BUY_AGAIN"),
    ]
    by_placement = sum_rows(rows, ["placement"])
    assert [(row.placement, row.kind, row.ranks, row.seen) for row in by_placement] == [
        ("cart", None, "", 9),
        ("home", None, "", 18),
        (None, None, "", 9),
    ]
    assert by_placement[-1].money == {"CHF": 1.0, "EUR": 1.1}
    assert [row.ranks for row in sum_rows(rows, ["ranks"])] == ["1-3", "4-6"]
    assert sum(row.units for row in sum_rows(rows)) == sum(row.units for row in rows)
    assert sum_rows([], ["placement"]) == []
