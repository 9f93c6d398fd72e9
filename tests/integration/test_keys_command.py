"""`reprise keys` as a person runs it, and a server that lets in whom it made a key for."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recommender.connection.client import RedisClient
from recommender.redis.keys import API_KEYS
from recommender.redis.open import open_storage, open_version_store
from recommender.settings import Settings
from tests.support import small_shop
from tests.support.commands import Reprise, call_reprise
from tests.support.redis_servers import RedisServer, free_port, redis_server, wait_until

PATIENCE_S = 30


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own: keys are the whole server's."""
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def keys(tmp_path: Path, server: RedisServer) -> Reprise:
    """A function that runs `reprise keys`."""
    environment = {"REPRISE_REDIS_URL": server.url, "REPRISE_REDIS_TIMEOUT_MS": "5000"}
    return lambda *arguments, **more: call_reprise(
        tmp_path / "home", "keys", *arguments, environment={**environment, **more}
    )


@pytest.fixture
def kept(server: RedisServer, connect: Callable[[str], RedisClient]) -> Callable[[], bytes]:
    """A function that gives all that Redis keeps of the keys."""
    return lambda: b"".join(connect(server.url).call("HGETALL", API_KEYS).values())


class TestCreate:
    def test_the_key_is_printed_once_and_only_its_digest_is_kept(self, keys, kept):
        done = keys("create", "--scope", "read", "--scope", "events", "--label", "back end")
        assert (done.returncode, done.stderr.count("\n")) == (0, 1)
        assert re.fullmatch(r"sk_[0-9a-f]{16}_[0-9a-f]{64}\n", done.stdout)
        secret = done.stdout.strip().split("_")[2]
        assert secret.encode() not in kept()
        listed = keys("list", "--json")
        assert secret not in listed.stdout
        (key,) = json.loads(listed.stdout)["keys"]
        assert (key["kind"], key["scopes"], key["shop"], key["label"]) == (
            "secret",
            ["read", "events"],
            "default",
            "back end",
        )

    def test_json_says_all_but_the_digest(self, keys, kept):
        arguments = ("--publishable", "--origin", "https://shop.example", "--shop", "b", "--rate-per-s", "2.5")
        document = json.loads(keys("create", *arguments, "--json").stdout)
        assert document["key"].startswith(f"pk_{document['key_id']}_")
        assert document["origins"] == ["https://shop.example"]
        assert (document["shop"], document["scopes"], document["rate_per_s"]) == ("b", ["read"], 2.5)
        digest = json.loads(kept())["digest"]
        for output in (document, json.loads(keys("list", "--json").stdout)):
            assert digest not in json.dumps(output)
            assert "digest" not in json.dumps(output)

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            ((), "needs a scope"),
            (("--scope", "write"), "write"),
            (("--scope", "read", "--origin", "https://shop.example"), "browser"),
            (("--publishable", "--scope", "admin"), "publishable"),
            (("--publishable", "--origin", "https://shop.example/"), "https://shop.example/"),
            (("--publishable", "--origin", "*"), "'*'"),
            (("--scope", "read", "--shop", "}:v:x"), "shop"),
            (("--scope", "read", "--shop", "{b}"), "shop"),
            (("--scope", "read", "--shop", ""), "shop"),
            (("--scope", "read", "--rate-per-s", "0"), "rate-per-s"),
        ],
    )
    def test_what_cannot_be_is_a_usage_error_and_nothing_is_kept(self, keys, kept, arguments, word):
        done = keys("create", *arguments)
        assert (done.returncode, done.stdout, kept()) == (2, "", b"")
        assert word in done.stderr
        assert "Traceback" not in done.stderr


