"""Records of a file that are mapped into memory: the system reads them as they are looked at."""

from mmap import ACCESS_READ, MADV_DONTNEED, mmap
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray


def map_records(file: IO[bytes], dtype: np.dtype[Any], offset: int, n: int) -> NDArray[Any]:
    """`n` records of an open file from `offset` on, read-only; the file may be closed and deleted then."""
    if not n:
        return np.zeros(0, dtype)
    return np.frombuffer(mmap(file.fileno(), 0, access=ACCESS_READ), dtype, n, offset)


def release(records: NDArray[Any]) -> None:
    """Give back the memory of mapped records that were looked at; others stay as they are."""
    owner: Any = records
    while isinstance(owner, np.ndarray):
        owner = owner.base
    owner = owner.obj if isinstance(owner, memoryview) else owner
    if isinstance(owner, mmap):
        owner.madvise(MADV_DONTNEED)
