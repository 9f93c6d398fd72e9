"""`reprise serve` as a process: it answers, it ends, and nothing of it stays behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recommender.connection.embedded import embedded_server
from recommender.data_dir import DataDirectory
from recommender.redis.open import open_version_store
from recommender.settings import Settings
from tests.support import small_shop
from tests.support.commands import call_reprise
from tests.support.redis_servers import wait_until

PATIENCE_S = 60

Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with open_version_store(Settings(home=tmp_path, redis_timeout_ms=5000)) as store:
        store.publish(small_shop.publication(), keep=3)
    yield tmp_path
    with embedded_server(
        DataDirectory(tmp_path)
    ):  # the last one out stops it: a service that was killed leaves it running
        pass


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def start(home: Path) -> Iterator[Serve]:
    """A function that starts `reprise serve` in a process group of its own."""
    started: list[subprocess.Popen[str]] = []

    def serve(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "recommender.cli", "serve", *arguments],
            env={**os.environ, "REPRISE_HOME": str(home), "REPRISE_REDIS_TIMEOUT_MS": "5000", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield serve
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def members(group: int) -> list[int]:
    """Processes of a group that are not zombies."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[2] == str(group) and fields[0] != "Z":
            found.append(int(folder.name))
    return found


def embedded_runs(home: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(home / "redis" / "server.sock"))
    except OSError:
        return False
    return True


def fetch(port: int, path: str) -> tuple[int, dict]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to look for processes")
@pytest.mark.parametrize(
    ("signum", "whole_group"), [(signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, False)]
)
def test_it_answers_and_leaves_no_process_behind(start: Serve, home: Path, port: int, signum: int, whole_group: bool):
    process = start("--port", str(port), "--workers", "2")
    lines = []
    while not lines or not lines[-1].startswith("Serving"):
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr.read()
    assert lines[-1].startswith(f"Serving http://127.0.0.1:{port}")
    assert lines[1:3] == [f"Redis: embedded, under {home}\n", f"shop default: {small_shop.VERSION} answers\n"]
    assert len(lines) == 6
    assert fetch(port, "/health/ready") == (200, {"status": "ready", "model_version": small_shop.VERSION})
    assert embedded_runs(home)
    for path in ("/v1/products/a%2Fb%20c/similar", "/v1/products/a/b%20c/similar"):
        status, answer = fetch(port, path)
        assert (status, answer["items"][0]["product_id"]) == (200, "MILK")
    assert fetch(port, "/v1/products/k%C3%A4se%20%F0%9F%A7%80/similar")[1]["items"][0]["product_id"] == "MILK"
    assert fetch(port, "/v1/products/nope/similar")[0] == 404

    # a terminal's Ctrl-C reaches every process of the group, `kill` the first alone
    (os.killpg if whole_group else os.kill)(process.pid, signum)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    wait_until(lambda: not members(process.pid), "no process is left")
    assert not embedded_runs(home)


def test_several_workers_answer_from_the_outside_redis(start: Serve, home: Path, port: int, redis_url: str, shop: str):
    with open_version_store(Settings(home=home, redis_url=redis_url, shop=shop, redis_timeout_ms=5000)) as store:
        store.publish(small_shop.publication(), keep=3)
    process = start("--port", str(port), "--json", REPRISE_REDIS_URL=redis_url, REPRISE_SHOP=shop)
    assert json.loads("".join(process.stdout.readline() for _ in range(4)))["url"] == f"http://127.0.0.1:{port}"
    for _ in range(20):
        assert fetch(port, "/v1/popular")[1]["model_version"] == small_shop.VERSION
    assert not embedded_runs(home)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0


def test_workers_read_the_settings_file_that_is_named(start: Serve, tmp_path: Path, port: int):
    settings = tmp_path / "mine.toml"
    settings.write_text("[placements.attic]\ncap = 3\ndefault_limit = 2\n")
    process = start("--config", str(settings), "--port", str(port))
    assert process.stdout.readline() == f"settings file: {settings}\n"
    assert any(line.startswith("Serving") for line in process.stdout)
    for _ in range(8):  # connections reach both workers
        assert fetch(port, "/v1/placements")[1]["placements"][0]["name"] == "attic"


def test_a_taken_port_is_refused(start: Serve):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("--port", str(taken.getsockname()[1]))
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "choose another --port" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "shop.example.com"])
def test_without_keys_only_this_machine_may_ask(home: Path, host: str):
    done = call_reprise(home, "serve", "--host", host)
    assert done.returncode == 2
    assert "no API keys yet" in done.stderr


@pytest.mark.parametrize(("option", "value"), [("--port", "0"), ("--port", "70000"), ("--workers", "0")])
def test_a_value_that_cannot_be_is_refused(home: Path, option: str, value: str):
    done = call_reprise(home, "serve", option, value)
    assert done.returncode == 2
    assert option.removeprefix("--") in done.stderr


def test_flask_run_opens_the_store_itself_and_stops_it(home: Path, port: int):
    environment = {**os.environ, "REPRISE_HOME": str(home), "REPRISE_REDIS_TIMEOUT_MS": "5000"}
    # where these tests run in the background of a shell, Ctrl-C is ignored, and a child inherits that
    script = "import flask.cli, signal; signal.signal(signal.SIGINT, signal.default_int_handler); flask.cli.main()"
    command = [sys.executable, "-c", script, "--app", "api", "run", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            wait_until(lambda: _answers(port), "it answers")
            assert fetch(port, "/v1/popular")[1]["model_version"] == small_shop.VERSION
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    assert not embedded_runs(home)


def _answers(port: int) -> bool:
    try:
        return fetch(port, "/health/live")[0] == 200
    except OSError:
        return False
