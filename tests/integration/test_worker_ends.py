"""How `reprise worker` ends: with a Redis that swallows all, and with one of its threads."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recommender.connection.client import RedisClient
from recommender.events.event import Event
from recommender.redis.event_log import RedisEventLog
from recommender.redis.keys import Keys
from tests.support.event_workers import start_worker, stop_worker
from tests.support.middleman import middleman
from tests.support.redis_servers import RedisServer, redis_server, wait_until
from training.events.archive import Archive

PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def client(server, connect) -> RedisClient:
    return connect(server.url)


def accept(client: RedisClient, *event_ids: str) -> RedisEventLog:
    log, now = RedisEventLog("default", client), datetime.now(UTC)
    fields = {"event_type": "purchase", "customer_id": "ANNA", "product_id": "MILK", "occurred_at": now}
    log.accept([Event(event_id=event_id, **fields) for event_id in event_ids], now, 100_000)
    return log


def archived(home: Path) -> list[str]:
    return sorted(Archive(home / "ledger", "default").read()["event_id"])


def test_a_sigterm_ends_it_while_redis_swallows_all_and_the_batch_in_hand_is_not_lost(server, client, home):
    with middleman(server.port) as proxy:
        worker = start_worker(home, proxy.url, "--json", **PIPES)
        try:
            log = accept(client, "1")
            wait_until(lambda: archived(home) == ["1"] and not log.queue.backlog().waiting, "the worker is at work")
            proxy.nonsense = b""
            asked = proxy.questions
            wait_until(lambda: proxy.questions > asked, "it waits for an answer")
            accept(client, "2", "3")
            name = f"{socket.gethostname()}-{worker.pid}"
            taken = log.queue.take(name)  # as if the answer had been swallowed on its way back
            assert stop_worker(worker) == 0
            out, err = worker.communicate()
        finally:
            worker.kill()
    assert json.loads(out)["default"]["archived"] == 1
    assert err.splitlines()[-1] == "Redis or the disk does not answer within 8 s: what is in hand goes to the next"
    assert log.queue.backlog().pending == {name: 2}
    claim = (name, 0, *(entry.entry_id for entry in taken), "IDLE", 3_600_000, "JUSTID")
    client.evaluate("redis.call('XCLAIM', KEYS[1], 'workers', unpack(ARGV))", [Keys("default").events], *claim)
    following = start_worker(home, server.url, **PIPES)
    wait_until(lambda: archived(home) == ["1", "2", "3"], "the next one has archived them")
    assert stop_worker(following) == 0
    following.communicate()


@pytest.mark.parametrize("kind", ["EventWorker", "PicksWorker"])
def test_it_ends_with_the_first_of_its_threads_that_ends(server, home, kind):
    program = f"""
import training.commands.events.worker as module
from recommender.cli.main import main

def end(*_, **__):
    raise ZeroDivisionError("oops")

module.{kind}.follow = end
main()
"""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPRISE_")}
    done = subprocess.run(
        [sys.executable, "-c", program, "worker"],
        env={**inherited, "REPRISE_HOME": str(home), "REPRISE_REDIS_URL": server.url},
        cwd=home.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ZeroDivisionError: oops")


def test_a_second_signal_changes_nothing(server, client, home):
    worker = start_worker(home, server.url, **PIPES)
    accept(client, "1")
    wait_until(lambda: archived(home) == ["1"], "the worker is at work")
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=60) == 0
    assert worker.communicate()[1] == ""
