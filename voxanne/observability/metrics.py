"""The numbers that Prometheus collects, of this process or, under gunicorn, of all processes of this server.

Labels are route templates, fixed words and names of our own tables and functions: never an id, an organisation or
anything that a caller chose. What other modules report is bounded here as well.
"""

import functools
import os
import threading
import time
from collections.abc import Iterator, Mapping

from flask import Flask, has_request_context, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from voxanne.cache import cache_event
from voxanne.observability import process
from voxanne.signals import database_request, database_request_begun, provider_call, webhook_event

# They are a second series for each one, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN_ROUTE, NO_ROUTE, OTHER = "(unknown)", "(none)", "other"
MOST_WORDS = 64
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WEBHOOK_FAILURES = {"failed", "dead"}
_CLIENT_ERROR, _SERVER_ERROR = 400, 500


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(f"voxanne_{name}", text, labels, registry=REGISTRY)


def _histogram(name: str, text: str, *labels: str) -> Histogram:
    return Histogram(f"voxanne_{name}_seconds", text, labels, buckets=_SECONDS, registry=REGISTRY)


def _gauge(name: str, text: str) -> Gauge:
    return Gauge(f"voxanne_{name}", text, registry=REGISTRY, multiprocess_mode="livesum")


http_requests = _counter("http_requests", "Requests answered.", "method", "route", "status")
http_seconds = _histogram("http_request_duration", "Time to answer a request.", "method", "route")
http_slow = _counter("http_slow_requests", "Requests at or over SLOW_REQUEST_MS.", "method", "route")
in_flight = _gauge("http_requests_in_flight", "Requests being answered now.")
database_requests = _counter("database_requests", "Requests to Supabase, by what is asked.", "query", "outcome")
database_seconds = _histogram(
    "database_request_duration", "Time of a request to Supabase, by the route it is for.", "method", "route"
)
pool_in_use = _gauge("database_pool_connections_in_use", "Connections to Supabase that carry a request now.")
pool_limit = _gauge("database_pool_connections_limit", "Connections to Supabase that there may be.")
cache_events = _counter("cache_events", "Cache events by region: hits, misses, loads, ...", "region", "event")
cache_load_seconds = _histogram("cache_load_duration", "Time to load what the cache did not have.", "region")
provider_calls = _counter(
    "provider_calls", "Calls of outside providers by outcome.", "provider", "operation", "outcome"
)
provider_seconds = _histogram("provider_call_duration", "Time of a call of an outside provider.", "provider")
webhook_events = _counter("webhook_events", "Webhook events by outcome.", "source", "event_type", "outcome")
webhook_failures = _counter("webhook_failures", "Webhook events that were not dealt with.", "source")
webhook_seconds = _histogram("webhook_duration", "Time to deal with a webhook event.", "source")
process_memory = _gauge("process_resident_memory_bytes", "Memory held by the processes.")
process_threads = _gauge("process_threads", "Threads of the processes.")
process_files = _gauge("process_open_files", "Files and connections that the processes hold open.")
process_cpu = _counter("process_cpu_seconds", "Processor time used.")
process_started = Gauge(
    "voxanne_process_start_time_seconds",
    "When the newest of the processes started, in seconds since 1970.",
    registry=REGISTRY,
    multiprocess_mode="livemax",
)


for _source in ("vapi", "twilio"):
    webhook_failures.labels(
        _source
    )  # from 0 on: Prometheus does not see the first failure of a series that begins at 1


class Words:
    """The values of a label, as many as there may be; what comes later shares one."""

    def __init__(self, most: int = MOST_WORDS) -> None:
        self._most = most
        self._known: set[str] = set()

    def of(self, word: object) -> str:
        """Return the word, or "other" once there are too many."""
        text = str(word)
        if text not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(text)
        return text


_queries = Words(256)
_regions, _events, _providers, _operations, _sources, _event_types, _outcomes = (Words() for _ in range(7))


def route_label() -> str:
    """Return the template of the route at hand; all addresses that are none share one."""
    rule = request.url_rule
    return rule.rule if rule else UNKNOWN_ROUTE


def method_label() -> str:
    """Return the method; all that are none of the usual share one."""
    method = request.method
    return method if method in METHODS else OTHER


