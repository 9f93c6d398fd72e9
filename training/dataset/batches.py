"""Batches of customers on all cores: the scores of a batch for every product fit into memory, those of all do not."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

_CELLS = 8_000_000
"""Customers times products of one batch: 32 MB for each measure of it in float32. Of 100,000 products, batches of a
quarter would take half as long again."""
_MOST_CUSTOMERS = 512

Rows = NDArray[np.int64]
_Result = TypeVar("_Result")


def batch_size(n_products: int) -> int:
    """Customers of a whole batch, at least 1."""
    return max(1, min(_MOST_CUSTOMERS, _CELLS // max(1, n_products)))


def customer_batches(customers: NDArray[np.integer], n_products: int) -> list[Rows]:
    """`customers` (n,) in runs of at most 8 million customers times products; no customers give no run."""
    size = batch_size(n_products)
    return [customers[first : first + size].astype(np.int64) for first in range(0, len(customers), size)]


def for_each_batch(
    work: Callable[[int, Rows], _Result], batches: list[Rows], advance: Callable[[int], None] = lambda _: None
) -> Iterator[_Result]:
    """The results of `work(number of the batch, batch)` in the order of the batches; many are at work at a time.

    numpy gives way to other threads in the long steps. One thread each is enough for what would use several itself.

    Args:
        work: must not depend on other batches.
        batches: as `customer_batches` returns them.
        advance: is called with the number of customers done.
    """
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count(), initializer=_use_one_thread) as pool:
        for batch, result in zip(batches, pool.map(work, range(len(batches)), batches), strict=True):
            advance(len(batch))
            yield result


def _use_one_thread() -> None:
    # OpenMP keeps the limit for each of our threads
    threadpool_limits(1, "openmp")
