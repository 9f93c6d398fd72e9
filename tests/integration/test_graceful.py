"""`reprise serve` ends, reloads and loses processes while it is asked: no request that it took is dropped."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from tests.support.load import MANY, Load, ask, load
from tests.support.redis_servers import RedisServer, free_port, redis_server, wait_until
from tests.support.served import (
    HURRIED_MS,
    PAGES,
    WORKERS,
    Served,
    children,
    fallback_reasons,
    serve,
    store_of,
    version,
)

pytestmark = pytest.mark.slow

THREADS = 8


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        store_of(server.url).publish(version(1), keep=3)
        yield server


@pytest.fixture(scope="module")
def lasting(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service for the tests that leave it whole, with its own settings again."""
    with serve(tmp_path_factory.mktemp("lasting"), REPRISE_REDIS_URL=redis.url) as served:
        served.wait_until_ready()
        yield served


@pytest.fixture
def toml(lasting: Served) -> Iterator[Path]:
    """Where its settings lie; there are none after the test."""
    path = lasting.folder / "reprise.toml"
    yield path
    path.unlink()


@pytest.fixture
def served(redis: RedisServer, tmp_path: Path) -> Iterator[Served]:
    """A service that a test may end."""
    with serve(tmp_path, REPRISE_REDIS_URL=redis.url, REPRISE_REDIS_TIMEOUT_MS=HURRIED_MS) as served:
        served.wait_until_ready()
        yield served


def errors(running: Load) -> Counter[str]:
    """What the requests that got no answer met."""
    return Counter(type(answer.error).__name__ for answer in running.answers if answer.error)


def assert_none_dropped(served: Served, running: Load) -> None:
    """Every request that a worker began was answered to the one who asked.

    A connection may be closed just as a request sets out on it: no worker took that one, its client sends it again.
    """
    lost = errors(running) - Counter(ConnectionRefusedError=len(running.answers))
    assert lost.keys() <= {"RemoteDisconnected", "ConnectionResetError"}
    assert lost.total() <= THREADS

    def logged() -> int:
        return sum(line["status"] == 200 for line in served.log("request") if line["route"].startswith("/v1"))

    wait_until(lambda: logged() == running.statuses()[200], "each answer is logged, and no other")


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept connections", "new connections"])
def test_sigterm_answers_what_it_took_and_then_refuses(keep_alive: bool, redis: RedisServer, served: Served) -> None:
    with load(served.address, PAGES, threads=THREADS, keep_alive=keep_alive) as running:
        running.next(MANY)
        redis.pause()  # requests hang in their time-out when the signal comes, and nobody waits for Redis to go on
        try:
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait() == 0
        finally:
            redis.resume()
        wait_until(lambda: errors(running)["ConnectionRefusedError"] > 0, "others are refused")
    assert running.statuses().keys() == {0, 200}
    assert_none_dropped(served, running)
    assert served.workers() == []


def test_sighup_takes_up_the_settings_and_drops_nothing(lasting: Served, toml: Path) -> None:
    served, before = lasting, set(lasting.workers())
    toml.write_text("[placements.home]\ncap = 2\ndefault_limit = 1\n")
    with load(served.address, PAGES) as running:
        running.next(MANY)
        served.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(served.workers()) > WORKERS, "a new worker runs beside the old ones")
        wait_until(lambda: len(set(served.workers()) - before) == WORKERS == len(served.workers()), "all are new")
        running.next(MANY)
    assert running.statuses().keys() == {200}
    assert_none_dropped(served, running)
    personal = [answer for answer in running.answers if "ann" in answer.path]
    assert personal[0].json["limit"]["cap"] == 20
    assert personal[-1].json["limit"]["cap"] == 2


def test_sighup_with_settings_that_cannot_be_changes_nothing(lasting: Served, toml: Path) -> None:
    lasting.wait_until_ready()
    served, before = lasting, lasting.workers()
    toml.write_text("nonsense = 1\n")
    with load(served.address, PAGES) as running:
        served.process.send_signal(signal.SIGHUP)
        wait_until(lambda: served.log("settings_not_reloaded"), "the log tells")
        running.next(MANY)
    assert running.statuses().keys() == {200}
    assert served.workers() == before
    assert "nonsense" in served.log("settings_not_reloaded")[0]["detail"]


