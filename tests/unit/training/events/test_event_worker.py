import threading
from collections.abc import Callable, Sequence

import polars as pl
import pytest

from recommender.errors import HomeError, StoreUnavailableError
from recommender.events.event import Event
from recommender.person import digest_of_person
from recommender.storage.event_queue import IDLE_S, MOST_DELIVERIES, Entry
from tests.fakes.event_log import MemoryEventLog
from tests.fakes.event_queue import MemoryEventQueue
from tests.support.event_files import NOW, event
from training.events import archive
from training.events import event_worker as module
from training.events.archive import Archive, Archived
from training.events.event_worker import EventCounts, EventWorker


class World:
    """A log in memory, an archive, and what a worker told."""

    def __init__(self, folder) -> None:
        self.seconds = 0.0
        self.log = MemoryEventLog()
        self.queue = self.log.queue = MemoryEventQueue(lambda: self.seconds)
        self.archive = Archive(folder, "default")
        self.refreshed: list[str] = []
        self.told: list[str] = []

    def accept(self, *events: Event) -> None:
        self.log.accept(events, NOW, 1_000)

    def worker(self, name: str = "a", refresh: Callable[[Sequence[Event]], None] | None = None) -> EventWorker:
        note = refresh or (lambda events: self.refreshed.extend(one.event_id for one in events))
        return EventWorker(name, self.queue, self.archive, note, lambda: NOW, self.told.append, EventCounts())

    def archived(self) -> list[str]:
        return sorted(self.archive.read()["event_id"])


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    monkeypatch.setattr(module, "GATHER_S", 0.0)


def fail_times(n: int, error: Exception, then: Callable[..., object]) -> Callable[..., object]:
    """`then`, but its first `n` calls raise `error`."""
    left = iter(range(n))

    def call(*arguments: object) -> object:
        if next(left, None) is not None:
            raise error
        return then(*arguments)

    return call


def test_events_are_archived_refreshed_and_settled(world):
    world.accept(event("1"), event("2", "BEN"))
    worker = world.worker()
    assert worker.work() == 2
    assert world.archived() == world.refreshed == ["1", "2"]
    assert world.queue.backlog().waiting == 0
    assert worker.counts.to_dict() == {"archived": 2, "dead_letters": 0, "batches": 1}
    assert worker.work() == 0


def test_nothing_is_settled_before_it_is_archived(world, monkeypatch):
    world.accept(event("1"))
    seen = []
    monkeypatch.setattr(world.queue, "settle", lambda ids: seen.append((list(ids), world.archived())))
    world.worker().work()
    assert seen == [(["1-0"], ["1"])]


def test_what_is_no_event_goes_to_the_dead_letters_without_being_quoted_and_stops_no_other(world):
    world.queue.add(b"nonsense")
    world.queue.add(b'{"event_id":"x","event_type":"theft","customer_id":"ANNA"}')
    world.accept(event("1"))
    worker = world.worker()
    worker.follow(threading.Event(), once=True)
    assert world.archived() == ["1"]
    reasons = [letter.reason for letter in world.queue.dead_letters()]
    assert reasons[0].startswith("no event: Invalid JSON")
    assert reasons[1].startswith("no event: event_type: Input should be 'purchase'")
    assert not any("ANNA" in reason for reason in reasons)
    assert worker.counts.dead_letters == 2


def test_what_ends_worker_after_worker_goes_to_the_dead_letters_alone(world):
    world.accept(event("1"), event("poison"), event("2"))

    def die(events: Sequence[Event]) -> None:
        if any(one.event_id == "poison" for one in events):
            raise SystemExit

    for number in range(MOST_DELIVERIES):
        with pytest.raises(SystemExit):
            world.worker(f"w{number}", die).follow(threading.Event(), once=True)
        world.seconds += IDLE_S
    world.worker("last", die).follow(threading.Event(), once=True)
    (letter,) = world.queue.dead_letters()
    assert Event.from_json(letter.entry.wire).event_id == "poison"
    assert (letter.reason, letter.entry.deliveries) == ("8 workers died with it", 9)
    assert world.queue.backlog().waiting == 0
    assert {"1", "2"} <= set(world.archived())


def test_a_bug_in_refreshing_is_told_and_stops_no_event(world):
    world.accept(event("1"), event("2"))

    def stumble(events: Sequence[Event]) -> None:
        raise ZeroDivisionError("oops")

    world.worker(refresh=stumble).follow(threading.Event(), once=True)
    assert world.archived() == ["1", "2"]
    assert (world.queue.backlog().waiting, world.queue.dead_letters()) == (0, [])
    assert world.told == ["ZeroDivisionError while lists were renewed: oops; the events are archived"]


