"""Time limit of a request, which all its trips to Redis share, and the connections that keep it."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple, cast

from redis import exceptions
from redis.connection import AbstractConnection

_LEAST_S = 0.001
"""Least time-out of a socket: none at all would not wait, and fail as if nobody were there."""


class _Limit(NamedTuple):
    seconds: float
    ends_at: float


_NONE = _Limit(math.inf, math.inf)
_limit: ContextVar[_Limit] = ContextVar("time_limit", default=_NONE)


@contextmanager
def time_limit(seconds: float, began_at: float | None = None) -> Iterator[None]:
    """Let whatever this context asks of Redis end within `seconds` of `began_at`, on the monotonic clock; None is now.

    What is asked later raises OverloadedError and is not sent. math.inf is no limit.
    """
    begin = time.monotonic() if began_at is None else began_at
    token = _limit.set(_Limit(seconds, begin + seconds))
    try:
        yield
    finally:
        _limit.reset(token)


def left_s() -> float:
    """Seconds that are left, 0 where none are; infinite without a limit."""
    return max(_limit.get().ends_at - time.monotonic(), 0.0)


def shorter(timeout_s: float) -> float:
    """A time-out, or the time limit where that is shorter."""
    return min(timeout_s, _limit.get().seconds)


class _TimedConnection(AbstractConnection):
    """Connection no wait of which is longer than what is left, and whose errors tell whether a command was sent.

    An error has `was_sent` where the server may have done what it was asked, although no answer came.
    """

    _greeted = False

    @property
    def socket_timeout(self) -> float:
        """Seconds, of an answer."""
        return max(min(cast(float, self._socket_timeout), left_s()), _LEAST_S)

    @socket_timeout.setter
    def socket_timeout(self, value: float) -> None:
        self._socket_timeout = value

    @property
    def socket_connect_timeout(self) -> float:
        """Seconds, of connecting."""
        return max(min(cast(float, self._socket_connect_timeout), left_s()), _LEAST_S)

    @socket_connect_timeout.setter
    def socket_connect_timeout(self, value: float) -> None:
        self._socket_connect_timeout = value

    def connect_check_health(self, *arguments: Any, **options: Any) -> None:
        """See redis-py."""
        self._greeted = self._sock is not None
        super().connect_check_health(*arguments, **options)
        self._greeted = True

    def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        """See redis-py."""
        if self._sock is not None:
            self._sock.settimeout(self.socket_timeout)
        with self._telling_what_was_sent():
            super().send_packed_command(*arguments, **options)  # type: ignore[no-untyped-call]

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        """See redis-py."""
        with self._telling_what_was_sent():
            return super().read_response(*arguments, **options)

    @contextmanager
    def _telling_what_was_sent(self) -> Iterator[None]:
        greeted = self._greeted
        try:
            yield
        except (exceptions.TimeoutError, exceptions.ConnectionError) as error:
            # a subclass is what the server answered, as that it is loading
            error.was_sent = greeted and type(error) in (exceptions.TimeoutError, exceptions.ConnectionError)  # type: ignore[union-attr]
            raise


@cache
def timed(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    """A class of redis-py's connections that keeps the time limit."""
    return type(f"Timed{kind.__name__}", (_TimedConnection, kind), {})


def was_sent(error: exceptions.RedisError) -> bool:
    """Whether the server may have done what it was asked, although it failed."""
    return bool(getattr(error, "was_sent", False))