class TestListAndRevoke:
    def test_before_any_key_it_says_who_is_answered(self, keys):
        assert "only this machine is answered" in keys("list").stdout
        assert json.loads(keys("list", "--json").stdout) == {"keys": []}

    def test_a_table_for_people(self, keys):
        key = json.loads(keys("create", "--scope", "admin", "--label", "ops", "--json").stdout)
        table = keys("list").stdout
        for word in (key["key_id"], "secret", "default", "admin", "ops", key["created_at"]):
            assert word in table

    def test_a_revoked_key_keeps_its_line_and_no_digest(self, keys, kept):
        key = json.loads(keys("create", "--scope", "read", "--json").stdout)
        done = keys("revoke", key["key_id"])
        assert (done.returncode, key["key_id"] in done.stdout) == (0, True)
        assert json.loads(kept())["digest"] == ""
        (listed,) = json.loads(keys("list", "--json").stdout)["keys"]
        assert listed["revoked_at"]
        again = keys("revoke", key["key_id"])
        assert (again.returncode, "keys list" in again.stderr) == (2, True)

    def test_an_unknown_key_is_a_usage_error(self, keys):
        done = keys("revoke", "nope")
        assert (done.returncode, "'nope'" in done.stderr) == (2, True)

    def test_without_redis_it_is_an_error_of_one_line(self, keys, server):
        server.kill()
        for arguments in (("create", "--scope", "read"), ("list",), ("revoke", "x")):
            done = keys(*arguments)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.startswith("error: Redis at ")

    @pytest.mark.parametrize("name", ["create", "list", "revoke"])
    def test_each_has_an_example_and_json(self, tmp_path, name):
        text = call_reprise(tmp_path / "home", "keys", name, "--help").stdout
        assert f"Example:\n    reprise keys {name}" in text
        assert "--json" in text


@pytest.fixture
def start(tmp_path: Path, server: RedisServer) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function that starts `reprise serve` on the test's Redis, in a process group of its own."""
    with open_version_store(Settings(redis_url=server.url, redis_timeout_ms=5000)) as store:
        store.publish(small_shop.publication(), keep=3)
    started = []
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPRISE_")}

    def serve(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "recommender.cli", "serve", *arguments],
            env={
                **inherited,
                "REPRISE_HOME": str(tmp_path / "home"),
                "REPRISE_REDIS_URL": server.url,
                "REPRISE_REDIS_TIMEOUT_MS": "5000",
            },
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


def status(port: int, key: str | None, host: str = "127.0.0.1") -> int:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"http://{host}:{port}/v1/popular", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def all_workers_say(port: int, key: str | None, expected: int) -> bool:
    """Twenty connections reach both workers."""
    return all(status(port, key) == expected for _ in range(20))


def test_a_key_works_and_stops_working_in_running_workers(keys, start):
    port = free_port()
    process = start("--port", str(port), "--workers", "2")
    assert any(line.startswith("Serving ") for line in process.stdout)
    assert all_workers_say(port, None, 200)
    key = json.loads(keys("create", "--scope", "read", "--json").stdout)
    wait_until(lambda: all_workers_say(port, key["key"], 200), "it works")
    wait_until(lambda: all_workers_say(port, None, 401), "nobody else is let in any more")
    keys("revoke", key["key_id"])
    wait_until(lambda: all_workers_say(port, key["key"], 401), "it works no more")
    assert all_workers_say(port, None, 401)


def test_with_a_key_others_may_reach_the_server_and_without_none(keys, start, server):
    refused = start("--host", "0.0.0.0", "--port", str(free_port()))
    _, errors = refused.communicate(timeout=PATIENCE_S)
    assert refused.returncode == 2
    assert "no API keys yet" in errors
    assert "reprise keys create" in errors
    key = keys("create", "--scope", "read").stdout.strip()
    port = free_port()
    process = start("--host", "0.0.0.0", "--port", str(port), "--workers", "1")
    assert any(line.startswith("Serving ") for line in process.stdout)
    assert (status(port, key), status(port, None)) == (200, 401)
    with open_storage(Settings(redis_url=server.url, redis_timeout_ms=5000)) as storage:
        assert set(storage.api_keys()) == {key.split("_")[1]}


def test_a_name_is_no_address_to_listen_on(keys, start):
    keys("create", "--scope", "read")
    process = start("--host", "shop.example.com")
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert "not an IP address" in errors
