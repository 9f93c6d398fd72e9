"""A stand-alone cluster of Spark, and a ranker that kills the executor that uses it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.redis_servers import free_port, wait_until
from training.ranking.feature_table import FeatureTable
from training.ranking.ranker import Ranker

SPARK = [
    pytest.mark.spark,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]
"""Marks of tests that start Spark."""
ROOT = str(Path(__file__).parents[2])
_DEPLOY = "org.apache.spark.deploy"
_PATIENCE_S = 200


@contextmanager
def cluster(folder: Path, n_workers: int) -> Iterator[str]:
    """The address of a master with some workers of one core, whose executors find these tests."""
    port, page = free_port(), free_port()
    with ExitStack() as until_the_end:
        where = ("--host", "127.0.0.1", "--port", port, "--webui-port", page)
        until_the_end.enter_context(_process(folder, "master.Master", *where))
        for number in range(n_workers):
            size = ("--cores", 1, "--memory", "1g", "--work-dir", folder / str(number), "--webui-port", 0)
            until_the_end.enter_context(
                _process(folder, "worker.Worker", "--host", "127.0.0.1", *size, f"spark://127.0.0.1:{port}")
            )
        _wait_for_workers(f"http://127.0.0.1:{page}/json/", n_workers)
        yield f"spark://127.0.0.1:{port}"


@contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """The address of a server of Spark Connect with two cores, whose executors find these tests."""
    port = free_port()
    conf = {"spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": port}
    words = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
    server = ("--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal")
    with _process(folder, "SparkSubmit", "--master", "local[2]", *words, *server):
        wait_until(lambda: _listens(port), "the server of Spark Connect listens", within_s=_PATIENCE_S)
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def _process(folder: Path, name: str, *words: object) -> Iterator[None]:
    (home,) = find_spec("pyspark").submodule_search_locations
    more = {
        "SPARK_HOME": home,
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    with (folder / "cluster.log").open("a") as log:
        process = subprocess.Popen(
            [f"{home}/bin/spark-class", f"{_DEPLOY}.{name}", *map(str, words)],
            env={**os.environ, **more},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _wait_for_workers(page: str, n_workers: int) -> None:
    end, alive = time.monotonic() + _PATIENCE_S, 0
    while alive < n_workers:
        assert time.monotonic() < end, f"{alive} of {n_workers} workers came"
        time.sleep(0.2)
        try:
            with urllib.request.urlopen(page, timeout=5) as answer:
                alive = json.load(answer)["aliveworkers"]
        except OSError:
            continue


@dataclass(frozen=True)
class DeadlyRanker(Ranker):
    """A ranker that kills the executor in which it is first used; `mark` is a path that tells that it was."""

    mark: str = ""

    def returning(self, customers: FeatureTable) -> NDArray[np.float32]:
        try:
            Path(self.mark).mkdir()
        except FileExistsError:
            return super().returning(customers)
        os.kill(_executor(), signal.SIGKILL)
        raise SystemExit


def _executor() -> int:
    """The Java process above this one and its daemon."""
    status = Path(f"/proc/{os.getppid()}/status").read_text()
    pid = int(next(line for line in status.splitlines() if line.startswith("PPid:")).split()[1])
    name = Path(f"/proc/{pid}/comm").read_text().strip()
    if name != "java":
        raise AssertionError(f"{name} is no executor")
    return pid
