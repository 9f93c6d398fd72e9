"""Pipelined connection of an event loop to Redis, with many commands in flight at once.

Redis answers in the order of the commands, so no caller needs a connection of its own, and the commands of one turn of
the loop are sent in one piece.
"""

import asyncio
import math
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, cast

import hiredis
from redis import connection, exceptions
from redis.asyncio.connection import SSLConnection

KNOWN_OPTIONS = frozenset({"connection_class", "host", "port", "path", "username", "password", "db"}) | {
    f"ssl_{name}" for name in ("ca_certs", "ca_path", "certfile", "keyfile", "password", "cert_reqs", "check_hostname")
}
"""Arguments of a redis-py connection that are supported here."""

pack = cast("Callable[[tuple[bytes | str | int, ...]], bytes]", hiredis.pack_command)
"""A command as it is sent."""
LOOK_S = 0.005
"""Pause in which a loop reads what has come, before an answer is said to be late."""
MOST_LOOKS = 10
"""Looks after which it is late although others come."""


class PipelinedConnection:
    """Connection that opens with the first command and again after a failure. For the one event loop of a process.

    Args:
        options: KNOWN_OPTIONS, as `recommender.connection.url` gives them.
        connect_timeout_s: time-out of connecting and logging in, in seconds.
        timeout_s: time-out of each answer, in seconds. When one is late, all commands in flight fail with it.
    """

    def __init__(self, options: Mapping[str, Any], connect_timeout_s: float, timeout_s: float) -> None:
        self._options = options
        self._connect_timeout_s = connect_timeout_s
        self._timeout_s = timeout_s
        self._wire: _Wire | None = None
        self._connecting: asyncio.Task[_Wire] | None = None

    async def ask(self, *command: bytes | str | int) -> Any:
        """The answer to one command. Raises exceptions of redis-py."""
        wire = self._wire
        if wire is None or wire.closed:
            wire = await self._connect()
        return await wire.ask(pack(command))

    def close(self) -> None:
        """Disconnect, from any thread. Commands in flight fail; a later one connects again."""
        if self._wire is not None:
            self._wire.close()

    async def _connect(self) -> "_Wire":
        """An open connection; callers share the attempt that is under way."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._open())
            self._connecting.add_done_callback(self._connected)
        return await asyncio.shield(self._connecting)

    def _connected(self, connecting: "asyncio.Task[_Wire]") -> None:
        self._connecting = None
        if not connecting.cancelled() and connecting.exception() is None:
            self._wire = connecting.result()

    async def _open(self) -> "_Wire":
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                return await _log_in(await self._open_transport(), self._options)
        except TimeoutError:
            raise exceptions.TimeoutError("no connection in time") from None
        except OSError as error:
            raise exceptions.ConnectionError(str(error)) from None

    async def _open_transport(self) -> "_Wire":
        loop, options = asyncio.get_running_loop(), self._options

        def make() -> _Wire:
            return _Wire(loop, self._timeout_s)

        if "path" in options:
            return (await loop.create_unix_connection(make, options["path"]))[1]
        host, port = options.get("host", "localhost"), options.get("port", 6_379)
        return (await loop.create_connection(make, host, port, ssl=_tls(options)))[1]


class _Wire(asyncio.Protocol):
    """One connection, closed for good after its first failure."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self.closed = False
        self._loop = loop
        self._timeout_s = timeout_s
        self._watching = False
        self._looks = 0
        self._received = False
        self._replies = hiredis.Reader(replyError=exceptions.ResponseError)
        self._unsent: list[bytes] = []
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        """Moment and answer of each command in flight, in their order."""

    def ask(self, packed: bytes) -> "asyncio.Future[Any]":
        """The answer to a packed command. Raises ConnectionError where the connection failed meanwhile."""
        if self.closed:
            raise exceptions.ConnectionError("it hung up")
        if not self._unsent:
            self._loop.call_soon(self._send)
        if not self._watching:
            self._watching = True
            self._loop.call_later(self._timeout_s, self._check_time)
        self._unsent.append(packed)
        future = self._loop.create_future()
        self._waiting.append((self._loop.time(), future))
        return future

    def close(self) -> None:
        """Disconnect, from any thread."""
        with suppress(RuntimeError):  # the loop is closed, and its connections with it
            self._loop.call_soon_threadsafe(self._fail, exceptions.ConnectionError("it was closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._received = True
        try:
            self._replies.feed(data)
            while (reply := self._replies.gets()) is not False:
                self._resolve(reply)
        except (hiredis.ProtocolError, LookupError):
            self._fail(exceptions.ConnectionError("what it says is not the language of Redis"))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._fail(exceptions.ConnectionError(str(exc or "it hung up")))

    def _resolve(self, reply: Any) -> None:
        _, future = self._waiting.popleft()
        if future.done():  # its caller was cancelled
            return
        if isinstance(reply, Exception):
            future.set_exception(reply)
        else:
            future.set_result(reply)

    def _send(self) -> None:
        if not self.closed:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _check_time(self) -> None:
        """Fail where the oldest command in flight is late; one timer serves all.

        Where the loop itself was late, its answer may be there unread: it looks again, as long as something comes.
        """
        now, late_at = self._loop.time(), self._waiting[0][0] + self._timeout_s if self._waiting else math.inf
        self._looks = self._looks + 1 if now >= late_at else 0
        if self._looks > MOST_LOOKS or (self._looks > 1 and not self._received):
            self._fail(exceptions.TimeoutError("no answer in time"))
        self._received = False
        self._watching = bool(self._waiting)
        if self._watching:
            self._loop.call_at(now + LOOK_S if self._looks else late_at, self._check_time)

    def _fail(self, error: exceptions.RedisError) -> None:
        self.closed = True
        self._transport.abort()
        while self._waiting:
            self._resolve(error)


async def _log_in(wire: _Wire, options: Mapping[str, Any]) -> _Wire:
    """Authenticate and select the database, where the options say so."""
    try:
        if options.get("password"):
            user = [options["username"]] if options.get("username") else []
            await wire.ask(pack(("AUTH", *user, options["password"])))
        if options.get("db"):
            await wire.ask(pack(("SELECT", options["db"])))
    except BaseException:
        wire.close()
        raise
    return wire


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext | None:
    if not issubclass(options.get("connection_class", connection.Connection), connection.SSLConnection):
        return None
    chosen = {name: value for name, value in options.items() if name.startswith("ssl_")}
    return SSLConnection(**chosen).ssl_context.get()
