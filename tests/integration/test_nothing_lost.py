"""Whatever is killed, no accepted event is lost, doubled or made up, and what a person sees follows from the events.

`NOTHING_LOST_EVENTS=200000 pytest -s tests/integration/test_nothing_lost.py` sends more than the usual 20,000.
"""

import http.client
import itertools
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from recommender.errors import StoreError
from recommender.events.event import Event
from recommender.person import digest_of_person
from recommender.redis.keys import Keys
from recommender.redis.shops import RedisShopStorage
from tests.fakes.event_log import MemoryEventLog
from tests.support.event_workers import start_worker, stop_worker
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from tests.support.served import Served, serve
from training.events.archive import Archive

N_EVENTS = int(os.environ.get("NOTHING_LOST_EVENTS", "20000"))
N_CLIENTS = 8
N_WORKERS = 2
BATCH = 50
CUSTOMERS_PER_CLIENT = 25
PAUSE_S = 0.1
"""After each batch, so that there is time to kill many."""
SEED = 5
BETWEEN_KILLS_S = (0.5, 1.5)
GIVE_UP_S = 60.0
DRAINED_WITHIN_S = 120.0
"""What a killed worker had in hand goes to another after half a minute."""
TYPES = ("purchase",) * 6 + ("view", "view", "add_to_cart", "refund", "not_interested", "impression", "click")


