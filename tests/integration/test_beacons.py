"""Beacons as pages send them, good and bad, to a real service: each is kept, or refused with a reason and a remedy."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recommender.events.event import Event
from recommender.redis.shops import RedisShopStorage
from recommender.storage.event_queue import EventQueue
from tests.support.keyed_shop import ORIGIN, add_key, add_publishable_key, customer_token
from tests.support.load import Answer, ask
from tests.support.raw_http import connect, post, read_rest, statuses
from tests.support.redis_servers import redis_server, wait_until
from tests.support.served import Served, serve, store_of, version

pytestmark = pytest.mark.slow


@dataclass
class World:
    """A running service of two shops, and a key of each."""

    served: Served
    queues: dict[str, EventQueue]
    keys: dict[str, str]
    secret: str

    def send(self, body: Any, shop: str = "default") -> Answer:
        """As `navigator.sendBeacon(address, text)` sends it."""
        headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": ORIGIN}
        return ask(self.served.address, f"/v1/events?key={self.keys[shop]}", "POST", body, headers)

    def kept(self, shop: str = "default") -> list[Event]:
        """The events that were kept and not yet asked for here."""
        found: list[Event] = []
        while entries := self.queues[shop].take("test"):
            found += [Event.from_json(entry.wire) for entry in entries]
            self.queues[shop].settle([entry.entry_id for entry in entries])
        return found

    def token(self, customer_id: str) -> str:
        """What the back end of shop `default` signs now."""
        return customer_token(self.secret, customer_id, datetime.now(UTC))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("beacons")
    with redis_server(folder / "redis") as redis:
        store_of(redis.url).publish(version(1), keep=1)
        storage = RedisShopStorage(redis.url, timeout_ms=5_000)
        keys = {shop: add_publishable_key(storage, shop=shop) for shop in ("default", "other")}
        queues = {shop: storage.event_log(shop).queue for shop in keys}
        for queue in queues.values():
            queue.join()
        secret = add_key(storage, "read")
        with serve(folder, REPRISE_REDIS_URL=redis.url, REPRISE_LOG_LEVEL="warning") as served:
            served.wait_until_ready()
            yield World(served, queues, keys, secret)


def view(number: object = 1, **fields: Any) -> dict[str, Any]:
    """A view of this moment."""
    now = datetime.now(UTC).isoformat()
    common = {"event_id": f"{number}", "event_type": "view", "product_id": "p1", "occurred_at": now}
    return {**common, "session_id": f"s{number}", **fields}


def of(customer_id: str) -> dict[str, Any]:
    """A view of a customer."""
    return view(session_id=None, customer_id=customer_id)


def test_a_thousand_at_once_are_all_kept(world: World) -> None:
    """Those for which there is no room are told when to come again; nothing is lost silently or counted twice."""
    waiting = [{"events": [view(f"thousand-{number}")]} for number in range(1_000)]
    lists = []

    def send_all() -> bool:
        with ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(world.send, waiting))
        lists.append(ask(world.served.address, f"/v1/popular?key={world.keys['default']}").status)
        refused = [answer for answer in answers if answer.status != 202]
        # a machine that is too busy to send a body in time is told so, too
        assert {answer.status for answer in refused} <= {408, 429, 503}
        assert all("retry-after" in answer.headers for answer in refused if answer.status != 408)
        assert all(answer.headers["access-control-allow-origin"] == ORIGIN for answer in answers)
        waiting[:] = [body for body, answer in zip(waiting, answers, strict=True) if answer.status != 202]
        return not waiting

    wait_until(send_all, "all were accepted")
    assert sorted(one.session_id or "" for one in world.kept()) == sorted(f"sthousand-{n}" for n in range(1_000))
    assert set(lists) == {200}


def test_one_that_is_cut_off_on_its_way_leaves_nothing(world: World) -> None:
    whole = post(f"/v1/events?key={world.keys['default']}", json.dumps({"events": [view("cut")]}).encode())
    for sent in (whole[:-1], whole[:-40]):
        with connect(world.served.address) as connection:
            connection.sendall(sent.replace(b"\r\n", f"\r\nOrigin: {ORIGIN}\r\n".encode(), 1))
            connection.shutdown(socket.SHUT_WR)
            assert 202 not in statuses(read_rest(connection, 1.0))
    assert world.kept() == []
    assert world.send({"events": [view("cut")]}).json["accepted"] == 1
    assert len(world.kept()) == 1


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_that_is_a_day_off_loses_nothing(world: World, days: int) -> None:
    told = datetime.now(UTC) + timedelta(days=days)
    answer = world.send({"events": [view(f"clock {days}", occurred_at=told.isoformat())]})
    (kept,) = world.kept()
    assert (answer.status, kept.occurred_at) == (202, told if days < 0 else kept.occurred_at)
    assert kept.occurred_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({"events": [view(session_id="x" * 10_000)]}, 400, "nothing_accepted", "at most 512 characters"),
        ({"events": [of("ann")]}, 400, "nothing_accepted", "send theirs, or a session_id alone"),
        ({"events": [of("ann")], "customer_token": "{bob}"}, 400, "nothing_accepted", "does not name this customer"),
        ({"events": [of("ann")], "customer_token": "nonsense"}, 401, "unauthorized", "token"),
        ({"events": [view(n) for n in range(400)]}, 413, "body_too_large", ""),
        ({"events": [{}] * 1_001}, 400, "invalid_request", "1000"),
        ({"events": [view(event_type="purchase")]}, 400, "nothing_accepted", "send it from the shop's back end"),
        ({"events": []}, 400, "invalid_request", "events"),
        ([], 400, "invalid_request", "body"),
    ],
)
def test_what_is_refused_says_why_and_leaves_nothing(
    world: World, body: Any, status: int, code: str, words: str
) -> None:
    answer = world.send(json.loads(json.dumps(body).replace("{bob}", world.token("bob"))))
    assert (answer.status, answer.json["code"]) == (status, code)
    assert words in answer.json["detail"]
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert world.kept() == []


def test_the_key_of_another_shop_tells_that_shop_alone(world: World) -> None:
    assert world.send({"events": [view("other")]}, "other").status == 202
    assert [one.session_id for one in world.kept("other")] == ["sother"]
    answer = world.send({"events": [of("ann")], "customer_token": world.token("ann")}, "other")
    assert (answer.status, world.kept("other"), world.kept()) == (401, [], [])
