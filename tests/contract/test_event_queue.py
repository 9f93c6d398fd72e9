"""What every EventQueue promises, in memory and on real servers; the in-memory one's clock is moved by hand."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from recommender.events.event import Event
from recommender.redis.event_log import RedisEventLog
from recommender.redis.event_queue import RedisEventQueue
from recommender.redis.keys import Keys
from recommender.storage import event_queue
from recommender.storage.event_log import EventLog, Verdict
from recommender.storage.event_queue import (
    IDLE_S,
    MOST_DELIVERIES,
    MOST_ENTRIES,
    SHRINK,
    SUSPICIOUS_DELIVERIES,
    Entry,
)
from tests.fakes.event_log import MemoryEventLog
from tests.fakes.event_queue import MemoryEventQueue

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class MemoryWorld:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.log: EventLog = MemoryEventLog()
        self.queue = self.log.queue = MemoryEventQueue(lambda: self.seconds)

    def wait_until_idle(self) -> None:
        self.seconds += IDLE_S


class RedisWorld:
    def __init__(self, shop: str, client) -> None:
        self.client, self.keys = client, Keys(shop)
        self.log: EventLog = RedisEventLog(shop, client)
        self.queue = RedisEventQueue(self.keys, client, idle_s=IDLE_S)

    def wait_until_idle(self) -> None:
        """Have every pending entry look as old as one of a worker that died, without waiting for it."""
        for entry_id, worker, _, deliveries in self._pending():
            claim = (worker, 0, entry_id, "IDLE", int(IDLE_S * 1000) + 1, "RETRYCOUNT", deliveries, "JUSTID")
            self.client.evaluate("redis.call('XCLAIM', KEYS[1], 'workers', unpack(ARGV))", [self.keys.events], *claim)

    def _pending(self) -> list[list]:
        return self.client.evaluate(
            "return redis.call('XPENDING', KEYS[1], 'workers', '-', '+', 1000)", [self.keys.events]
        )


@pytest.fixture(params=["memory", "embedded", "other"])
def world(request: pytest.FixtureRequest, shop: str) -> Iterator[MemoryWorld | RedisWorld]:
    if request.param == "memory":
        yield MemoryWorld()
        return
    url = request.getfixturevalue("redis_url" if request.param == "embedded" else "other_redis_url")
    client = request.getfixturevalue("connect")(url)
    world = RedisWorld(shop, client)
    world.queue.join()
    yield world
    client.call("DEL", "none", *client.call("KEYS", Keys(shop).current.replace("current", "*")))


@pytest.fixture
def add(world) -> Callable[..., None]:
    def add(*event_ids: str, customer_id: str = "ANNA") -> None:
        fields = {"event_type": "purchase", "product_id": "MILK", "occurred_at": NOW - timedelta(hours=1)}
        events = [Event(event_id=event_id, customer_id=customer_id, **fields) for event_id in event_ids]
        assert set(world.log.accept(events, NOW, 1_000)) == {Verdict.ACCEPTED}

    return add


def names(entries: list[Entry]) -> list[str]:
    return [Event.from_json(entry.wire).event_id for entry in entries]


def test_new_entries_come_once_in_order_and_each_to_one_worker(world, add):
    add("1", "2", "3")
    assert names(world.queue.take("a", most=2)) == ["1", "2"]
    assert names(world.queue.take("b")) == ["3"]
    assert world.queue.take("c") == []


def test_joining_again_changes_nothing(world, add):
    add("1")
    world.queue.take("a")
    world.queue.join()
    world.queue.join()
    assert world.queue.backlog().pending == {"a": 1}


def test_what_waited_before_any_worker_came_is_handed_out(world, add):
    add("1")
    world.queue.join()
    assert names(world.queue.take("a")) == ["1"]


def test_settled_entries_wait_no_more(world, add):
    add("1", "2", "3")
    first, second, _ = world.queue.take("a")
    world.queue.settle([first.entry_id, second.entry_id])
    assert world.queue.backlog().waiting == 1
    world.wait_until_idle()
    assert names(world.queue.take("b")) == ["3"]


def test_settling_twice_or_nothing_does_no_harm(world, add):
    add("1")
    (entry,) = world.queue.take("a")
    world.queue.settle([entry.entry_id])
    world.queue.settle([entry.entry_id])
    world.queue.settle([])
    assert world.queue.backlog().waiting == 0


def test_a_worker_gets_its_own_again_first(world, add):
    add("1")
    world.queue.take("a")
    add("2")
    again = world.queue.take("a")
    assert names(again) == ["1"]
    assert [entry.deliveries for entry in again] == [2]


def test_the_entries_of_a_dead_worker_go_to_another_and_of_a_living_one_do_not(world, add):
    add("1")
    world.queue.take("a")
    assert world.queue.take("b") == []
    world.wait_until_idle()
    assert names(world.queue.take("b")) == ["1"]
    assert world.queue.backlog().pending == {"b": 1}


def test_what_was_handed_out_often_comes_in_ever_smaller_batches_and_after_its_neighbours(world, add):
    events = [str(number) for number in range(80)]
    add(*events)
    for _ in range(SUSPICIOUS_DELIVERIES):
        assert names(world.queue.take("a", most=72)) == events[:72]
    assert names(world.queue.take("a", most=72)) == events[:9]
    rest = world.queue.take("a", most=72)
    assert (names(rest), rest[0].deliveries) == (events[9:18], SUSPICIOUS_DELIVERIES + 1)
    world.queue.settle([entry.entry_id for entry in rest])
    for first in range(18, 72, 9):
        world.queue.settle([entry.entry_id for entry in world.queue.take("a", most=72)])
        assert world.queue.backlog().waiting == 80 - first
    (alone,) = world.queue.take("a", most=72)
    assert (names([alone]), alone.deliveries) == (["0"], SUSPICIOUS_DELIVERIES + 2)


def test_poison_is_alone_before_it_is_buried_and_so_is_whatever_came_with_it():
    sizes = [MOST_ENTRIES // SHRINK ** max(0, n - SUSPICIOUS_DELIVERIES) for n in range(1, MOST_DELIVERIES + 1)]
    assert max(sizes[-2:]) <= 1


def test_an_excused_entry_is_as_new_and_stays_in_hand(world, add):
    add("1", "2")
    for _ in range(SUSPICIOUS_DELIVERIES):
        world.queue.take("a")
    world.wait_until_idle()
    world.queue.excuse("a")
    world.queue.excuse("nobody")
    add("3")
    assert names(world.queue.take("b")) == ["3"]
    assert world.queue.take("c") == []
    assert [(names([entry]), entry.deliveries) for entry in world.queue.take("a")] == [(["1"], 1), (["2"], 1)]
    assert [entry.deliveries for entry in world.queue.take("b")] == [2]


def test_a_replayed_letter_waits_again_once_and_keeps_its_moment(world, add):
    add("1", "2")
    world.queue.bury(world.queue.take("a"), "because", NOW)
    letters = world.queue.dead_letters()
    assert world.queue.replay([]) == 0
    assert world.queue.replay(letters[:1]) == 1
    assert world.queue.replay(letters[:1]) == 0
    (entry,) = world.queue.take("a")
    assert (names([entry]), entry.deliveries) == (["1"], 1)
    assert entry.entry_id != letters[0].entry.entry_id
    assert entry.accepted_at == letters[0].entry.accepted_at
    world.queue.bury([entry], "again", NOW)
    assert [letter.entry.accepted_at for letter in world.queue.dead_letters()] == [
        letters[1].entry.accepted_at,
        letters[0].entry.accepted_at,
    ]
    assert world.queue.replay(world.queue.dead_letters()) == 2
    assert (world.queue.backlog().waiting, world.queue.backlog().dead_letters) == (2, 0)


def test_an_erased_customers_replayed_letters_are_gone(world, add):
    add("1")
    world.queue.bury(world.queue.take("a"), "because", NOW)
    world.queue.replay(world.queue.dead_letters())
    assert world.log.erase("ANNA", NOW) == 1
    assert world.queue.take("a") == []


def test_a_buried_entry_is_listed_with_its_reason_and_handed_out_no_more(world, add):
    add("1", "2")
    first, second = world.queue.take("a")
    world.queue.bury([first], "because", NOW)
    (letter,) = world.queue.dead_letters()
    assert (letter.entry, letter.reason, letter.buried_at) == (first, "because", NOW.isoformat())
    assert letter.to_dict()["deliveries"] == 1
    world.wait_until_idle()
    assert names(world.queue.take("b")) == names([second])
    backlog = world.queue.backlog()
    assert (backlog.waiting, backlog.dead_letters) == (1, 1)


def test_an_empty_queue_has_no_lag(world):
    backlog = world.queue.backlog()
    assert (backlog.waiting, backlog.pending, backlog.oldest, backlog.dead_letters) == (0, {}, None, 0)
    assert backlog.lag_s(NOW) == 0.0
    assert world.queue.dead_letters() == []


def test_who_was_erased_is_told_of_those_who_are_asked_for(world):
    world.log.erase("ANNA", NOW)
    assert world.queue.erased(["ANNA", "BEN"]) == {"ANNA"}
    assert world.queue.erased([]) == frozenset()


def test_an_erased_customers_entries_are_gone_also_from_a_workers_hand(world, add):
    add("1", "2")
    add("3", customer_id="BEN")
    world.queue.bury(world.queue.take("a", most=1), "because", NOW)
    world.queue.take("a", most=1)
    assert world.log.erase("ANNA", NOW) == 2
    assert world.queue.dead_letters() == []
    assert world.queue.backlog().pending == {}
    assert names(world.queue.take("a")) == ["3"]


def test_an_erased_customers_later_events_are_refused(world):
    world.log.erase("ANNA", NOW)
    event = Event(event_id="1", event_type="unsubscribe", customer_id="ANNA", occurred_at=NOW)
    assert world.log.accept([event], NOW, 10) == [Verdict.ERASED]
    assert world.queue.backlog().waiting == 0


@pytest.mark.parametrize("customer_id", ['a"b', "a\\", "käse 🧀", "\n", "A", '","x":"', "ANN"])
def test_whoever_is_erased_nobody_else_is(world, add, customer_id):
    add("1")
    add("2", customer_id=customer_id)
    add('"customer_id":"A"')
    assert world.log.erase(customer_id, NOW) == 1
    assert names(world.queue.take("a")) == ["1", '"customer_id":"A"']


def test_erasing_again_keeps_the_first_moment(world, add):
    world.log.erase("ANNA", NOW)
    before = set(world.log.erased())
    assert world.log.erase("ANNA", NOW + timedelta(days=1)) == 0
    assert set(world.log.erased()) == before
    assert len(before) == 1


def test_the_age_of_the_oldest_is_the_lag():
    backlog = event_queue.Backlog(1, {}, f"{int(NOW.timestamp() * 1000)}-0", 0)
    assert backlog.lag_s(NOW + timedelta(seconds=7.5)) == 7.5
    assert backlog.lag_s(NOW - timedelta(seconds=1)) == 0.0  # a clock that is behind that of Redis


class TestInRedis:
    @pytest.fixture
    def world(self, redis_shop) -> RedisWorld:
        world = RedisWorld(redis_shop.shop, redis_shop.client)
        world.queue.join()
        return world

    def test_what_somebody_else_deleted_is_no_entry_any_more(self, world, add, redis_shop):
        add("1", "2")
        first, _ = world.queue.take("a")
        redis_shop.client.call("XDEL", world.keys.events, first.entry_id)
        assert names(world.queue.take("a")) == ["2"]
        assert world.queue.backlog().pending == {"a": 1}

    def test_what_somebody_else_wrote_is_handed_out_as_it_is(self, world, redis_shop):
        redis_shop.client.call("XADD", world.keys.events, "*", "x", "y")
        assert [entry.wire for entry in world.queue.take("a")] == [b""]

    def test_more_entries_than_one_trip_looks_at_are_all_looked_at(self, world, add, monkeypatch):
        monkeypatch.setattr("recommender.redis.event_log._ENTRIES_PER_TRIP", 3)
        for number in range(10):
            add(f"a{number}", customer_id="ANNA" if number % 2 else "BEN")
        assert world.log.erase("ANNA", NOW) == 5
        assert len(world.queue.take("a")) == 5

    def test_dead_letters_are_bounded(self, world, monkeypatch):
        monkeypatch.setattr("recommender.redis.event_queue.MOST_DEAD_LETTERS", 100)
        entries = [Entry(f"{number}-0", b"x", 1) for number in range(1_000)]
        world.queue.bury(entries, "because", NOW)
        assert 100 <= world.queue.backlog().dead_letters < 300

    def test_workers_that_were_not_heard_of_are_forgotten_and_busy_ones_are_not(
        self, world, add, redis_shop, monkeypatch
    ):
        add("1")
        world.queue.take("busy")
        world.queue.take("idle")
        monkeypatch.setattr("recommender.redis.event_queue.IDLE_WORKER_S", -0.001)
        world.queue.join()
        found = redis_shop.client.evaluate(
            "return redis.call('XINFO', 'CONSUMERS', KEYS[1], 'workers')", [world.keys.events]
        )
        assert [one[1] for one in found] == [b"busy"]

    def test_a_file_without_what_was_deleted_is_written(self, world, add):
        add("1")
        assert world.log.rewrite() is True