def make_events(client: int, start: datetime) -> list[Event]:
    """The events of one client, all of its own customers, in the order in which it sends them."""
    rng = random.Random(f"{SEED}-{client}")
    return [
        Event(
            event_id=f"{client}-{number}",
            event_type=rng.choice(TYPES),
            customer_id=f"C{client}-{rng.randrange(CUSTOMERS_PER_CLIENT)}",
            product_id=f"P{rng.randrange(500)}",
            occurred_at=start + timedelta(milliseconds=number),
            unit_price=rng.randrange(1, 1_000) / 100,
        )
        for number in range(N_EVENTS // N_CLIENTS)
    ]


@dataclass
class Client:
    """Sends batches in turn, each until it is accepted."""

    address: tuple[str, int]
    events: list[Event]
    accepted: int = 0
    duplicates: int = 0
    retries: int = 0
    rejected: list[dict] = field(default_factory=list)

    def send_all(self) -> None:
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        for first in range(0, len(self.events), BATCH):
            batch = [json.loads(event.to_json()) for event in self.events[first : first + BATCH]]
            body = json.dumps({"events": batch})
            give_up_at = time.monotonic() + GIVE_UP_S
            while (answer := self._send(connection, body)) is None:
                assert time.monotonic() < give_up_at, "the API does not come back"
                self.retries += 1
                connection.close()
                time.sleep(0.05)
            self.accepted += answer["accepted"]
            self.duplicates += answer["duplicates"]
            self.rejected += answer["rejected"]
            time.sleep(PAUSE_S)
        connection.close()

    def _send(self, connection: http.client.HTTPConnection, body: str) -> dict | None:
        try:
            connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            return None
        return json.loads(text) if response.status == 202 else None


class Workers:
    """Several `reprise worker` processes."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self.processes = [self._start() for _ in range(N_WORKERS)]

    def kill_one(self, rng: random.Random) -> bool:
        number = rng.randrange(N_WORKERS)
        self.processes[number].kill()
        self.processes[number].wait()
        self.processes[number] = self._start()
        return True

    def stop(self) -> list[int]:
        return [stop_worker(process) for process in self.processes]

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def _start(self) -> subprocess.Popen[str]:
        with (self._folder / "worker.log").open("ab") as log:
            return start_worker(self._folder / "home", self._url, stdout=log, stderr=log)


@contextmanager
def workers(folder: Path, url: str) -> Iterator[Workers]:
    running = Workers(folder, url)
    try:
        yield running
    finally:
        running.kill()


@contextmanager
def chaos(victims: dict[str, Callable[[random.Random], bool]]) -> Iterator[Counter[str]]:
    """Kill one of each kind after another, at random moments, until the end of the block."""
    killed: Counter[str] = Counter()
    rng, stop = random.Random(SEED), threading.Event()

    def kill() -> None:
        for name in itertools.cycle(rng.sample(sorted(victims), len(victims))):
            if stop.wait(rng.uniform(*BETWEEN_KILLS_S)):
                break
            killed[name] += victims[name](rng)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        stop.set()
        thread.join()


@contextmanager
def lags(look: Callable[[], float]) -> Iterator[list[float]]:
    """How long the oldest event has waited, looked at all the time while Redis answers."""
    found: list[float] = []
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(0.1):
            try:
                found.append(look())
            except StoreError:
                continue

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


class ApiWorkers:
    """The workers of `reprise serve`, which starts another for one that died, but gives up on one that dies young."""

    GROWN_UP_S = 8.0

    def __init__(self, served: Served) -> None:
        self._served = served
        self._seen = dict.fromkeys(served.workers(), 0.0)

    def kill_one(self, rng: random.Random) -> bool:
        now = time.monotonic()
        since = {pid: self._seen.setdefault(pid, now) for pid in self._served.workers()}
        old = sorted(pid for pid, seen in since.items() if now - seen > self.GROWN_UP_S)
        if old:
            os.kill(rng.choice(old), signal.SIGKILL)
        return bool(old)


def assert_archived_once(archived: Archive, sent: list[Event]) -> float:
    """Fails where the archive does not hold exactly what was sent. Returns how many copies there are of each."""
    found = archived.read()
    assert found["event_id"].is_unique().all()
    rows = {row["event_id"]: Event(**row) for row in found.drop("accepted_at").to_dicts()}
    assert rows == {event.event_id: event for event in sent}
    return sum(len(pl.read_parquet(file)) for file in archived.files()) / len(sent)


def assert_live_as_replayed(server: RedisServer, clients: list[Client], now: datetime) -> int:
    """Fails where what is at hand of a customer differs from a replay of all events. Returns how many customers."""
    replay = MemoryEventLog()
    for client in clients:
        replay.accept(client.events, now, len(client.events) * N_CLIENTS + 1)
    storage, keys = RedisShopStorage(server.url, timeout_ms=5_000), Keys("default")
    customers = {event.customer_id for client in clients for event in client.events}
    for customer_id in customers:
        person = digest_of_person(customer_id, None)
        for part in ("orders", "session", "shown"):
            expected = [event.to_json() for event in replay.recent[part, person]]
            assert storage._writer.call("LRANGE", keys.of(part, person), 0, -1) == expected, (customer_id, part)
        found = {one.decode() for one in storage._writer.call("SMEMBERS", keys.of("hidden", person))}
        assert found == {event.product_id for event in replay.recent["hidden", person]}, customer_id
    storage.close()
    return len(customers)


@pytest.mark.slow
def test_a_full_log_refuses_until_workers_have_made_room(tmp_path):
    """Memory stays bounded, and nobody's events are dropped for it."""
    environment = {"REPRISE_LOG_LEVEL": "error", "REPRISE_MAX_WAITING_EVENTS": str(3 * BATCH)}
    with (
        redis_server(tmp_path / "redis", appendfsync="always") as server,
        serve(tmp_path, REPRISE_REDIS_URL=server.url, **environment) as served,
    ):
        events = make_events(0, datetime.now(UTC) - timedelta(hours=1))[: 10 * BATCH]
        batches = [[json.loads(one.to_json()) for one in events[i : i + BATCH]] for i in range(0, len(events), BATCH)]
        answers = [served.ask("/v1/events", "POST", {"events": batch}) for batch in batches]
        assert [answer.status for answer in answers] == [202] * 3 + [503] * 7
        assert {answer.headers["retry-after"] for answer in answers[3:]} == {"5"}
        assert {answer.json["code"] for answer in answers[3:]} == {"back_pressure"}
        with workers(tmp_path, server.url):
            client = Client(served.address, events)
            client.send_all()
            archived = Archive(tmp_path / "home" / "ledger", "default")
            wait_until(lambda: len(archived.read()) == len(events), "all are archived")
        assert (client.accepted, client.duplicates) == (7 * BATCH, 3 * BATCH)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_is_lost_whatever_is_killed(tmp_path):
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    with (
        redis_server(tmp_path / "redis", appendfsync="always") as server,
        serve(tmp_path, REPRISE_REDIS_URL=server.url, REPRISE_LOG_LEVEL="error") as served,
        workers(tmp_path, server.url) as running,
    ):
        clients = [Client(served.address, make_events(number, start)) for number in range(N_CLIENTS)]
        queue = RedisShopStorage(server.url, timeout_ms=5_000).event_log("default").queue
        victims = {
            "API worker": ApiWorkers(served).kill_one,
            "event worker": running.kill_one,
            "Redis": lambda _: server.restart() or True,
        }
        began = time.monotonic()
        with lags(lambda: queue.backlog().lag_s(datetime.now(UTC))) as lag_s:
            with chaos(victims) as killed:
                threads = [threading.Thread(target=client.send_all) for client in clients]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            sent_s = time.monotonic() - began
            wait_until(lambda: not queue.backlog().waiting, "all are archived", DRAINED_WITHIN_S)
        assert queue.backlog().dead_letters == 0
        assert running.stop() == [0] * N_WORKERS
        sent = [event for client in clients for event in client.events]
        copies = assert_archived_once(Archive(tmp_path / "home" / "ledger", "default"), sent)
        n_customers = assert_live_as_replayed(server, clients, datetime.now(UTC))
    assert [client.rejected for client in clients] == [[]] * N_CLIENTS
    assert sum(client.accepted + client.duplicates for client in clients) == len(sent)
    assert min(killed.values()) > 0
    assert len(killed) == len(victims)
    lag_s.sort()
    print(
        f"\n{len(sent):,} events from {N_CLIENTS} clients in {sent_s:.1f} s ({len(sent) / sent_s:,.0f}/s), "
        f"killed {dict(killed)}; {sum(one.retries for one in clients):,} retries, "
        f"{sum(one.duplicates for one in clients):,} duplicates refused; {copies:.3f} copies archived of each; "
        f"age of the oldest waiting p50 {lag_s[len(lag_s) // 2]:.2f} s, p99 {lag_s[int(len(lag_s) * 0.99)]:.2f} s; "
        f"lists of {n_customers} customers equal a replay"
    )