def test_an_event_that_is_no_row_is_buried_with_the_reason_and_the_others_are_archived(world, monkeypatch):
    world.accept(event("1"), event("poison"), event("2"))
    to_frame = archive._to_frame

    def stumble(batch: Sequence[Archived]) -> pl.DataFrame:
        if any(one.event.event_id == "poison" for one in batch):
            raise OverflowError("too large")
        return to_frame(batch)

    monkeypatch.setattr(archive, "_to_frame", stumble)
    world.worker().follow(threading.Event(), once=True)
    assert [letter.reason for letter in world.queue.dead_letters()] == ["cannot be archived: OverflowError"]
    assert world.archived() == ["1", "2"]
    assert world.told[-1] == "archiving goes on"


TEMPORARY = [HomeError("disk full"), StoreUnavailableError("Redis is away"), RuntimeError("never heard of")]


@pytest.mark.parametrize("error", TEMPORARY)
def test_a_failure_that_is_not_the_entries_fault_is_told_once_buries_nothing_and_the_batch_stays_one(
    world, monkeypatch, error
):
    world.accept(*(event(str(number)) for number in range(9)))
    method = fail_times(3 * MOST_DELIVERIES, error, world.archive.write)
    monkeypatch.setattr(world.archive, "write", method)
    worker = world.worker()
    worker.follow(threading.Event(), once=True)
    assert len(world.archived()) == 9
    assert (worker.counts.batches, len(world.archive.files())) == (1, 1)
    assert world.queue.dead_letters() == []
    assert str(error) in world.told[0]
    assert world.told[1:] == ["archiving goes on"]


def test_answers_of_redis_that_were_lost_count_against_no_event(world, monkeypatch):
    world.accept(event("1"))
    take = world.queue.take

    left = iter(range(3 * MOST_DELIVERIES))

    def take_and_lose(worker: str) -> list[Entry]:
        taken = take(worker)
        if next(left, None) is not None:
            raise StoreUnavailableError("no answer in time")
        return taken

    monkeypatch.setattr(world.queue, "take", take_and_lose)
    world.worker().follow(threading.Event(), once=True)
    assert world.archived() == ["1"]
    assert world.queue.dead_letters() == []


@pytest.mark.parametrize("method", ["join", "take", "settle", "erased"])
def test_redis_may_be_away_at_any_moment(world, monkeypatch, method):
    world.accept(event("1"))
    failing = fail_times(2, StoreUnavailableError("Redis is away"), getattr(world.queue, method))
    monkeypatch.setattr(world.queue, method, failing)
    world.worker().follow(threading.Event(), once=True)
    assert world.archived() == ["1"]
    assert world.queue.backlog().waiting == 0
    assert world.told == ["Redis is away; waiting", "archiving goes on"]


def test_it_joins_again_after_redis_was_away(world, monkeypatch):
    joined = []
    monkeypatch.setattr(world.queue, "join", lambda: joined.append(1))
    monkeypatch.setattr(world.queue, "take", fail_times(1, StoreUnavailableError("away"), world.queue.take))
    world.worker().follow(threading.Event(), once=True)
    assert len(joined) == 2


def test_it_ends_when_it_is_told_to_with_its_batch_done(world):
    stop = threading.Event()
    world.accept(event("1"))
    world.worker(refresh=lambda _: stop.set()).follow(stop)
    assert world.archived() == ["1"]
    assert world.queue.backlog().waiting == 0


def test_an_erased_customer_is_not_archived(world):
    world.accept(event("1"), event("2", "BEN"))
    world.queue.take("a")  # in hand already
    world.queue.tombstones = {digest_of_person("ANNA", None): NOW}
    world.worker().work()
    assert world.archived() == ["2"]


def test_who_is_erased_while_the_batch_is_written_is_written_out_again(world, monkeypatch):
    world.accept(event("1"), event("2", "BEN"))
    write = world.archive.write

    def erase_then_write(*arguments: object) -> None:
        write(*arguments)
        world.log.erase("ANNA", NOW)

    monkeypatch.setattr(world.archive, "write", erase_then_write)
    world.worker().work()
    assert world.archived() == ["2"]


def test_small_files_are_joined_in_time(world, monkeypatch):
    joined = []
    monkeypatch.setattr(world.archive, "join_small_files", lambda: joined.append(1))
    worker = world.worker()
    for number in range(module.JOIN_EVERY + 1):
        world.accept(event(str(number)))
        worker.work()
    assert len(joined) == 2
