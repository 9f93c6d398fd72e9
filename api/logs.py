"""Logs: one JSON line a request on standard error, with the rule of the route and never the path.

Paths hold customer ids; rules do not. No header, no body and no setting is logged.
"""

import sys
import time
from typing import TextIO, cast

import structlog
from flask import Flask, Response, current_app, g, request
from structlog.typing import FilteringBoundLogger

from api.ids import request_id

_EXTENSION = "reprise_log"


def make_logger(level: str, stream: TextIO | None = None) -> FilteringBoundLogger:
    """A logger of JSON lines; what is under `level` (`debug`, `info`, `warning`, `error`) is dropped."""
    return cast(
        FilteringBoundLogger,
        structlog.wrap_logger(
            structlog.WriteLogger(stream or sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(level),
        ).bind(),
    )


def attach(app: Flask, logger: FilteringBoundLogger) -> None:
    """Name and time every request of `app`, and log it when it is answered."""
    app.extensions[_EXTENSION] = logger
    app.before_request(_start)
    app.after_request(_finish)


def log() -> FilteringBoundLogger:
    """The logger of the app that is answering."""
    return cast(FilteringBoundLogger, current_app.extensions[_EXTENSION])


def _start() -> None:
    g.started = time.perf_counter()
    g.request_id = request_id(request.headers.get("X-Request-ID"))


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    log().info(
        "request",
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=response.status_code,
        ms=round((time.perf_counter() - g.started) * 1000, 2),
        request_id=g.request_id,
    )
    return response
