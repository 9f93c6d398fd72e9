"""A small HTTP load: threads that ask the same few paths over and over, and keep everything that came back."""

import http.client
import itertools
import json
import select
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.redis_servers import wait_until

TIMEOUT_S = 60.0
MANY = 100
"""Answers that are enough for every thread to have asked for every one of a few paths."""


@dataclass(frozen=True)
class Answer:
    """One request and what became of it; sent again where a kept connection was closed just as it set out.

    Attributes:
        path: what was asked for.
        started: when, on the monotonic clock, in seconds.
        seconds: until the whole body was there, or until it was clear that there would be none.
        status: 0 where no answer came.
        headers: by name in lower case.
        error: what happened instead; None where an answer came.
        reused: whether the connection had carried an answer before.
    """

    path: str
    started: float
    seconds: float
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: Exception | None = None
    reused: bool = False

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Load:
    """The answers to a running or finished load, in the order in which they came. Made by `load`."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.stopping = threading.Event()

    def since(self, started: float) -> list[Answer]:
        """Those to requests that began at `started`, on the monotonic clock, or later."""
        return [answer for answer in self.answers if answer.started >= started]

    def next(self, n: int = MANY) -> list[Answer]:
        """Wait for `n` answers, or some more, to requests that begin from now on, and return them."""
        now = time.monotonic()
        wait_until(lambda: len(self.since(now)) >= n, f"{n} more answers")
        return self.since(now)

    def statuses(self) -> Counter[int]:
        """How many answers had each status."""
        return Counter(answer.status for answer in self.answers)


@contextmanager
def load(
    address: tuple[str, int],
    paths: Sequence[str],
    *,
    threads: int = 4,
    pause_s: float = 0.005,
    keep_alive: bool = True,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Load]:
    """Ask for `paths` in turn for as long as the block runs; every request that was begun is in the answers after it.

    Args:
        address: host and port.
        paths: each thread starts at another one.
        threads: each has a connection of its own and waits for one answer at a time.
        pause_s: after each answer.
        keep_alive: False makes a connection for each request.
        headers: sent along with each request.
    """
    running = Load()

    def ask_on(first: int) -> None:
        connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_S)
        for path in itertools.cycle([*paths[first:], *paths[:first]]):
            running.answers.append(_ask(connection, path, headers or {}))
            if not keep_alive or running.answers[-1].error:
                connection.close()
            if running.stopping.wait(pause_s):
                break
        connection.close()

    askers = [threading.Thread(target=ask_on, args=(number % len(paths),)) for number in range(threads)]
    for asker in askers:
        asker.start()
    try:
        yield running
    finally:
        running.stopping.set()
        for asker in askers:
            asker.join()


def ask(
    address: tuple[str, int],
    path: str,
    method: str = "GET",
    document: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request on a connection of its own; `document` is sent as JSON."""
    connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_S)
    body = None if document is None else json.dumps(document)
    try:
        kind = {"Content-Type": "application/json"} if body else {}
        return _ask(connection, path, {**kind, **(headers or {})}, method, body)
    finally:
        connection.close()


def median_s(answers: Sequence[Answer]) -> float:
    """The middle of the latencies, in seconds."""
    return statistics.median(answer.seconds for answer in answers)


def worst_s(answers: Sequence[Answer]) -> float:
    """The longest latency, in seconds."""
    return max(answer.seconds for answer in answers)


def _ask(
    connection: http.client.HTTPConnection,
    path: str,
    headers: Mapping[str, str],
    method: str = "GET",
    body: str | None = None,
) -> Answer:
    if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
        connection.close()  # the server has closed it in the meantime: every client that keeps connections looks
    started, reused = time.monotonic(), connection.sock is not None
    try:
        if not reused:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException) as error:
        if reused and method == "GET" and isinstance(error, ConnectionError):
            connection.close()  # closed as the request set out: clients and proxies send it again (RFC 9112, 9.3.1)
            return _ask(connection, path, headers)
        return Answer(path, started, time.monotonic() - started, error=error, reused=reused)
    seconds = time.monotonic() - started
    return Answer(
        path,
        started,
        seconds,
        response.status,
        {name.lower(): value for name, value in response.getheaders()},
        text,
        None,
        reused,
    )
