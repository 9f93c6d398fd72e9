"""A bounded mapping that forgets the least recently used."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

KEPT_S = 3_600.0
"""A copy that nobody asked for in this time is forgotten, and so is one that a long outage made old."""
_ENTRY_BYTES = 500
"""What the objects around an entry of a memory take, about."""


class LruCache:
    """A mapping that forgets the least recently used, and what is older than KEPT_S. Safe between threads.

    Args:
        most_bytes: memory that the entries may take, by what `keep` is told of each, and _ENTRY_BYTES besides.
        timer: seconds from any moment on.
    """

    def __init__(self, most_bytes: int, timer: Callable[[], float] = time.monotonic) -> None:
        self.n_bytes = 0
        self._most_bytes = most_bytes
        self._timer = timer
        self._entries: OrderedDict[Hashable, tuple[Any, int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any:
        """What is kept under `key`; None for nothing."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or self._timer() > entry[2]:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def keep(self, key: Hashable, value: Any, n_bytes: int) -> None:
        """Keep `value`, which takes `n_bytes`, in place of what was there."""
        n_bytes += _ENTRY_BYTES
        with self._lock:
            replaced = self._entries.pop(key, None)
            self.n_bytes += n_bytes - (replaced[1] if replaced else 0)
            self._entries[key] = value, n_bytes, self._timer() + KEPT_S
            while self.n_bytes > self._most_bytes:
                self.n_bytes -= self._entries.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._entries)
