"""Lanes: the threads that answer what the event loop does not, some for each kind of request.

What waits for Redis takes no thread from pages. Each lane has a line, bounded in number; in time, the limits of
`api.security.permissions` do.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeVar

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import get_path_info

from api.security.permissions import Permission, access_of, limit_s
from api.serving.tenants import Tenants
from recommender.errors import OverloadedError, StoreError, StoreUnavailableError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

T = TypeVar("T")
Name = Literal["pages", "metrics", "events", "administration", "console"]

SEATS: dict[Name, tuple[int, int]] = {
    "pages": (8, 400),
    "metrics": (1, 40),  # they ask nothing, but take 20 ms to write: too long for the loop
    "events": (4, 100),
    "administration": (3, 30),
    "console": (1, 20),  # its pages take a while to write: one at a time leaves room for answers
}
"""Threads of each lane, and most requests in the line before them."""
SHARES: dict[Name, float] = {"console": 0.1}
"""Share of its time that a thread may compute, where that is not all of it: what else is asked of the process comes
first, however many open pages. A page is never held up by this, only the next one."""
LONGEST_REST_S = 1.0
"""After one request, however long it computed."""
_PROBES = ("operations.live", "operations.ready")
"""Endpoints that ask nothing and take a moment, so that the loop answers them."""
_METRICS = "operations.metrics"


class Lane:
    """Threads, and a line before them. For one event loop."""

    def __init__(self, name: Name, n_threads: int, most_waiting: int) -> None:
        self.name = name
        self._rest = 1 / SHARES.get(name, 1.0) - 1
        self._rested = threading.local()
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix=name)
        self._most = n_threads + most_waiting
        self._n = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more is taken in."""
        return self._n >= self._most

    async def run(self, answer: Callable[..., T], *arguments: object) -> T:
        """What a thread makes of the arguments."""
        self._n += 1
        done = asyncio.get_running_loop().run_in_executor(self._threads, self._answer, answer, *arguments)
        done.add_done_callback(self._leave)  # a thread goes on where the client is gone
        return await asyncio.shield(done)

    def _answer(self, answer: Callable[..., T], *arguments: object) -> T:
        """The same, once this thread has rested from what it computed before."""
        time.sleep(max(0.0, getattr(self._rested, "at", 0.0) - time.monotonic()))
        begun = time.thread_time()
        try:
            return answer(*arguments)
        finally:
            rest = min(LONGEST_REST_S, self._rest * (time.thread_time() - begun))
            self._rested.at = time.monotonic() + rest

    def _leave(self, _done: object) -> None:
        self._n -= 1


class Lanes:
    """The lane of each route of `app`.

    Args:
        app: whose routes they are.
        shops: know whether Redis answers.
    """

    def __init__(self, app: Flask, shops: Tenants) -> None:
        self._routes = app.url_map.bind("")
        self._accesses = {endpoint: access_of(view) for endpoint, view in app.view_functions.items()}
        self._shops = shops
        self._lanes = {name: Lane(name, *seats) for name, seats in SEATS.items()}

    def find(self, environ: "WSGIEnvironment") -> Lane | None:
        """The lane of a request; None where the event loop answers it."""
        method = environ["REQUEST_METHOD"]
        try:
            endpoint, _ = self._routes.match(get_path_info(environ), method)
        except HTTPException:  # no such route
            return self._lanes["pages"]
        if endpoint in _PROBES:
            return None
        return self._lanes["metrics" if endpoint == _METRICS else lane_name(self._accesses[endpoint], method)]

    def refusal(self, lane: Lane) -> StoreError | None:
        """Why a request is not taken in; None where it is."""
        if lane.is_full:
            return OverloadedError(f"too many requests wait in lane {lane.name!r}; are there enough workers?")
        if lane.name in ("events", "administration") and self._shops.is_down:
            return StoreUnavailableError("Redis does not answer: nothing was tried")
        return None


def lane_name(access: Permission | None, method: str) -> Name:
    """The lane of a route."""
    if access is Permission.CONSOLE:
        return "console"
    if limit_s(access, method) is None:
        return "pages"
    return "administration" if access in (Permission.ADMIN, Permission.CATALOGUE, Permission.CAMPAIGNS) else "events"