def test_workers_end_with_a_parent_that_is_killed(served: Served) -> None:
    workers = served.workers()
    assert len(workers) == WORKERS
    served.process.kill()
    served.process.wait()
    wait_until(lambda: not any(map(_lives, workers)), "no worker is left")


def test_a_worker_that_is_killed_is_replaced(lasting: Served) -> None:
    served = lasting
    served.wait_until_ready()
    killed = served.workers()[0]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(set(served.workers()) - {killed}) == WORKERS, "there are as many as before")
    served.wait_until_ready()


def test_the_embedded_redis_is_started_again_with_its_data(tmp_path: Path) -> None:
    home = DataDirectory(tmp_path / "home")
    with embedded_server(home) as url:
        store_of(url).publish(version(1), keep=3)
        with serve(tmp_path, REPRISE_LOG_LEVEL="warning") as served:
            served.wait_until_ready()
            with load(served.address, PAGES) as running:
                running.next(MANY)
                os.kill(int((home.redis / "server.pid").read_text()), signal.SIGKILL)
                wait_until(lambda: served.log("embedded_redis_started_again"), "it is started again")
                served.wait_until_ready()
                wait_until(lambda: fallback_reasons(running.next(MANY)) == {None}, "answers as before")
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait() == 0
    assert running.statuses().keys() == {200}


FORKED = """
import os, sys
from pathlib import Path
from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
with embedded_server(DataDirectory(Path(sys.argv[1]))) as url:
    child = os.fork()
    if child == 0:
        raise SystemExit  # leaves the block too
    os.waitpid(child, 0)
    print(Path(url.removeprefix("unix://")).exists())
"""


def test_a_fork_that_ends_leaves_the_embedded_redis_to_its_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKED, str(tmp_path / "home")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "True\n"
    assert not (tmp_path / "home" / "redis" / "server.sock").exists()


def test_gunicorn_shares_no_connection_over_a_fork(redis: RedisServer, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn", reason="gunicorn is not installed (extra `bench`)")
    with gunicorn(tmp_path, redis.url) as (pid, address):
        wait_until(lambda: len(children(pid)) == WORKERS, "all workers run")
        with load(address, PAGES, threads=THREADS, keep_alive=False) as running:
            running.next(MANY)
            sockets = [_sockets_to(redis.port, worker) for worker in children(pid)]
        assert all(sockets), "each worker has connections of its own"
        assert not set.intersection(*sockets)
        assert not _sockets_to(redis.port, pid), "the parent has none"
        assert running.statuses().keys() == {200}


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


GUNICORN = """
bind = "127.0.0.1:{port}"
workers = {workers}
worker_class = "gthread"
threads = 4
preload_app = True
control_socket_disable = True
worker_tmp_dir = "/dev/shm"
"""


@contextmanager
def gunicorn(folder: Path, redis_url: str) -> Iterator[tuple[int, tuple[str, int]]]:
    """Gunicorn as README says, with an app that is made before the fork: its process id and its address."""
    port = free_port()
    (folder / "gunicorn.conf.py").write_text(GUNICORN.format(port=port, workers=WORKERS))
    environment = {**os.environ, "REPRISE_REDIS_URL": redis_url, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "gunicorn", "api:create_app()"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: ask(("127.0.0.1", port), "/health/live").status == 200, "gunicorn answers")
        yield process.pid, ("127.0.0.1", port)
    finally:
        process.terminate()
        process.wait()


def _sockets_to(port: int, pid: int) -> set[str]:
    """Inodes of the connections of a process to `port` of this machine."""
    links = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime
            links.add(str(path.readlink()))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    remote = {f"socket:[{line[9]}]" for line in lines if int(line[2].rpartition(":")[2], 16) == port}
    return links & remote
