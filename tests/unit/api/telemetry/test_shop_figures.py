"""Metrics of what the jobs of a shop are doing."""

import pytest
from prometheus_client import REGISTRY

from api import create_app
from api.telemetry.shop_figures import LOOK_S, READ_S, FiguresReader
from recommender.errors import StoreUnavailableError
from recommender.settings import Settings
from recommender.storage.campaign import Campaign
from recommender.storage.event_queue import IDLE_S
from recommender.storage.pick_jobs import PickJob
from tests.fakes.shops import MemoryShopStorage
from tests.support.small_shop import NOW, VERSION

NOW_S = NOW.timestamp()


class Clock:
    """Both clocks of a reader."""

    now = NOW_S

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def storage() -> MemoryShopStorage:
    return MemoryShopStorage()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader(storage, clock) -> FiguresReader:
    return FiguresReader(storage, "corner", clock, clock)


def value(name: str, shop: str = "corner", **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"reprise_{name}", {"shop": shop, **labels})


def test_a_shop_in_which_nothing_happens_shows_zeros(reader):
    reader.follow([])
    assert (value("events_waiting"), value("workers"), value("worker_seen_timestamp_seconds")) == (0, 0, 0)
    assert [value("training_timestamp_seconds", verdict=one) for one in ("published", "refused")] == [0, 0]
    states = ("sent", "bounced", "refused", "unknown", "no_address")
    assert [value("mails", state=one) for one in states] == [0] * 5
    assert [value("pick_jobs", state=one) for one in ("waiting", "running", "done", "failed")] == [0] * 4


def test_what_jobs_did_is_shown(reader, storage):
    storage.workers = [IDLE_S + 1, 2.0, IDLE_S]
    storage.note_training("corner", "refused", NOW)
    storage.count_mails("corner", {"sent": 7})
    storage.jobs("corner").add(PickJob(Campaign("a", "due_soon", 4, VERSION, NOW), 2))
    reader.follow([])
    assert (value("workers"), value("worker_seen_timestamp_seconds")) == (2, NOW_S - 2)
    assert value("training_timestamp_seconds", verdict="refused") == NOW_S
    assert (value("mails", state="sent"), value("pick_jobs", state="waiting")) == (7, 1)


def test_they_are_read_now_and_then(reader, storage, clock):
    reader.follow([])
    storage.count_mails("corner", {"sent": 1})
    clock.now += READ_S / 2
    reader.follow([])
    assert value("mails", state="sent") == 0
    clock.now += READ_S / 2
    reader.follow([])
    assert value("mails", state="sent") == 1


def test_a_request_for_the_metrics_asks_redis_nothing(storage, monkeypatch):
    app = create_app(Settings(shop="own"), storage, lambda: NOW)
    shops = app.extensions["reprise"].shops
    shops.follow()
    shops.cache("tea")

    def fail(*_: object) -> None:
        raise StoreUnavailableError("Redis does not answer")

    monkeypatch.setattr(shops, "keep_following", lambda: None)
    for name in ("figures", "api_keys", "store", "event_log", "jobs"):
        monkeypatch.setattr(storage, name, fail)
    text = app.test_client().get("/metrics").text
    assert 'reprise_workers{shop="own"} 0.0' in text


def test_shops_that_are_asked_for_are_shown_too(storage):
    shops = create_app(Settings(shop="own"), storage, lambda: NOW).extensions["reprise"].shops
    shops.cache("tea-room")
    shops.follow()
    assert value("workers", "tea-room") == 0


def test_figures_that_cannot_be_read_are_told_and_stop_nothing(storage, monkeypatch):
    def fail(*_: object) -> None:
        raise StoreUnavailableError("Redis does not answer")

    monkeypatch.setattr(storage, "figures", fail)
    app = create_app(Settings(), storage, lambda: NOW)
    app.extensions["reprise"].shops.follow()
    assert app.test_client().get("/v1/popular").status_code == 200


def test_slow_shops_are_read_a_few_at_a_time_and_all_of_them(reader, storage, clock, monkeypatch):
    read, figures = [], storage.figures

    def read_slowly(shop: str):
        clock.now += LOOK_S * 0.6
        read.append(shop)
        return figures(shop)

    monkeypatch.setattr(storage, "figures", read_slowly)
    shops = [f"shop {number}" for number in range(5)]
    calls = []
    for _ in range(3):
        reader.follow(shops)
        calls.append(len(read))
    assert calls == [2, 4, 6]
    assert sorted(read) == sorted(["corner", *shops])
    reader.follow(shops)  # it is not time yet
    assert len(read) == 6


def test_one_shop_that_cannot_be_read_stops_no_other_and_is_told_until_it_can(reader, storage, clock, monkeypatch):
    figures, bad, shops = storage.figures, {"b"}, ["a", "b", "c"]

    def read(shop: str):
        if shop in bad:
            raise StoreUnavailableError(f"{shop} holds something else")
        return figures(shop)

    monkeypatch.setattr(storage, "figures", read)
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="b holds something else"):
            reader.follow(shops)
        clock.now += READ_S / 2
    assert [value("workers", one) for one in ("a", "c", "corner")] == [0, 0, 0]
    bad.clear()
    reader.follow(shops)
    assert value("workers", "b") == 0
