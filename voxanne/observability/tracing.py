"""Optional traces by OpenTelemetry: one span a request, and under it one for each thing that it waited for.

Imported only where OTEL_EXPORTER_OTLP_ENDPOINT is set. Names are route templates and those of our own tables, functions
and regions; no span carries an address, a parameter, an organisation or a person. Traces begin here: what a caller says
about a trace of its own is not believed.
"""

import os
import time
from typing import Any

from flask import Flask, Response, g, has_app_context, request_finished, request_started
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from voxanne.cache import cache_event
from voxanne.config import Settings
from voxanne.observability.metrics import method_label, route_label
from voxanne.signals import database_request, provider_call

EXTENSION = "voxanne.tracing"
EXPORT_SECONDS = 5
_SERVER_ERROR = 500


class Traces:
    """One app's traces, sent in batches by a thread."""

    def __init__(self, app: Flask) -> None:
        settings: Settings = app.config["SETTINGS"]
        endpoint = f"{str(settings.otel_exporter_otlp_endpoint).rstrip('/')}/v1/traces"
        resource = Resource.create({SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME", "voxanne")})
        self.provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS)
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self.provider.get_tracer("voxanne")
        request_started.connect(self._begin, sender=app)
        request_finished.connect(self._end, sender=app)
        database_request.connect(self._on_database_request)
        cache_event.connect(self._on_cache_event)
        provider_call.connect(self._on_provider_call)

    def _begin(self, _app: Flask, **_: Any) -> None:
        g.span = self._tracer.start_span("request", kind=SpanKind.SERVER)

    def _end(self, _app: Flask, response: Response, **_: Any) -> None:
        span: Span = g.span
        span.update_name(f"{method_label()} {route_label()}")
        span.set_attribute("http.request.method", method_label())
        span.set_attribute("http.route", route_label())
        span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= _SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end()

    def _on_database_request(self, _sender: object, name: str, status: int | None, seconds: float) -> None:
        self._note(name, seconds, failed=status is None or status >= _SERVER_ERROR, status=status or 0)

    def _on_cache_event(self, _sender: object, region: str, event: str, seconds: float | None) -> None:
        if event == "loads" and seconds is not None:
            self._note(f"cache load {region}", seconds)

    def _on_provider_call(self, _sender: object, provider: str, operation: str, outcome: str, seconds: float) -> None:
        self._note(f"{provider} {operation}", seconds, failed=outcome != "ok", outcome=outcome)

    def _note(self, name: str, seconds: float, *, failed: bool = False, **attributes: str | int) -> None:
        """Write down what has just ended, under the request at hand if there is one."""
        ended = time.time_ns()
        parent = g.get("span") if has_app_context() else None
        span = self._tracer.start_span(
            name,
            context=set_span_in_context(parent) if parent else None,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=ended - round(seconds * 1e9),
        )
        if failed:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended)


def init_app(app: Flask) -> None:
    """Trace this application's requests."""
    app.extensions[EXTENSION] = Traces(app)


def close(app: Flask) -> None:
    """Send what has not been sent, when the process ends."""
    traces: Traces = app.extensions[EXTENSION]
    traces.provider.shutdown()
