"""The clock on every request: `Server-Timing` on the reply, a line in the log, the last hour, and the metrics."""

import importlib
import logging
import time
from types import ModuleType
from typing import Any, cast

from flask import Flask, Response, current_app, g, request_started

from voxanne import database
from voxanne.cache import cache, cache_event
from voxanne.cache.facade import EXTENSION as CACHE
from voxanne.config import ConfigError, Settings
from voxanne.observability import metrics
from voxanne.observability.sharing import Sharing
from voxanne.observability.timing import Timing, current
from voxanne.observability.window import Window

logger = logging.getLogger("voxanne.request")

EXTENSION = "voxanne.window"
_SERVER_TIMING = (
    'total;dur={duration_ms}, db;dur={database_ms};desc="{database_requests} requests", '
    'cache;dur={cache_ms};desc="{cache_hits} hits, {cache_misses} misses", '
    'auth;dur={auth_ms};desc="{auth_checks} checks"'
)


class Monitor:
    """One app's last hour, fed by its cache and its requests."""

    def __init__(self, app: Flask) -> None:
        settings: Settings = app.config["SETTINGS"]
        with app.app_context():
            pool = cache.guarded_pool()
        self.window = Window()
        self.sharing = Sharing(self.window, pool, settings.cache_key_prefix)
        self.slow_seconds = settings.slow_request_ms / 1000
        cache_event.connect(self._on_cache_event, sender=app.extensions[CACHE])
        request_started.connect(self._begin, sender=app)

    def _begin(self, _app: Flask, **_: Any) -> None:
        g.timing = Timing()
        metrics.in_flight.inc()

    def finish(self, response: Response) -> Response:
        """Tell what the request cost, wherever it is told."""
        timing, spent = cast(Timing, g.get("timing") or Timing()), database.request_log()
        seconds, database_seconds = timing.total_seconds, spent.seconds
        method, route = metrics.method_label(), metrics.route_label()
        slow = seconds >= self.slow_seconds
        cost = {
            "duration_ms": _ms(seconds),
            "database_requests": spent.count,
            "database_ms": _ms(database_seconds),
            "cache_hits": timing.cache_hits,
            "cache_misses": timing.cache_misses,
            "cache_ms": _ms(timing.cache_only_seconds),
            "auth_checks": timing.auth_checks,
            "auth_ms": _ms(timing.auth_seconds),
        }
        response.headers["Server-Timing"] = _SERVER_TIMING.format_map(cost)
        _log(method, route, response.status_code, cost, spent.entries if slow else None)
        self.window.note_request(
            f"{method} {route}",
            response.status_code,
            seconds,
            slow=slow,
            database_requests=spent.count,
            database_seconds=database_seconds,
        )
        self.sharing.wake()
        metrics.note_request(method, route, response.status_code, seconds, slow=slow)
        metrics.sample_process(time.monotonic())
        return response

    def _on_cache_event(self, _engine: object, region: str, event: str, seconds: float | None, **_: Any) -> None:
        self.window.note_cache(region, event, seconds)
        timing = current()
        if timing is not None:
            timing.note_cache(event, seconds)


def init_app(app: Flask) -> None:
    """Begin at a request's arrival and end after everything else, compression included; needs the cache."""
    metrics.init_app(app)
    app.extensions[EXTENSION] = monitor = Monitor(app)
    # Flask runs these in reverse order, and this must be the last one.
    app.after_request_funcs.setdefault(None, []).insert(0, monitor.finish)
    app.teardown_request(_leave)
    if app.config["SETTINGS"].otel_exporter_otlp_endpoint is not None:
        _tracing().init_app(app)


def close(app: Flask) -> None:
    """Hand in the last numbers and traces, when the process ends."""
    sharing(app).publish()
    if app.config["SETTINGS"].otel_exporter_otlp_endpoint is not None:
        _tracing().close(app)


def sharing(app: Flask | None = None) -> Sharing:
    """Return the last hour of an application, by default of the one at hand."""
    return cast(Monitor, (app or current_app).extensions[EXTENSION]).sharing


def _tracing() -> ModuleType:
    try:
        return importlib.import_module("voxanne.observability.tracing")
    except ImportError as error:
        raise ConfigError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed ({error.name}): see README"
        ) from None


def _leave(_error: BaseException | None) -> None:
    if g.pop("timing", None) is not None:
        metrics.in_flight.dec()


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _log(method: str, route: str, status: int, cost: dict[str, float], if_slow: list[tuple[str, float]] | None) -> None:
    principal = g.get("principal")
    fields = {
        "method": method,
        "route": None if route == metrics.UNKNOWN_ROUTE else route,
        "status": status,
        **cost,
        "org_id": principal.org_id if principal else None,
        "user_id": principal.user_id if principal else None,
    }
    logger.info("request", extra=fields)
    if if_slow is not None:
        queries = [{"name": name, "ms": _ms(seconds)} for name, seconds in if_slow]
        logger.warning("slow request", extra={**fields, "queries": queries})
