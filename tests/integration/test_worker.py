"""`reprise worker` and `reprise events` as processes, with a Redis that comes and goes."""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recommender.events.event import Event
from recommender.redis.event_log import RedisEventLog
from recommender.redis.keys import Keys
from recommender.storage.event_queue import MOST_DELIVERIES
from tests.support.commands import Reprise
from tests.support.event_workers import start_worker, stop_worker
from tests.support.full_disk import full_disk
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from training.events.archive import Archive

Start = Callable[..., subprocess.Popen[str]]
STARTS = ["settings file", "Redis", "shop default", "API keys", "mail secret"]
"""How the lines begin that a worker prints when it starts."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis", appendfsync="always") as server:
        yield server


@pytest.fixture
def log(server, connect) -> RedisEventLog:
    return RedisEventLog("default", connect(server.url))


@pytest.fixture
def start(home: Path, server: RedisServer) -> Iterator[Start]:
    """Start `reprise worker` in the background; what still runs at the end is killed."""
    started = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(start_worker(home, server.url, *arguments, **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def accept(log: RedisEventLog, *event_ids: str, customer_id: str = "ANNA") -> None:
    now = datetime.now(UTC)
    fields = {"event_type": "purchase", "product_id": "MILK", "occurred_at": now - timedelta(minutes=1)}
    log.accept([Event(event_id=event_id, customer_id=customer_id, **fields) for event_id in event_ids], now, 100_000)


def archived(home: Path, shop: str = "default") -> list[str]:
    return sorted(Archive(home / "ledger", shop).read()["event_id"])


def times_tried(log: RedisEventLog) -> int:
    """How often the worker asked for the batch in its hand, by the server's count of claims."""
    told = log._client.call("INFO", "commandstats")
    return int(told.get("cmdstat_xclaim", {"calls": 0})["calls"])


