import asyncio

import pytest

from recommender.storage.run_sync import run_sync


async def double(number: int) -> int:
    return 2 * number


async def fail() -> None:
    raise LookupError("not here")


def test_a_thread_gets_what_the_coroutine_returns():
    async def quadruple(number: int) -> int:
        return await double(await double(number))

    assert run_sync(quadruple(3)) == 12


def test_what_it_raises_is_raised():
    with pytest.raises(LookupError, match="not here"):
        run_sync(fail())


def test_one_that_needs_an_event_loop_is_refused():
    with pytest.raises(RuntimeError, match="event loop"):
        run_sync(asyncio.sleep(0))
