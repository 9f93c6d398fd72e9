"""OpenTelemetry spans, one a request; imported only where they are wanted.

A span is named by the rule of its route and holds no id: neither path nor query.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from api.telemetry.metrics import RULE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def exporting_tracer() -> Tracer:
    """A tracer that sends to where OTEL_EXPORTER_OTLP_ENDPOINT says, in batches, from a thread of its own."""
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "reprise"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("reprise")


class Spans:
    """`app` with a span around each request, a child of the caller's `traceparent`."""

    def __init__(self, app: "WSGIApplication", tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request, as WSGI (PEP 3333) wants it."""
        parent = self._propagator.extract({"traceparent": environ.get("HTTP_TRACEPARENT", "")})
        with self._tracer.start_as_current_span("request", parent, SpanKind.SERVER) as span:

            def start(status: str, *rest: Any) -> Any:
                code = int(status[:3])
                span.set_attribute("http.response.status_code", code)
                if code >= 500:
                    span.set_status(Status(StatusCode.ERROR))
                return start_response(status, *rest)

            body = self._app(environ, start)
            method, rule = environ["REQUEST_METHOD"], environ.get(RULE) or "unmatched"
            span.update_name(f"{method} {rule}")
            span.set_attributes({"http.request.method": method, "http.route": rule})
            return body