def stop(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert stop_worker(process) == 0
    return process.communicate()


def test_what_is_accepted_is_archived_within_moments_and_a_sigterm_ends_the_worker(start, log, home):
    worker = start("--json")
    accept(log, "1", "2")
    wait_until(lambda: archived(home) == ["1", "2"], "both are archived")
    accept(log, "3")
    wait_until(lambda: not log.queue.backlog().waiting, "the third, too")
    out, err = stop(worker)
    assert json.loads(out) == {"default": {"archived": 3, "dead_letters": 0, "batches": 2}}
    assert [line.partition(": ")[0] for line in err.splitlines()] == STARTS
    assert archived(home) == ["1", "2", "3"]


def test_two_workers_share_the_work_and_archive_nothing_twice(start, log, home):
    workers = [start("--json"), start("--json")]
    for number in range(40):
        accept(log, *(f"{number}-{one}" for one in range(50)))
    wait_until(lambda: not log.queue.backlog().waiting, "all are archived")
    done = [json.loads(stop(worker)[0])["default"]["archived"] for worker in workers]
    assert sum(done) == len(archived(home)) == 2_000


def test_redis_may_go_and_come_back(start, server, log, home):
    worker = start()
    accept(log, "1")
    wait_until(lambda: archived(home) == ["1"], "the first is archived")
    wait_until(lambda: not log.queue.backlog().waiting, "and Redis has been told, or it would be delivered again")
    server.kill()
    line = worker.stderr.readline()
    assert "cannot be reached" in line
    assert line.rstrip().endswith("waiting")
    server.start()
    accept(log, "2")
    wait_until(lambda: archived(home) == ["1", "2"], "so is the second")
    out, err = stop(worker)
    *waiting, goes_on = err.splitlines()
    assert goes_on == "default: archiving goes on"
    assert all(one.endswith("waiting") for one in waiting)
    told = Counter([line.rstrip(), *waiting])
    assert max(told.values()) <= 2, "each cause is told once by who archives, and once by who makes picks"
    assert [line.partition(": ")[0] for line in out.splitlines()[:-1]] == STARTS
    assert out.splitlines()[-1] == "default: 2 events archived, 0 dead letters"


def test_an_emptied_redis_is_joined_anew(start, server, log, home):
    worker = start()
    accept(log, "1")
    wait_until(lambda: archived(home) == ["1"], "the first is archived")
    server.flush()
    accept(log, "2")
    wait_until(lambda: archived(home) == ["1", "2"], "so is the second")
    stop(worker)


def test_once_ends_when_nothing_waits_for_each_of_several_shops(log, connect, server, reprise, home):
    accept(log, "1")
    accept(RedisEventLog("tea", connect(server.url)), "2")
    done = reprise("worker", "--once", "--json", "--shop", "tea", "--shop", "default", REPRISE_REDIS_URL=server.url)
    assert done.returncode == 0, done.stderr
    assert {shop: told["archived"] for shop, told in json.loads(done.stdout).items()} == {"tea": 1, "default": 1}
    assert (archived(home), archived(home, "tea")) == (["1"], ["2"])


def test_events_tells_what_waits_and_what_is_dead(log, server, reprise: Reprise, connect):
    reprise_here: Callable[..., subprocess.CompletedProcess[str]] = lambda *words: reprise(  # noqa: E731
        *words, REPRISE_REDIS_URL=server.url
    )
    assert json.loads(reprise_here("events", "--json").stdout) == {
        "waiting": 0,
        "lag_s": 0.0,
        "pending": {},
        "dead_letters": 0,
    }
    before = datetime.now(UTC)
    accept(log, "1", "2")
    log.queue.join()
    log.queue.take("somebody", most=1)
    told = json.loads(reprise_here("events", "--json").stdout)
    assert (told["waiting"], told["pending"]) == (2, {"somebody": 1})
    waited_ms = (datetime.now(UTC) - before) // timedelta(milliseconds=1)
    assert 0 < told["lag_s"] * 1000 <= waited_ms + 2  # an entry's id, and the figure, are of whole milliseconds
    assert "2 events wait" in reprise_here("events").stdout

    connect(server.url).call("XADD", Keys("default").events, "*", "e", "nonsense")
    assert reprise_here("worker", "--once").returncode == 0
    (dead,) = json.loads(reprise_here("events", "--dead", "--json").stdout)["dead"]
    assert (dead["event"], dead["deliveries"]) == ("nonsense", 1)
    assert dead["reason"].startswith("no event")
    assert "nonsense" in reprise_here("events", "--dead").stdout


def test_a_full_disk_buries_nothing_and_what_waited_is_archived_as_a_batch(start, log, home):
    worker = start("--json")
    accept(log, "0")
    wait_until(lambda: archived(home) == ["0"], "the worker is at work")
    with full_disk(pid=worker.pid):
        accept(log, *(str(number) for number in range(1, 3_000)))
        line = next(line for line in worker.stderr if "cannot write" in line)  # it first says what it found
        assert "File too large" in line
        wait_until(lambda: times_tried(log) > 2 * MOST_DELIVERIES, "it was tried often")
        assert log.queue.backlog().dead_letters == 0
    wait_until(lambda: not log.queue.backlog().waiting, "all are archived")
    out, err = stop(worker)
    assert err == "default: archiving goes on\n"
    assert json.loads(out)["default"]["dead_letters"] == 0
    assert len(archived(home)) == 3_000
    assert len(Archive(home / "ledger", "default").files()) <= 3, "one a batch, two where midnight passed"


def test_dead_letters_are_replayed_once_and_archived_as_what_they_were(log, server, connect, reprise, home):
    accept(log, "1", "2")
    log.queue.join()
    entries = log.queue.take("somebody")
    log.queue.bury(entries, "a full disk, in an earlier release", datetime.now(UTC))
    connect(server.url).call("XADD", Keys("default").dead_events, "*", "id", "1-0", "e", "nonsense", "deliveries", "1")
    told = [reprise("events", "--replay", "--json", REPRISE_REDIS_URL=server.url) for _ in range(2)]
    found = [json.loads(one.stdout) for one in told]
    assert [(one["replayed"], one["dead_letters"], one["waiting"]) for one in found] == [(2, 1, 2), (0, 1, 2)]
    assert (
        "0 dead letters wait to be archived again" in reprise("events", "--replay", REPRISE_REDIS_URL=server.url).stdout
    )
    assert reprise("worker", "--once", REPRISE_REDIS_URL=server.url).returncode == 0
    found_again = Archive(home / "ledger", "default").read()
    assert found_again["event_id"].to_list() == ["1", "2"]
    assert found_again["accepted_at"].to_list() == [entry.accepted_at for entry in entries]


def test_a_folder_that_cannot_be_made_is_waited_for(start, log, home):
    (home / "ledger").mkdir(parents=True)
    (home / "ledger" / "shop=default").write_text("in the way")
    worker = start()
    accept(log, "1")
    line = worker.stderr.readline()
    assert "cannot create" in line
    assert line.rstrip().endswith("waiting")
    (home / "ledger" / "shop=default").unlink()
    wait_until(lambda: archived(home) == ["1"], "it is archived at last")
    assert stop(worker)[1].splitlines() == ["default: archiving goes on"]
    assert log.queue.backlog().dead_letters == 0
