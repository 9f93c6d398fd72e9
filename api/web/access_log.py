"""Access log: one JSON line a request with the rule of its route, never the path; the headers of every answer."""

import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from flask import Flask, Response, current_app, g, request

from api.ids import request_id
from api.telemetry.logs import Logger
from api.telemetry.metrics import RULE, count_request, waited_s
from api.telemetry.tracing import trace_id
from api.web.headers import SECURITY_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_EXTENSION = "reprise_log"
_WORDS = "reprise_path_words"
_NONE: Mapping[str, str] = {}
_ANY = "*"
"""Stands in for whatever may be an id, or anything else that a stranger wrote."""
MOST_PARTS = 12
"""Of an unknown path; what follows is cut off."""


def attach(app: Flask, logger: Logger) -> None:
    """Name and time every request of `app`, and log it when it is answered."""
    app.extensions[_EXTENSION] = logger
    app.before_request(_start)
    app.after_request(_finish)


def log(app: Flask | None = None) -> Logger:
    """The logger of `app`; None is the one that is answering."""
    return cast(Logger, (app or current_app).extensions[_EXTENSION])


def finish(
    logger: Logger,
    environ: "WSGIEnvironment",
    rule: str | None,
    status: int,
    *,
    started: float,
    name: str,
    details: Mapping[str, str] = _NONE,
) -> list[tuple[str, str]]:
    """Count and log an answered request; the headers that every answer has.

    Args:
        logger: takes the line.
        environ: the request; its `RULE` is set for those around us.
        rule: the route as it is written in the code; None where none fits.
        status: of the answer.
        started: `time.perf_counter()` when the request came.
        name: the request's id.
        details: fields of the line besides.
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
        **details,
    )
    return [
        ("X-Request-ID", name),
        *SECURITY_HEADERS,
        ("Server-Timing", f"redis;dur={waited_s.get() * 1000:.2f}, all;dur={elapsed_s * 1000:.2f}"),
    ]


def mask_path(path: str, words: Iterable[str]) -> str:
    """A path of no route, without what may be an id: only words of routes are left, `*` stands for all else."""
    parts = path.removeprefix("/").split("/")
    shown = [part if part in words else _ANY for part in parts[:MOST_PARTS]]
    return "/" + "/".join([*shown, *(["…"] if len(parts) > MOST_PARTS else [])])


def _path_words(app: Flask) -> frozenset[str]:
    """What stands in the rules of `app` between two slashes, parameters excepted."""
    if _WORDS not in app.extensions:
        parts = (part for rule in app.url_map.iter_rules() for part in rule.rule.split("/"))
        app.extensions[_WORDS] = frozenset(part for part in parts if part and "<" not in part)
    return cast(frozenset[str], app.extensions[_WORDS])


def _details(rule: str | None, status: int) -> dict[str, str]:
    """Whom to look for: the key that asks too often, or what a path of no route was like."""
    principal = g.get("principal")
    if status == HTTPStatus.TOO_MANY_REQUESTS and principal is not None:
        return {"key_id": principal.key_id}
    return {} if rule is not None else {"path": mask_path(request.path, _path_words(current_app))}


def _start() -> None:
    g.started = time.perf_counter()
    g.request_id = request_id(request.headers.get("X-Request-ID"))


def _finish(response: Response) -> Response:
    rule = request.url_rule.rule if request.url_rule else None
    status, details = response.status_code, _details(rule, response.status_code)
    for header in finish(log(), request.environ, rule, status, started=g.started, name=g.request_id, details=details):
        response.headers.setdefault(*header)
    return response
