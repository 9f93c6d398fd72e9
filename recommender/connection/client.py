"""Redis client with time-outs on every call, whose errors are those of `recommender.errors` and name no secret."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.connection import BlockingConnectionPool, Connection
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from recommender.connection.pipelined import KNOWN_OPTIONS, PipelinedConnection, pack
from recommender.connection.time_limit import left_s, shorter, timed, was_sent
from recommender.connection.topology import Cluster, Deployment, OneServer, Sentinel
from recommender.connection.url import Address, RedisUrl, parse_redis_url
from recommender.errors import (
    NotPermittedError,
    OverloadedError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    UnansweredError,
)
from recommender.person import encode_id

T = TypeVar("T")
Argument = bytes | str | int
Command = Sequence[Argument]

MAX_CONNECTIONS = 32
"""Connections to each server, more than the threads of the service. Further ones wait for one, at most the time-out."""
_CLOCK = "return redis.call('TIME')"
_IN_TIME = """local now = redis.call('TIME')
if now[1] * 1000000 + now[2] > tonumber(table.remove(ARGV)) then
  return redis.error_reply('LATE nothing was changed')
end
"""


class RedisClient:
    """Client of a deployment: a bounded pool of connections to each server. Nothing connects before the first call.

    No call is repeated after it failed: a page must not wait several times for a server that is down. On a cluster
    the first word after a command's name is taken for its key, and a server that does not hold it names the one that
    does; for a command without a key see `pipeline`. A request's `time_limit` shortens the time-outs.
    """

    def __init__(self, url: str, *, connect_timeout_s: float, timeout_s: float) -> None:
        """Raises SettingsError where `url` is not an address of Redis (see `recommender.connection.url`)."""
        parsed = parse_redis_url(url)
        self.address = parsed.address
        self._timeout_s = timeout_s
        self._limits = {
            "max_connections": MAX_CONNECTIONS,
            "timeout": timeout_s,
            "socket_connect_timeout": connect_timeout_s,
            "socket_timeout": timeout_s,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 3,
            "health_check_interval": 0,
            "decode_responses": False,
            # two round trips per connection without use here
            "driver_info": None,
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        }
        self._servers: dict[Address, redis.Redis] = {}
        self._deployment = self._deploy(parsed)
        self._pipelined: PipelinedConnection | None = None
        if parsed.kind == "server" and parsed.options.keys() <= KNOWN_OPTIONS:
            self._pipelined = PipelinedConnection(parsed.options, connect_timeout_s, timeout_s)

    def call(self, *command: Argument) -> Any:
        """The answer to one command.

        Raises:
            UnansweredError: it was sent, and whether it was done is not known.
            StoreUnavailableError, StoreFullError or OverloadedError: it was not done.
        """
        return self._ask(_key(command), lambda server: _execute(server, command))

    def evaluate(self, script: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """The answer of a Lua script, which the server runs atomically. Raises as `call`."""
        return self.call("EVAL", script, len(keys), *keys, *arguments)

    def evaluate_in_time(self, script: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """As `evaluate`, for a change that would be wrong later: a server that comes to it late does not make it.

        Late is after the time-out, by the server's own clock, which is asked first: a round trip more.
        """
        try:
            seconds, microseconds = self.evaluate(_CLOCK, keys)
        except UnansweredError as error:
            raise StoreUnavailableError(str(error)) from None
        not_after = int(seconds) * 1_000_000 + int(microseconds) + int(min(self._timeout_s, left_s()) * 1_000_000)
        return self.evaluate(_IN_TIME + script, keys, *arguments, not_after)

    def evaluate_cached(self, script: str, digest: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """As `evaluate`, but the script is sent only where the server has not cached its SHA-1 `digest`."""
        rest = (len(keys), *keys, *arguments)

        def evaluate(server: redis.Redis) -> Any:
            try:
                return _execute_directly(server, ("EVALSHA", digest, *rest))
            except exceptions.NoScriptError:
                return _execute(server, ("EVAL", script, *rest))

        return self._ask(_key(("EVALSHA", digest, *rest)), evaluate)

    async def evaluate_soon(self, script: str, digest: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """As `evaluate_cached`, for an event loop. With sentinels or a cluster a thread waits."""
        connection, rest = self._pipelined, (len(keys), *keys, *arguments)
        if connection is None:
            return await asyncio.to_thread(self.evaluate_cached, script, digest, keys, *arguments)
        try:
            try:
                return await connection.ask("EVALSHA", digest, *rest)
            except exceptions.ResponseError as error:
                if not str(error).startswith("NOSCRIPT"):
                    raise
            return await connection.ask("EVAL", script, *rest)
        except exceptions.RedisError as error:
            raise self._translate(error) from None

    def pipeline(self, commands: Iterable[Command]) -> list[Any]:
        """The answers to `commands`, sent together, not as a transaction. Raises as the first that fails.

        On a cluster all of them go to the server of the first one's key, and once more where that key has just moved.
        """
        sent = list(commands)
        return self._ask(_key(sent[0]), lambda server: _execute_all(server, sent)) if sent else []

    def close(self) -> None:
        """Disconnect. A later call connects again."""
        for server in list(self._servers.values()):
            server.connection_pool.disconnect()
        if self._pipelined is not None:
            self._pipelined.close()

    def _deploy(self, url: RedisUrl) -> Deployment:
        def connect(address: Address) -> redis.Redis:
            return self._connect(address, url.options)

        def connect_sentinel(address: Address) -> redis.Redis:
            # sentinels have no databases; one without a password takes any, from the default user
            options = {key: value for key, value in url.options.items() if key not in ("db", "username")}
            return self._connect(address, options)

        if url.kind == "cluster":
            return Cluster(url.nodes, connect)
        if url.kind == "sentinel":
            return Sentinel(url.primary, url.nodes, connect_sentinel, connect)
        return OneServer(self._connect(("", 0), url.options))

    def _connect(self, address: Address, options: Mapping[str, Any]) -> redis.Redis:
        """The client of one server, made only once: its pool has a limit."""
        if address not in self._servers:
            place = dict(zip(("host", "port"), address, strict=True)) if address[0] else {}
            kind = timed(options.get("connection_class", Connection))
            given = {**options, "connection_class": kind, **place, **self._limits}
            pool = BlockingConnectionPool(**given)  # type: ignore[no-untyped-call]
            self._servers.setdefault(address, redis.Redis(connection_pool=pool))
        return self._servers[address]

    def _ask(self, key: bytes, ask: Callable[[redis.Redis], T]) -> T:
        if not left_s():
            raise OverloadedError(f"no time was left to ask Redis at {self.address}: the service has too much to do")
        try:
            return self._deployment.ask(key, ask)
        except exceptions.RedisError as error:
            raise self._translate(error) from None
        except (AttributeError, LookupError, TypeError, ValueError):
            self.close()  # redis-py keeps a connection whose greeting it could not read
            raise StoreUnavailableError(f"what answers at {self.address} is no Redis; see REPRISE_REDIS_URL") from None

    def _translate(self, error: exceptions.RedisError) -> StoreError:
        if isinstance(error, exceptions.ResponseError) and str(error).startswith("LATE"):
            return OverloadedError(f"Redis at {self.address} came to it too late, and changed nothing")
        if isinstance(error, exceptions.OutOfMemoryError):
            return StoreFullError(f"Redis at {self.address} is out of memory; raise its maxmemory")
        kind = UnansweredError if was_sent(error) else StoreUnavailableError
        if isinstance(error, exceptions.NoPermissionError):
            kind = NotPermittedError
        return kind(f"Redis at {self.address} {self._describe(error)}")

    def _describe(self, error: exceptions.RedisError) -> str:
        text = str(error).rstrip(".")
        for kind, start, description in _DESCRIPTIONS:
            if isinstance(error, kind) and text.startswith(start):
                return description.format(text=text, timeout_s=shorter(self._timeout_s))
        return f"refused a command ({text}); Redis 6.2 or later, or Valkey, is needed"


_DESCRIPTIONS: tuple[tuple[type[exceptions.RedisError], str, str], ...] = (
    (
        exceptions.TimeoutError,
        "",
        "did not answer within {timeout_s:g} s; see whether it is up, or set REPRISE_REDIS_TIMEOUT_MS",
    ),
    (exceptions.BusyLoadingError, "", "is still loading its data; try again in a moment"),
    (exceptions.AuthenticationError, "", "refused the login; see the user and password in REPRISE_REDIS_URL"),
    (exceptions.NoPermissionError, "", "does not permit this ({text}); widen its user's rights"),
    (
        exceptions.MovedError,
        "",
        "is one server of a cluster; let REPRISE_REDIS_URL begin with redis+cluster://",
    ),
    (exceptions.AskError, "", "is moving these keys to another server; try again when it has"),
    (exceptions.TryAgainError, "", "is moving these keys to another server; try again when it has"),
    (
        exceptions.ClusterDownError,
        "",
        "has no primary for these keys until a replica takes over; try again in a moment",
    ),
    (
        exceptions.ResponseError,
        "This instance has cluster support disabled",
        "is not a cluster; let REPRISE_REDIS_URL begin with redis:// or rediss://",
    ),
    (exceptions.ReadOnlyError, "", "is a read-only replica; let REPRISE_REDIS_URL name the primary"),
    (exceptions.ResponseError, "BUSY ", "is held up by a script that runs for long; see SCRIPT KILL"),
    (exceptions.ResponseError, "MISCONF", "takes no writes because it cannot save to its disk; free the disk"),
    (
        exceptions.ConnectionError,
        "",
        "cannot be reached ({text}); start it, or set REPRISE_REDIS_URL to one that runs",
    ),
)
"""Error class, beginning of its text, and our description of it; the first match counts."""


def _key(command: Command) -> bytes:
    """The first key of `command`, by which a cluster finds its server; empty for a command of one word."""
    position = 3 if command[0] in ("EVAL", "EVALSHA") else 1
    key = command[position] if len(command) > position else b""
    return key if isinstance(key, bytes) else encode_id(str(key))


def _execute(server: redis.Redis, command: Command) -> Any:
    return server.execute_command(*command)  # type: ignore[no-untyped-call]


def _execute_directly(server: redis.Redis, command: Command) -> Any:
    """As `_execute`, for a command whose answer redis-py does not convert: its detour takes as long as the server.

    A connection whose answer was not read whole closes by itself.
    """
    pool = server.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_packed_command([pack(tuple(command))])  # type: ignore[no-untyped-call]
        return connection.read_response()
    finally:
        pool.release(connection)


def _execute_all(server: redis.Redis, commands: Iterable[Command]) -> list[Any]:
    pipeline = server.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
    # an error that redis-py raises itself would quote the whole command
    answers = pipeline.execute(raise_on_error=False)
    for answer in answers:
        if isinstance(answer, exceptions.RedisError):
            raise answer
    return answers
