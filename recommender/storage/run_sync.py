"""Runs in a thread what is written for event loops: one way of an answer serves both."""

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that awaits nothing but what is there: whatever it reads, it blocks the thread.

    Raises what the coroutine raises; RuntimeError where it would have to be resumed, as only an event loop can.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("the coroutine waits for an event loop")
