"""An event loop's connection to a real Redis: answers in order, and failures that end within the time-out."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from recommender.connection.client import RedisClient
from recommender.errors import StoreUnavailableError
from tests.support.loops import run
from tests.support.redis_servers import RedisServer, free_port, redis_server

PATIENT_S, HURRIED_S = 30.0, 1.0
"""Time-outs where the server answers, and where it hangs."""
SCRIPT = "return ARGV[1]"
WRITE = "return redis.call('SET', KEYS[1], 'here')"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


def client(url: str, timeout_s: float = PATIENT_S) -> RedisClient:
    return RedisClient(url, connect_timeout_s=timeout_s, timeout_s=timeout_s)


def digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


async def echo(own: RedisClient, text: str) -> Any:
    return await own.evaluate_soon(SCRIPT, digest(SCRIPT), [], text)


async def failure(own: RedisClient) -> str:
    """What a question ends with that must fail."""
    with pytest.raises(StoreUnavailableError) as told:
        await echo(own, "x")
    return str(told.value)


def connections(server: RedisServer) -> int:
    """How many were made to it so far, that of this question included."""
    return int(server.call("INFO", "stats")["total_connections_received"])


@pytest.mark.parametrize("address", ["url", "unix_url"])
def test_many_ask_at_once_on_one_connection_and_each_gets_its_answer(server: RedisServer, address: str):
    own = client(getattr(server, address))

    async def ask() -> list[Any]:
        return await asyncio.gather(*(echo(own, str(i)) for i in range(1_000)))

    before = connections(server)
    assert run(ask(), own) == [str(i).encode() for i in range(1_000)]
    assert connections(server) - before <= 2  # one of them asks for these figures


def test_the_script_is_sent_again_where_the_server_forgot_it(server: RedisServer):
    own = client(server.url)

    async def ask() -> list[Any]:
        first = await echo(own, "1")
        server.call("SCRIPT", "FLUSH")
        return [first, await echo(own, "2")]

    assert run(ask(), own) == [b"1", b"2"]


def test_a_paused_server_costs_one_time_out_and_is_asked_again_when_it_goes_on(server: RedisServer):
    own = client(server.url, HURRIED_S)

    async def ask() -> tuple[list[str], Any]:
        await echo(own, "1")
        server.pause()
        failures = await asyncio.gather(*(failure(own) for _ in range(50)))
        server.resume()
        return failures, await echo(own, "2")

    before = connections(server)
    failures, answer = run(ask(), own)
    assert all("did not answer within 1 s" in told for told in failures)
    assert connections(server) - before <= 3, "all failed with the first, nobody tried again"
    assert answer == b"2"


def test_a_killed_server_fails_at_once_and_one_in_its_place_is_found(server: RedisServer):
    own = client(server.url)

    async def ask() -> tuple[str, str, Any]:
        await echo(own, "1")
        server.kill()
        lost, refused = await failure(own), await failure(own)
        server.start()
        return lost, refused, await echo(own, "2")

    lost, refused, answer = run(ask(), own)
    assert "cannot be reached" in lost
    assert "cannot be reached" in refused
    assert answer == b"2"


def test_somebody_who_stops_waiting_leaves_the_others_their_answers(server: RedisServer):
    own = client(server.url)

    async def ask() -> Any:
        await echo(own, "1")
        leaving, staying = asyncio.create_task(echo(own, "2")), asyncio.create_task(echo(own, "3"))
        await asyncio.sleep(0)
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving
        return await staying

    assert run(ask(), own) == b"3"


def test_closing_ends_the_waiting_and_the_next_question_connects_again(server: RedisServer):
    own = client(server.url)

    async def ask() -> tuple[str, Any]:
        await echo(own, "1")
        server.pause()
        waiting = asyncio.create_task(failure(own))
        await asyncio.sleep(0.01)
        await asyncio.to_thread(own.close)
        told = await waiting
        server.resume()
        return told, await echo(own, "2")

    told, answer = run(ask(), own)
    assert "cannot be reached" in told
    assert answer == b"2"


def test_it_logs_in_and_chooses_its_database(tmp_path: Path):
    with redis_server(tmp_path, password="s3cret") as server:
        own, unknown = client(f"{server.url}/3"), client(server.url.replace("s3cret", "wr0ng"))
        run(own.evaluate_soon(WRITE, digest(WRITE), ["key"]), own)
        assert server.call("INFO", "keyspace").keys() == {"db3"}
        told = run(failure(unknown), unknown)
        assert "wr0ng" not in told


def test_what_is_no_redis_is_no_answer():
    port = free_port()
    own = client(f"redis://127.0.0.1:{port}")

    async def speak_http(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async def ask() -> str:
        async with await asyncio.start_server(speak_http, "127.0.0.1", port):
            return await failure(own)

    assert "cannot be reached" in run(ask(), own)


def test_the_loops_own_lag_is_not_blamed_on_the_server(server: RedisServer):
    own = client(server.url, HURRIED_S)

    async def ask() -> list[Any]:
        await echo(own, "1")
        asked = [asyncio.ensure_future(echo(own, str(i))) for i in range(2_000)]
        for _ in range(5):  # they are sent
            await asyncio.sleep(0)
        time.sleep(2 * HURRIED_S)  # as a loop that has too much to do
        return await asyncio.gather(*asked)

    assert run(ask(), own) == [str(i).encode() for i in range(2_000)]
