"""Picks that were asked for over HTTP: made by workers that may die, fetched in pages, nobody doubled or missed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from recommender.publication.lists import WHOLE_SHOP
from recommender.publication.manifest import Publication
from tests.conftest import build_publication
from tests.support.event_workers import start_worker, stop_worker
from tests.support.profiles import make_profile, make_table
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from tests.support.served import Served, serve, store_of, version_name

CUSTOMERS = [f"C{number:04}" for number in range(3_000)]
NOTHING_FOR = frozenset(CUSTOMERS[::10])
"""They have no list, so nothing is good enough for them."""
BODY = {"audience": "everyone", "slots": 2}


def shop() -> Publication:
    """A version in which customer number i may discover the products i, i + 1 and i + 2, modulo ten."""
    discover = {one: [(i + k) % 10 for k in range(3)] for i, one in enumerate(CUSTOMERS) if one not in NOTHING_FOR}
    lists = {"discover": discover, "popular": {WHOLE_SHOP: [0, 1]}, "trending": {WHOLE_SHOP: [2, 3]}}
    profiles = make_table(*(make_profile(one) for one in CUSTOMERS))
    return replace(build_publication(version_name(1), lists), profiles=profiles)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


@pytest.fixture(scope="module")
def started(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    store_of(redis.url).publish(shop(), keep=3)
    with serve(tmp_path_factory.mktemp("served"), REPRISE_REDIS_URL=redis.url) as served:
        yield served


@pytest.fixture
def served(redis: RedisServer, started: Served) -> Served:
    """The service as it was at first: no campaign has begun, and nobody has a mail."""
    redis.flush()
    store_of(redis.url).publish(shop(), keep=3)
    started.wait_until_ready()
    return started


@contextmanager
def working(redis: RedisServer, tmp_path: Path) -> Iterator[None]:
    worker = start_worker(tmp_path / "home", redis.url)
    yield
    assert stop_worker(worker) == 0


def state(served: Served, campaign: str) -> str:
    return served.ask(f"/v1/campaigns/{campaign}").json["state"]


def fetch(served: Served, campaign: str) -> list[dict]:
    """All pages of a campaign that is done."""
    picks, cursor = [], 0
    while cursor is not None:
        page = served.ask(f"/v1/campaigns/{campaign}/picks?cursor={cursor}").json
        assert page["next_cursor"] is None or page["next_cursor"] > cursor
        picks += page["picks"]
        cursor = page["next_cursor"]
    return picks


def begin(served: Served, campaign: str, body: dict = BODY) -> dict:
    answer = served.ask(f"/v1/campaigns/{campaign}/picks", "POST", body)
    assert answer.status == 202
    assert answer.headers["location"] == f"/v1/campaigns/{campaign}"
    return answer.json


def test_everybody_gets_picks_once_and_asking_again_changes_nothing(redis, served, tmp_path):
    assert begin(served, "news")["state"] == "waiting"
    assert served.ask("/v1/campaigns/news/picks").json == {
        "campaign_id": "news",
        "state": "waiting",
        "picks": [],
        "next_cursor": 0,
    }
    with working(redis, tmp_path):
        wait_until(lambda: state(served, "news") == "done", "the picks are made")
    picks = fetch(served, "news")
    assert sorted(one["customer_id"] for one in picks) == [one for one in CUSTOMERS if one not in NOTHING_FOR]
    assert {len(one["items"]) for one in picks} == {2}
    again = begin(served, "news")
    assert again["state"] == "done"
    assert again["progress"]["customers_considered"] == len(CUSTOMERS)
    assert again["progress"]["customers_picked"] == len(picks)
    assert again["progress"]["without"] == {"nothing_good_enough": len(NOTHING_FOR)}
    assert fetch(served, "news") == picks
    other = served.ask("/v1/campaigns/news/picks", "POST", BODY | {"slots": 3})
    assert (other.status, other.json["code"]) == (409, "campaign_conflict")


def test_workers_that_are_killed_leave_nobody_out_and_double_nobody(redis, served, tmp_path):
    begin(served, "news")
    kills = 0
    while state(served, "news") != "done":
        worker = start_worker(tmp_path / "home", redis.url)
        wait_for_more(served)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        kills += 1
        store_of(redis.url)._writer.call("DEL", *leases(redis))  # nobody waits here until the dead one's runs out
    picks = fetch(served, "news")
    assert kills > 1
    assert sorted(one["customer_id"] for one in picks) == [one for one in CUSTOMERS if one not in NOTHING_FOR]


def wait_for_more(served: Served) -> None:
    """Return when a dozen blocks more are done, or all."""
    progress = served.ask("/v1/campaigns/news").json["progress"]
    wanted = min(progress["blocks_done"] + 12, progress["blocks"])
    wait_until(lambda: served.ask("/v1/campaigns/news").json["progress"]["blocks_done"] >= wanted, "the picks go on")


def leases(redis: RedisServer) -> list[str]:
    found = store_of(redis.url)._writer.call("KEYS", "reprise:{default}:lease:*")
    return ["none", *(key.decode() for key in found)]


def test_whoever_is_erased_is_in_no_picks_any_more(redis, served, tmp_path):
    begin(served, "news")
    with working(redis, tmp_path):
        wait_until(lambda: state(served, "news") == "done", "the picks are made")
        before = {one["customer_id"] for one in fetch(served, "news")}
        assert served.ask("/v1/customers/C0001", "DELETE").status == 200
        wait_until(lambda: state(served, "news") == "done", "the picks are made again")
        after = {one["customer_id"] for one in fetch(served, "news")}
    assert before - after == {"C0001"}
    assert after < before


def test_what_cannot_be_asked_for_is_said(served):
    assert served.ask("/v1/campaigns/never").json["code"] == "unknown_campaign"
    assert served.ask("/v1/campaigns/news/picks", "POST", {"audience": "all"}).status == 400
    assert served.ask("/v1/campaigns/news/picks", "POST", {"audience": "everyone", "slots": 0}).status == 400
    assert served.ask("/v1/campaigns/-news/picks", "POST", BODY).status == 404
