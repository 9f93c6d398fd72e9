"""Logs: one JSON line a request on standard error, with the rule of the route and never the path.

Paths hold customer ids; rules do not. Of a path of no route, the words are left that stand in rules. No header, no body
and no setting is logged.
"""

import sys
from datetime import UTC, datetime
from traceback import format_exception
from typing import TextIO

from api.json import dump

_LEVELS = ("debug", "info", "warning", "error")


class Logger:
    """A logger of JSON lines: the fields that are given, then `event`, `level` and `timestamp`.

    Args:
        level: what is under it is dropped.
        stream: takes each line in one call of `write`.
    """

    def __init__(self, level: str, stream: TextIO) -> None:
        self._least = _LEVELS.index(level)
        self._stream = stream

    def info(self, event: str, **fields: object) -> None:
        """Write a line of level `info`."""
        self._write(1, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Write a line of level `warning`."""
        self._write(2, event, fields)

    def error(self, event: str, *, exc_info: BaseException | None = None, **fields: object) -> None:
        """Write a line of level `error`, with the traceback of `exc_info` where there is one."""
        self._write(3, event, fields, exc_info)

    def _write(self, level: int, event: str, fields: dict[str, object], error: BaseException | None = None) -> None:
        if level < self._least:
            return
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = fields | {"event": event, "level": _LEVELS[level], "timestamp": now}
        if error is not None:
            line["exception"] = "".join(format_exception(error)).rstrip("\n")
        self._stream.write(dump(line).decode() + "\n")
        self._stream.flush()


def make_logger(level: str, stream: TextIO | None = None) -> Logger:
    """A logger of lines of `level` (`debug`, `info`, `warning`, `error`) and above; None is standard error."""
    return Logger(level, stream or sys.stderr)
