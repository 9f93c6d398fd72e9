"""Results that the worker counts from the archive as it grows, beside a recount of all of it."""

import random
import threading
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from recommender.errors import HomeError, StoreUnavailableError
from recommender.experiments.exposure import exposure_event
from recommender.results.placements import WITHIN_DAYS, sum_rows
from recommender.results.store import MOST_CELLS, OTHER
from recommender.storage.campaign import Campaign
from tests.fakes.results import MemoryResults
from tests.support.event_files import NOW, batch, event
from tests.support.recount import campaign_results
from training.analytics.counters import result_counter
from training.analytics.counters.campaign_results import to_money
from training.analytics.counters.result_counter import SETTLED_DAYS, ResultCounter
from training.analytics.results.placements import count_days, count_placements
from training.events.archive import Archive

DAY = timedelta(days=1)
TYPES = ("impression",) * 8 + ("click", "click", "add_to_cart", "purchase", "purchase", "mail_sent", "exposure", "view")


def make_events(n, seed=3):
    """Events of 20 days in the order in which they came, which is nearly that in which they happened."""
    rng = random.Random(seed)
    return [make_event(rng, f"e{number}", 20 * number / n) for number in range(n)]


def make_event(rng, event_id, days):
    event_type = rng.choice(TYPES)
    at = NOW - (20 - days + rng.choice([0, 0, 0, 2]) * rng.random()) * DAY
    fields = {"recommendation_id": f"r{int(days * 4)}-{rng.randrange(9)}" if rng.random() < 0.8 else None}
    if event_type in ("impression", "click"):
        fields |= {"placement": rng.choice(["home", "cart", None]), "rank": rng.choice([1, 4, 9, 30, None])}
        fields |= {"kind": rng.choice(["buy_again", "popular"]), "reason": rng.choice(["DUE_SOON", None])}
    if event_type == "purchase":
        fields |= {"unit_price": rng.randrange(1, 900) / 100, "currency": rng.choice(["EUR", "CHF"]), "quantity": 2}
    if event_type in ("mail_sent", "exposure", "click"):
        fields["campaign_id"] = rng.choice(["reorder", "hello"])
    if event_type == "exposure":
        fields |= {"experiment": fields["campaign_id"], "variant": rng.choice(["mailed", "mailed", "holdout"])}
    return event(
        event_id, f"C{rng.randrange(30)}", f"P{rng.randrange(12)}", event_type=event_type, occurred_at=at, **fields
    )


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path, "default")


@pytest.fixture
def make_counter(archive):
    def make_counter(store=None, now=NOW + 30 * DAY, campaigns=()):
        return ResultCounter(archive, store or MemoryResults(), lambda: campaigns, lambda: now, pytest.fail)

    return make_counter


def kept(counter):
    """Everything that is kept, day by day."""
    days = counter.store.days(date(2020, 1, 1), date(2030, 1, 1))
    return {day.day: sorted(day.rows, key=lambda row: str(asdict(row))) for day in days}, counter.store.campaigns()


def recount(archive):
    """The same from one look at the whole archive."""
    days = {}
    for row in count_days(archive.read(), WITHIN_DAYS).to_dicts():
        days.setdefault(row.pop("day").isoformat(), []).append({**row, "money": to_money(row["money"])})
    return days


def assert_as_recounted(counter):
    kept_days, campaigns = kept(counter)
    days = {day: [asdict(row) for row in rows] for day, rows in kept_days.items()}
    expected = recount(counter.archive)
    assert len(expected) > 15
    assert days == {day: sorted(rows, key=str) for day, rows in expected.items()}
    assert campaigns == campaign_results(counter.archive.read(), WITHIN_DAYS, counter.clock().date())


def grow(archive, events, counter, n_batches=12, seed=5):
    rng = random.Random(seed)
    cuts = sorted(rng.sample(range(len(events)), n_batches - 1))
    for first, last in zip([0, *cuts], [*cuts, len(events)], strict=True):
        archive.write(batch(events[first:last], first=1 + first))
        counter.count()


def test_what_is_counted_as_the_archive_grows_is_what_a_recount_says(archive, make_counter):
    counter = make_counter()
    grow(archive, make_events(3_000), counter)
    assert_as_recounted(counter)
    # and `reprise results` says the same: the days added up
    days = counter.store.days(date(2020, 1, 1), date(2030, 1, 1))
    summed = sum_rows([row for day in days for row in day.rows], ["placement", "ranks"])
    figures = ("placement", "ranks", "seen", "clicked", "carted", "bought", "units")
    told = count_placements(archive.read(), WITHIN_DAYS).to_dicts()
    assert [[getattr(row, name) for name in figures] for row in summed] == [
        [row[name] for name in figures] for row in told
    ]
    assert [row.money for row in summed] == [pytest.approx(to_money(row["money"])) for row in told]
    assert sum(row.bought for row in summed) > 50
    assert counter.store.counted_at() == counter.clock()


