"""A request belongs to the trace that its caller names."""

import io
import json

import pytest

from api.telemetry.logs import make_logger
from api.telemetry.tracing import trace_id

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_valid_header_names_its_trace():
    assert trace_id(f"00-{TRACE}-{SPAN}-01") == TRACE
    assert trace_id(f"01-{TRACE}-{SPAN}-01-later") == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        TRACE,
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_anything_else_names_none(header):
    assert trace_id(header) is None


def test_the_log_line_has_it(app, client):
    stream = io.StringIO()
    app.extensions["reprise_log"] = make_logger("info", stream)
    client.get("/health/live", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    client.get("/health/live", headers={"traceparent": "nonsense"})
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first["trace_id"] == TRACE
    assert "trace_id" not in second


def test_a_span_is_a_child_of_the_callers_and_named_by_the_rule(app):
    exporting = pytest.importorskip("opentelemetry.sdk.trace.export", reason="the extra `otel` is not installed")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from api.telemetry.spans import Spans

    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(exporting.SimpleSpanProcessor(exporter))
    app.wsgi_app = Spans(app.wsgi_app, provider.get_tracer("test"))
    for path in ("/v1/products/MILK/similar", "/v1/products/MILK/similar", "/nope/ANNA"):
        app.test_client().get(path, headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
    names = [span.name for span in exporter.get_finished_spans()]
    assert names == ["GET /v1/products/<shop_id:product_id>/similar"] * 2 + ["GET unmatched"]
    assert {f"{span.context.trace_id:032x}" for span in exporter.get_finished_spans()} == {TRACE}
    assert {f"{span.parent.span_id:016x}" for span in exporter.get_finished_spans()} == {SPAN}
    assert [span.attributes["http.response.status_code"] for span in exporter.get_finished_spans()] == [200, 200, 404]
