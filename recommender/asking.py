"""Work that reads now and then, written once for threads, which wait, and for event loops, which must not.

Such work is a generator: it yields a Question, is sent what was read, and returns its result. A failed reading is
raised where it yielded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class Question(NamedTuple):
    """One thing to read.

    Attributes:
        now: reads it while the thread waits.
        soon: reads it while the event loop does other things; None has a thread wait.
    """

    now: Callable[[], Any]
    soon: Callable[[], Awaitable[Any]] | None = None

    async def answer(self) -> Any:
        """What was read, for an event loop."""
        return await (asyncio.to_thread(self.now) if self.soon is None else self.soon())


Asking = Generator[Question, Any, T]


def wait_for(asking: Asking[T]) -> T:
    """The result, for a thread."""
    try:
        question = next(asking)
        while True:
            try:
                found = question.now()
            except Exception as error:
                question = asking.throw(error)
            else:
                question = asking.send(found)
    except StopIteration as end:
        result: T = end.value
        return result


async def hear(asking: Asking[T]) -> T:
    """The result, for an event loop."""
    try:
        question = next(asking)
        while True:
            try:
                found = await question.answer()
            except Exception as error:
                question = asking.throw(error)
            else:
                question = asking.send(found)
    except StopIteration as end:
        result: T = end.value
        return result
