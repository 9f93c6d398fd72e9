"""A disk without room, as the system makes it: a limit on the size of a file, which needs no rights of an admin."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk(room: int = 0, pid: int | None = None) -> Iterator[None]:
    """Within the block a process (None: this one) can write no file beyond `room` bytes."""
    pid = os.getpid() if pid is None else pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
