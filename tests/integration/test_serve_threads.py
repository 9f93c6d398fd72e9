"""A worker of `reprise serve` in which a background thread ends is replaced."""

from pathlib import Path

from tests.support.redis_servers import redis_server, wait_until
from tests.support.served import WORKERS, serve, store_of, version

ENDS_ONCE = """
import threading, time
from pathlib import Path

import api.telemetry.buffered_log as module

def end(self):
    while True:
        time.sleep(0.02)
        try:
            Path({mark!r}).unlink()
        except FileNotFoundError:
            continue
        raise ZeroDivisionError("oops")

module.LogLines._keep_emptying = end
"""


def test_a_worker_that_lost_a_thread_is_replaced(tmp_path: Path):
    mark, folder = tmp_path / "mark", tmp_path / "bug"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(ENDS_ONCE.format(mark=str(mark)))
    with redis_server(tmp_path / "redis") as redis:
        store_of(redis.url).publish(version(1), keep=3)
        with serve(tmp_path, REPRISE_REDIS_URL=redis.url, PYTHONPATH=str(folder)) as served:
            served.wait_until_ready()
            before = set(served.workers())
            mark.touch()
            wait_until(lambda: len(before - set(served.workers())) == 1, "the worker has ended")
            wait_until(lambda: len(served.workers()) == WORKERS, "another one took its place")
            served.wait_until_ready()
            assert served.ask("/v1/products/p1/similar").status == 200
            assert "ZeroDivisionError: oops" in (tmp_path / "serve.log").read_text()
