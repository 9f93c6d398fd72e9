"""Logs: one JSON line a request on standard error, with the rule of the route and never the path.

Paths hold customer ids; rules do not. Of a path of no route, the words are left that stand in rules. No header, no body
and no setting is logged.
"""

import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

from api.json import dump

_LEVELS = ("debug", "info", "warning", "error")


class Logger:
    """Logger of events with fields, of which one is a line of JSON. Safe to share between threads.

    Args:
        level: what is under it is dropped.
        stream: takes the lines.
    """

    def __init__(self, level: str, stream: TextIO) -> None:
        self._shown = frozenset(_LEVELS[_LEVELS.index(level) :])
        self._stream = stream
        self._lock = threading.Lock()

    def info(self, event: str, **fields: Any) -> None:
        """Write a line of level `info`."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Write a line of level `warning`."""
        self._write("warning", event, fields)

    def error(self, event: str, exc_info: BaseException | None = None, **fields: Any) -> None:
        """Write a line of level `error`, with the traceback of `exc_info`, if any."""
        told = {} if exc_info is None else {"exception": "".join(traceback.format_exception(exc_info)).rstrip("\n")}
        self._write("error", event, fields, told)

    def _write(self, level: str, event: str, fields: dict[str, Any], last: dict[str, str] | None = None) -> None:
        if level not in self._shown:
            return
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = dump({**fields, "event": event, "level": level, "timestamp": now, **(last or {})}).decode() + "\n"
        with self._lock:
            self._stream.write(line)
            self._stream.flush()


def make_logger(level: str, stream: TextIO | None = None) -> Logger:
    """A logger of JSON lines; what is under `level` (`debug`, `info`, `warning`, `error`) is dropped."""
    return Logger(level, stream or sys.stderr)
