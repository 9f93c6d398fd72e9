"""Logs: one JSON line a request on standard error, with the rule of the route and never the path.

Paths hold customer ids; rules do not. Of a path of no route, the words are left that stand in rules. No header, no body
and no setting is logged.
"""

import sys
from typing import TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger

from api.json import dump

Logger = FilteringBoundLogger
"""A logger of events with fields, of which one is a line of JSON."""


def make_logger(level: str, stream: TextIO | None = None) -> Logger:
    """A logger of JSON lines; what is under `level` (`debug`, `info`, `warning`, `error`) is dropped."""
    return cast(
        Logger,
        structlog.wrap_logger(
            structlog.WriteLogger(stream or sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(_to_text),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(level),
        ).bind(),
    )


def _to_text(event: object, **_: object) -> str:
    return dump(event).decode()
