"""Log lines of a worker, written a few at a time: each write lets other threads take Python's lock.

A piece holds whole lines and is short enough for the system to write it in one go, so the lines of several workers that
write to one pipe are never mixed. The last lines of a worker that is killed may be lost.
"""

import atexit
import os
import threading
import time
from contextlib import suppress
from io import TextIOBase

PAUSE_S = 0.2
"""A line is written this much later at most."""
MAX_PIECE_BYTES = 4_096
"""PIPE_BUF of Linux."""


class LogLines(TextIOBase):
    """A stream for `api.telemetry.logs.make_logger` in front of a file descriptor. Safe to share between threads."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._n_bytes = 0
        self._lock = threading.Lock()
        atexit.register(self.empty)
        threading.Thread(target=self._keep_emptying, daemon=True, name="log").start()

    def write(self, line: str) -> int:
        """Take one line, with its end."""
        wire = line.encode("utf-8", "backslashreplace")
        with self._lock:
            if self._n_bytes + len(wire) > MAX_PIECE_BYTES:
                self._empty()
            self._lines.append(wire)
            self._n_bytes += len(wire)
        return len(line)

    def flush(self) -> None:
        """Nothing: it is written in a moment."""

    def empty(self) -> None:
        """Write what is left."""
        with self._lock:
            if self._lines:
                self._empty()

    def _empty(self) -> None:
        with suppress(OSError):  # as where the log is a closed pipe
            os.write(self._descriptor, b"".join(self._lines))
        self._lines.clear()
        self._n_bytes = 0

    def _keep_emptying(self) -> None:
        while True:
            time.sleep(PAUSE_S)
            self.empty()
