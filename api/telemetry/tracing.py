"""Traces: the caller's `traceparent` (W3C Trace Context) in every log line, and spans where OpenTelemetry is installed.

Spans are an extra: `pip install '.[otel]'` and the usual OTEL_* variables. Without OTEL_EXPORTER_OTLP_ENDPOINT
nothing of OpenTelemetry is imported.
"""

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


def trace_id(traceparent: str | None) -> str | None:
    """The trace that a `traceparent` header names; None where there is none, or one that is not valid."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    if match is None or not int(match[1], 16) or not int(match[2], 16) or traceparent[:2] == "ff":  # type: ignore[index]
        return None
    return match[1]


def trace(app: "WSGIApplication") -> "WSGIApplication":
    """`app` with a span around each request where a collector is configured; else `app` itself.

    Raises:
        ImportError: OTEL_EXPORTER_OTLP_ENDPOINT is set and the extra `otel` is not installed.
    """
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return app
    from api.telemetry.spans import Spans, exporting_tracer  # noqa: PLC0415 - an extra

    return Spans(app, exporting_tracer())
