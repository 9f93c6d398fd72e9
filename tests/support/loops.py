"""Runs coroutines that talk to a server, each in an event loop of its own: of the kind that `reprise serve` has."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

import uvloop

T = TypeVar("T")


class Closable(Protocol):
    def close(self) -> None: ...


def run(work: Coroutine[Any, Any, T], *closed: Closable) -> T:
    """What `work` returns; then `closed` hang up, as their connections cannot outlive the loop."""

    async def run_and_close() -> T:
        try:
            return await work
        finally:
            for one in closed:
                one.close()
            await asyncio.sleep(0.01)

    return uvloop.run(run_and_close())
