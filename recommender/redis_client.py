"""Talks to one Redis server with stated time-outs: the only module that imports `redis`."""

from collections.abc import Iterable, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import redis
from redis import exceptions
from redis.backoff import NoBackoff
from redis.connection import BlockingConnectionPool, parse_url
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from recommender.errors import SettingsError, StoreError, StoreFullError, StoreUnavailableError

Argument = bytes | str | int
Command = Sequence[Argument]

MAX_CONNECTIONS = 32
"""More threads than this wait for each other, at most the time-out."""


class RedisClient:
    """A bounded pool of connections. Nothing connects before the first call.

    No call is repeated: a page must not wait several times for a server that is down.
    """

    def __init__(self, url: str, *, connect_timeout_s: float, timeout_s: float) -> None:
        """Raises SettingsError where `url` is not an address of Redis."""
        self.address = _without_secrets(url)
        self._timeout_s = timeout_s
        self._redis = redis.Redis(
            connection_pool=BlockingConnectionPool(  # type: ignore[no-untyped-call]
                **{
                    **_parse(url, self.address),
                    "max_connections": MAX_CONNECTIONS,
                    "timeout": timeout_s,
                    "socket_connect_timeout": connect_timeout_s,
                    "socket_timeout": timeout_s,
                    "retry": Retry(NoBackoff(), 0),
                    "protocol": 3,
                    "health_check_interval": 0,
                    "decode_responses": False,
                    # two round trips per connection that tell us nothing
                    "driver_info": None,
                    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
                }
            )
        )

    def call(self, *command: Argument) -> Any:
        """The answer to one command. Raises StoreUnavailableError or StoreFullError."""
        try:
            return self._redis.execute_command(*command)  # type: ignore[no-untyped-call]
        except exceptions.RedisError as error:
            raise self._translate(error) from None

    def evaluate(self, script: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """The answer of a Lua script that runs alone on the server. Raises as `call`."""
        return self.call("EVAL", script, len(keys), *keys, *arguments)

    def evaluate_cached(self, script: str, digest: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """As `evaluate`, but the script is sent only where the server does not know its SHA-1 `digest` yet."""
        try:
            return self._redis.execute_command("EVALSHA", digest, len(keys), *keys, *arguments)  # type: ignore[no-untyped-call]
        except exceptions.NoScriptError:
            return self.evaluate(script, keys, *arguments)
        except exceptions.RedisError as error:
            raise self._translate(error) from None

    def pipeline(self, commands: Iterable[Command]) -> list[Any]:
        """The answers to `commands`, sent together, not as a transaction. Raises what the first failing one raises."""
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        try:
            # an error that redis-py raises itself would quote the whole command
            answers = pipeline.execute(raise_on_error=False)
        except exceptions.RedisError as error:
            raise self._translate(error) from None
        for answer in answers:
            if isinstance(answer, exceptions.RedisError):
                raise self._translate(answer)
        return answers

    def close(self) -> None:
        """Disconnect. A later call connects again."""
        self._redis.connection_pool.disconnect()

    def _translate(self, error: exceptions.RedisError) -> StoreError:
        if isinstance(error, exceptions.OutOfMemoryError):
            return StoreFullError(f"Redis at {self.address} is out of memory; raise its maxmemory")
        return StoreUnavailableError(f"Redis at {self.address} {self._describe(error)}")

    def _describe(self, error: exceptions.RedisError) -> str:
        text = str(error).rstrip(".")
        for kind, start, description in _DESCRIPTIONS:
            if isinstance(error, kind) and text.startswith(start):
                return description.format(text=text, timeout_s=self._timeout_s)
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
    (exceptions.ReadOnlyError, "", "is a read-only replica; let REPRISE_REDIS_URL name the primary"),
    (exceptions.ResponseError, "BUSY ", "is held up by a script that runs for long; see SCRIPT KILL"),
    (exceptions.ResponseError, "MISCONF", "takes no writes because it cannot save to its disk; free the disk"),
    (
        exceptions.ConnectionError,
        "",
        "cannot be reached ({text}); start it, or set REPRISE_REDIS_URL to one that runs",
    ),
)
"""Kind of error, how its text starts, and what to tell; the first that fits."""


def _parse(url: str, address: str) -> dict[str, Any]:
    remedy = "write redis://host:6379/0, rediss://host:6379/0 or unix:///path/to/socket"
    try:
        parsed = cast(dict[str, Any], parse_url(url))  # type: ignore[no-untyped-call]
        # a mistyped option after `?` is found when a connection is made: make one, it does not connect
        options = {key: value for key, value in parsed.items() if key != "connection_class"}
        parsed.get("connection_class", redis.Connection)(**options)
        if url.startswith("unix://"):
            _ = parsed["path"]
    except (ValueError, TypeError, KeyError, exceptions.RedisError):
        raise SettingsError(f"redis_url {address!r} is not an address of Redis; {remedy}") from None
    return parsed


def _without_secrets(url: str) -> str:
    """Scheme, host and path of `url`: user, password and options after `?` stay out of every message."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable)"
    if not parts.netloc and not parts.path.startswith("/"):
        return f"{parts.scheme}:…"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
