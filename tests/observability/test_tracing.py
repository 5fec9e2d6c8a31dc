"""Traces: off unless an endpoint is set, and then names and times, never a value."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.factories import Caller, Factory
from voxanne.config import ConfigError
from voxanne.observability import requests
from voxanne.signals import provider_call

ROOT = Path(__file__).parents[2]
DETAIL = "GET calls_feed"


class Collector(ThreadingHTTPServer):
    """Takes traces, as Jaeger or Tempo do."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def spans(self) -> list[Span]:
        parsed = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for one in parsed
            for found in one.resource_spans
            for scope in found.scope_spans
            for span in scope.spans
        ]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))  # type: ignore[attr-defined]
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        yield server
        server.shutdown()


START = "from tests.conftest import settings_for_tests; from voxanne import create_app; import sys\n"
ASK = "status = create_app(settings_for_tests()).test_client().get('/').status_code\n"


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_by_default_nothing_of_it_is_imported() -> None:
    # redis-py looks for OpenTelemetry's metrics by itself, where it is installed.
    ours = "voxanne.observability.tracing"
    look = f"print([n for n in sys.modules if n == '{ours}' or n.startswith('opentelemetry.sdk.trace')])"

    assert run(f"{START}{ASK}{look}") == "[]\n"


def test_it_does_without_the_packages() -> None:
    look = "print(status, [n for n in sys.modules if n.startswith('opentelemetry.')])"

    assert run(f"import sys; sys.modules['opentelemetry'] = None\n{START}{ASK}{look}") == "200 []\n"


def test_without_the_packages_it_says_so_in_a_line(
    app_with: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "voxanne.observability.tracing", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_ENDPOINT needs packages"):
        app_with(otel_exporter_otlp_endpoint="http://127.0.0.1:4318")


def test_a_request_is_a_span_over_what_it_waited_for(
    app_with: Callable[..., Flask], factory: Factory, collector: Collector
) -> None:
    app = app_with(otel_exporter_otlp_endpoint=collector.url)
    caller = factory.caller()
    visitor = Caller(app, caller.org_id, caller.user_id, caller.token)
    call_id = factory.call(caller.org_id, caller_name="Marker Person")

    visitor.get("/api/agents")
    visitor.get(f"/api/calls-dashboard/{call_id}", note="Marker")
    visitor.get(f"/nowhere/{call_id}")
    with app.test_request_context():
        provider_call.send(provider="vapi", operation="GET assistant", outcome="refused", seconds=0.25)
    requests.close(app)

    assert set(collector.paths) == {"/v1/traces"}
    spans = {span.name: span for span in collector.spans}
    template = "/api/calls-dashboard/<uuid:call_id>"
    assert set(spans) == {
        "GET /api/agents", "cache load agents", "POST rpc/list_agents", f"GET {template}", DETAIL, "GET (unknown)",
        "vapi GET assistant",
    }  # fmt: skip
    agents = spans["GET /api/agents"]
    assert agents.kind == Span.SPAN_KIND_SERVER
    assert not agents.parent_span_id
    for name in ("cache load agents", "POST rpc/list_agents"):
        child = spans[name]
        assert (child.parent_span_id, child.trace_id) == (agents.span_id, agents.trace_id)
        assert agents.start_time_unix_nano <= child.start_time_unix_nano + 1_000_000
        assert child.end_time_unix_nano <= agents.end_time_unix_nano
    refused = spans["vapi GET assistant"]
    assert refused.status.code == Status.STATUS_CODE_ERROR
    assert round((refused.end_time_unix_nano - refused.start_time_unix_nano) / 1e9, 2) == 0.25
    attributes = {one.key: one.value for one in spans[f"GET {template}"].attributes}
    assert attributes["http.route"].string_value == template
    assert attributes["http.response.status_code"].int_value == 200
    everything = b"".join(collector.bodies)
    for private in (call_id, caller.org_id, caller.user_id, "Marker"):
        assert private.encode() not in everything


def test_a_callers_own_trace_is_not_believed(
    app_with: Callable[..., Flask], factory: Factory, collector: Collector
) -> None:
    app = app_with(otel_exporter_otlp_endpoint=collector.url)
    theirs = "0af7651916cd43dd8448eb211c80319c"

    app.test_client().get("/", headers={"traceparent": f"00-{theirs}-b7ad6b7169203331-01"})
    requests.close(app)

    assert [span.trace_id.hex() == theirs for span in collector.spans] == [False]


def test_a_collector_that_is_away_harms_nobody(app_with: Callable[..., Flask]) -> None:
    app = app_with(otel_exporter_otlp_endpoint="http://127.0.0.1:1")

    assert app.test_client().get("/").status_code == 200