@pytest.mark.parametrize("part", [7, 40])
def test_a_day_that_is_counted_part_by_part_is_what_a_recount_says(archive, make_counter, monkeypatch, part):
    monkeypatch.setattr(result_counter, "PART", part)
    monkeypatch.setattr(result_counter, "CAMPAIGN_PART", part)
    archive.write(batch(make_events(3_000)))
    assert max(archive.count(days=(day, day)) for day in archive.days()) > 3 * part
    counter = make_counter()
    counter.count()
    assert_as_recounted(counter)


def test_a_replay_changes_nothing(archive, make_counter):
    counter, events = make_counter(), make_events(1_200)
    grow(archive, events, counter)
    before, n_files = kept(counter), len(archive.files())
    grow(archive, events, counter, n_batches=5, seed=8)  # cut otherwise, so that each event is in two files
    assert len(archive.files()) > n_files
    assert kept(counter) == before
    assert counter.count() == 0, "nothing new, nothing counted"


class DyingResults(MemoryResults):
    """Ends after some calls, as a worker that is killed does."""

    lives = 0

    def keep_days(self, days):
        self.lives -= 1
        if self.lives < 0:
            raise StoreUnavailableError("killed")
        super().keep_days(days)


@pytest.mark.parametrize("lives", [0, 1, 7, 15])
def test_a_count_that_was_killed_is_made_good_by_the_next(archive, make_counter, lives):
    store = DyingResults()
    counter, events = make_counter(store), make_events(1_500)
    archive.write(batch(events[:700]))
    store.lives = 100
    counter.count()
    archive.write(batch(events[700:], first=701))
    store.lives = lives
    if lives < 15:
        with pytest.raises(StoreUnavailableError):
            counter.count()
    store.lives = 100
    counter.count()
    assert_as_recounted(counter)


def test_what_redis_lost_is_counted_again(archive, make_counter):
    counter = make_counter()
    archive.write(batch(make_events(1_000)))
    counter.count()
    before = kept(counter)
    counter.store.clear()
    assert counter.count() > 15
    assert kept(counter) == before


def test_a_click_that_comes_late_changes_what_was_bought_later(archive, make_counter):
    counter = make_counter()
    archive.write(batch([event("buy", occurred_at=NOW - DAY)]))
    counter.count()
    assert kept(counter)[0] == {}
    click = {"event_type": "click", "recommendation_id": "r1", "placement": "home", "occurred_at": NOW - 3 * DAY}
    archive.write(batch([event("click", **click)], first=9))
    counter.count()
    assert {day: [(row.clicked, row.bought) for row in rows] for day, rows in kept(counter)[0].items()} == {
        "2026-11-17": [(1, 0)],
        "2026-11-19": [(0, 1)],
    }


def test_only_days_that_may_have_changed_are_counted(archive, make_counter):
    counter = make_counter()
    archive.write(batch([event(f"e{n}", occurred_at=NOW - n * DAY) for n in range(30)]))
    assert counter.count() == 30
    archive.write(batch([event("late", occurred_at=NOW - 20 * DAY)], first=99))
    assert counter.count() == WITHIN_DAYS + 1


def test_who_was_erased_is_in_no_count(archive, make_counter):
    counter = make_counter()
    shown = {"event_type": "impression", "recommendation_id": "r1", "occurred_at": NOW}
    archive.write(batch([event("1", "ANNA", "MILK", **shown), event("2", "BEN", "TEA", **shown)]))
    counter.count()
    archive.forget(["ANNA"])
    counter.count()
    assert [row.seen for row in kept(counter)[0]["2026-11-20"]] == [1]


def test_results_outlive_the_files_that_a_shop_deletes(archive, make_counter):
    counter = make_counter()
    shown = {"event_type": "impression", "recommendation_id": "r1"}
    old, young = NOW - (SETTLED_DAYS + 20) * DAY, NOW
    days = [event(f"e{n}", occurred_at=old + n * DAY, **shown) for n in range(9)]
    archive.write(batch([*days, event("young", occurred_at=young, **shown)]))
    counter.count()
    before = kept(counter)
    for file in archive.files(old.date()):
        file.unlink()
    counter.count()
    assert kept(counter) == before


def test_days_that_a_clock_was_ahead_keep_nothing_from_being_counted(archive, make_counter):
    counter = make_counter(now=NOW + DAY)
    shown = {"event_type": "impression", "recommendation_id": "r1"}
    mail = {"event_type": "mail_sent", "campaign_id": "reorder", "product_id": None}
    ahead = NOW + 400 * DAY
    archive.write(batch([event("1", occurred_at=NOW, **shown), event("2", occurred_at=ahead, **shown)]))
    archive.write(batch([event("3", "ANNA", occurred_at=NOW, **mail)], first=9))
    counter.count()
    archive.write(batch([event("4", "BEN", "TEA", occurred_at=NOW, **shown)], first=19))
    archive.write(batch([event("5", "BEN", occurred_at=NOW, **mail)], first=29))
    counter.count()
    days, (campaign,) = kept(counter)
    assert sum(row.seen for row in days["2026-11-20"]) == 2
    assert [one.sent for one in campaign.variants] == [2]


