"""Access log: one JSON line a request with the rule of its route, never the path; the headers of every answer."""

import time
from typing import TYPE_CHECKING, cast

from flask import Flask, Response, current_app, g, request
from structlog.typing import FilteringBoundLogger

from api.ids import request_id
from api.telemetry.metrics import RULE, count_request, waited_s
from api.telemetry.tracing import trace_id
from api.web.headers import SECURITY_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_EXTENSION = "reprise_log"


def attach(app: Flask, logger: FilteringBoundLogger) -> None:
    """Name and time every request of `app`, and log it when it is answered."""
    app.extensions[_EXTENSION] = logger
    app.before_request(_start)
    app.after_request(_finish)


def log(app: Flask | None = None) -> FilteringBoundLogger:
    """The logger of `app`; None is the one that is answering."""
    return cast(FilteringBoundLogger, (app or current_app).extensions[_EXTENSION])


def finish(
    logger: FilteringBoundLogger,
    environ: "WSGIEnvironment",
    rule: str | None,
    status: int,
    *,
    started: float,
    name: str,
) -> list[tuple[str, str]]:
    """Count and log an answered request; the headers that every answer has.

    Args:
        logger: takes the line.
        environ: the request; its `RULE` is set for those around us.
        rule: the route as it is written in the code; None where none fits.
        status: of the answer.
        started: `time.perf_counter()` when the request came.
        name: the request's id.
    """
    elapsed_s = time.perf_counter() - started
    environ[RULE] = rule
    method = environ["REQUEST_METHOD"]
    count_request(rule, method, status, elapsed_s)
    trace = trace_id(environ["HTTP_TRACEPARENT"]) if "HTTP_TRACEPARENT" in environ else None
    logger.info(
        "request",
        method=method,
        route=rule,
        status=status,
        ms=round(elapsed_s * 1000, 2),
        request_id=name,
        **({} if trace is None else {"trace_id": trace}),
    )
    return [
        ("X-Request-ID", name),
        *SECURITY_HEADERS,
        ("Server-Timing", f"redis;dur={waited_s.get() * 1000:.2f}, all;dur={elapsed_s * 1000:.2f}"),
    ]


def _start() -> None:
    g.started = time.perf_counter()
    g.request_id = request_id(request.headers.get("X-Request-ID"))


def _finish(response: Response) -> Response:
    rule = request.url_rule.rule if request.url_rule else None
    for header in finish(log(), request.environ, rule, response.status_code, started=g.started, name=g.request_id):
        response.headers.setdefault(*header)
    return response