@functools.cache  # as many as there are series
def _of_request(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return http_requests.labels(method, route, status), http_seconds.labels(method, route)


@functools.cache
def _of_route(method: str, route: str) -> Histogram:
    return database_seconds.labels(method, route)


@functools.cache
def _of_query(name: str, outcome: str) -> Counter:
    return database_requests.labels(name, outcome)


@functools.cache
def _of_cache_event(region: str, event: str) -> Counter:
    return cache_events.labels(region, event)


def note_request(method: str, route: str, status: int, seconds: float, *, slow: bool) -> None:
    """Count an answered request, by what `method_label` and `route_label` returned."""
    counter, histogram = _of_request(method, route, status)
    counter.inc()
    histogram.observe(seconds)
    if slow:
        http_slow.labels(method, route).inc()


def exposition(database: Mapping[str, float] | None) -> bytes:
    """Return everything in Prometheus's text format.

    `database` holds size_bytes, connections and connections_limit, or is None while the database does not answer.
    """
    sample_process()
    registry = REGISTRY
    if MULTIPROCESS in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    state = CollectorRegistry()
    state.register(_DatabaseCollector(database))
    return generate_latest(registry) + generate_latest(state)


class _DatabaseCollector(Collector):
    """What the database says of itself; any process may tell it, so it is not added up over processes."""

    def __init__(self, found: Mapping[str, float] | None) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        found = self._found
        yield GaugeMetricFamily("voxanne_database_up", "Whether the database answers.", value=float(found is not None))
        if found is not None:
            yield GaugeMetricFamily("voxanne_database_size_bytes", "Size of the database.", value=found["size_bytes"])
            yield GaugeMetricFamily("voxanne_database_connections", "Clients of Postgres.", value=found["connections"])
            yield GaugeMetricFamily(
                "voxanne_database_connections_limit", "Clients that Postgres takes.", value=found["connections_limit"]
            )


@database_request_begun.connect
def _on_database_request_begun(_sender: object) -> None:
    pool_in_use.inc()


@database_request.connect
def _on_database_request(_sender: object, name: str, status: int | None, seconds: float) -> None:
    pool_in_use.dec()
    route = (method_label(), route_label()) if has_request_context() else (NO_ROUTE, NO_ROUTE)
    _of_route(*route).observe(seconds)
    _of_query(_queries.of(name), _outcome(status)).inc()


def _outcome(status: int | None) -> str:
    if status is None:
        return "unreachable"
    if status >= _SERVER_ERROR:
        return "failed"
    return "refused" if status >= _CLIENT_ERROR else "ok"


@cache_event.connect
def _on_cache_event(_sender: object, region: str, event: str, seconds: float | None) -> None:
    _of_cache_event(_regions.of(region), _events.of(event)).inc()
    if seconds is not None:
        cache_load_seconds.labels(_regions.of(region)).observe(seconds)


@provider_call.connect
def _on_provider_call(_sender: object, provider: str, operation: str, outcome: str, seconds: float) -> None:
    provider_calls.labels(_providers.of(provider), _operations.of(operation), _outcomes.of(outcome)).inc()
    provider_seconds.labels(_providers.of(provider)).observe(seconds)


@webhook_event.connect
def _on_webhook_event(_sender: object, source: str, event_type: str, outcome: str, seconds: float) -> None:
    webhook_events.labels(_sources.of(source), _event_types.of(event_type), _outcomes.of(outcome)).inc()
    if outcome in _WEBHOOK_FAILURES:
        webhook_failures.labels(_sources.of(source)).inc()
    webhook_seconds.labels(_sources.of(source)).observe(seconds)


_SAMPLE_EVERY_SECONDS = 5.0
_sampling = threading.Lock()
_sampled_at = 0.0
_cpu_told = 0.0


def sample_process(now: float | None = None) -> None:
    """Note what this process uses; with `now` (of the monotonic clock) only if the last time is some seconds ago."""
    global _sampled_at, _cpu_told
    if now is not None and now - _sampled_at < _SAMPLE_EVERY_SECONDS:
        return
    with _sampling:
        used = time.process_time()
        process_cpu.inc(max(0.0, used - _cpu_told))
        _sampled_at, _cpu_told = time.monotonic(), used
    process_memory.set(process.memory_used_bytes())
    process_threads.set(threading.active_count())
    process_files.set(process.open_files())
    process_started.set(process.STARTED_AT)


def init_app(app: Flask) -> None:
    """Tell the limit of the connection pool."""
    pool_limit.set(app.config["SETTINGS"].supabase_connections)