def test_a_campaign_that_began_long_ago_stays_as_it_was_counted(archive, make_counter):
    counter = make_counter()
    old = {"campaign_id": "old", "product_id": None}
    archive.write(batch([event("1", event_type="mail_sent", occurred_at=NOW - 300 * DAY, **old)]))
    counter.count()
    click = {"event_type": "click", "campaign_id": "old", "product_id": "MILK"}
    archive.write(batch([event("2", occurred_at=NOW, **click)], first=9))
    counter.count()
    [campaign] = counter.store.campaigns()
    assert [(one.sent, one.clicked) for one in campaign.variants] == [(1, 0)]


def test_what_a_campaign_decided_stands_beside_its_events(archive, make_counter):
    campaign = Campaign("reorder", "everyone", 4, "v1", NOW)
    counter = make_counter(campaigns=[campaign])
    counter.store.note_decided("reorder", 0, {"mailed": {"selected": 9, "too_often": 2}, "holdout": {"selected": 1}})
    counter.count()
    [results] = counter.store.campaigns()
    assert [(one.variant, one.selected, one.refused) for one in results.variants] == [
        ("mailed", 9, {"too_often": 2}),
        ("holdout", 1, {}),
    ]
    counter.store.note_decided("reorder", 1, {"mailed": {"selected": 1}})
    counter.count()
    assert counter.store.campaign("reorder").variants[0].selected == 10


def test_names_that_strangers_make_up_do_not_fill_redis(archive, make_counter):
    counter = make_counter()
    shown = {"event_type": "impression", "occurred_at": NOW}
    names = [event(f"e{n}", recommendation_id=f"r{n}", placement=f"p{n}", **shown) for n in range(MOST_CELLS + 50)]
    often = [event(f"h{n}", recommendation_id=f"h{n}", placement="home", **shown) for n in range(5)]
    archive.write(batch([*names, *often]))
    counter.count()
    rows = kept(counter)[0]["2026-11-20"]
    assert len(rows) == MOST_CELLS + 1
    assert sum(row.seen for row in rows) == MOST_CELLS + 55
    assert {row.placement: row.seen for row in rows if row.seen > 1} == {"home": 5, OTHER: 51}


def test_a_fault_while_counting_is_told_once_and_stops_nobody(archive, monkeypatch):
    told, stop = [], threading.Event()
    counter = ResultCounter(archive, MemoryResults(), list, lambda: NOW, told.append)
    bug, disk = ZeroDivisionError("bug"), HomeError("disk")
    faults = iter([bug, bug, bug, StoreUnavailableError("passes by itself"), disk, disk])

    def count(_):
        fault = next(faults, None)
        if fault is None:
            stop.set()
            return 0
        raise fault

    monkeypatch.setattr(ResultCounter, "_count_days", count)
    monkeypatch.setattr(ResultCounter, "_count_campaigns", lambda _: None)
    monkeypatch.setattr(result_counter, "REST", 0)
    monkeypatch.setattr(result_counter, "PAUSE_S", 0.0)
    counter.follow(stop)
    assert [line.partition(";")[0] for line in told] == ["unexpected ZeroDivisionError: bug", "disk"]


def test_an_effect_is_decided_when_its_days_end_though_nothing_new_is_archived(archive, make_counter):
    people = [(f"C{n}", "holdout" if n % 2 else "mailed") for n in range(200)]
    at = NOW - 3 * DAY
    told = [exposure_event("c", variant, one, at, campaign_id="c") for one, variant in people]
    who = [*range(0, 120, 2), *range(1, 90, 2)]  # 60 of a hundred, and 45
    orders = [event(f"o{n}", f"C{n}", occurred_at=NOW - DAY) for n in who]
    archive.write(batch([*told, *orders]))
    store = MemoryResults()
    make_counter(store, now=NOW).count()
    assert store.campaign("c").effect.verdict == "running"
    make_counter(store, now=NOW + 9 * DAY).count()
    assert store.campaign("c").effect.verdict == "more"


def test_orders_of_others_tell_that_orders_are_known(archive, make_counter):
    told = [exposure_event("c", variant, variant, NOW, campaign_id="c") for variant in ("mailed", "holdout")]
    counter = make_counter()
    archive.write(batch(told))
    counter.count()
    assert counter.store.campaign("c").effect.verdict == "no_orders"
    archive.write(batch([event("1", "somebody else")], first=9))
    counter.count()
    assert counter.store.campaign("c").effect.verdict == "undecided"


def test_an_empty_archive_has_no_results(make_counter):
    counter = make_counter()
    assert counter.count() == 0
    assert kept(counter) == ({}, [])
    assert counter.store.counted_at() is not None


def test_days_come_out_of_events_at_any_hour(archive):
    late = datetime(2026, 11, 20, 23, 59, 59, 999_999, tzinfo=UTC)
    shown = {"event_type": "impression", "recommendation_id": "r1"}
    archive.write(batch([event("1", occurred_at=late, **shown), event("2", occurred_at=late + DAY, **shown)]))
    assert count_days(archive.read(), 7).select("day", "seen").rows() == [
        (date(2026, 11, 20), 1),
        (date(2026, 11, 21), 1),
    ]
    assert isinstance(count_days(archive.read().clear(), 7), pl.DataFrame)
