"""The clock on every request: `Server-Timing` on the reply, a line in the log, the last hour, and the metrics."""

import importlib
import logging
import time
from types import ModuleType
from typing import Any, cast

from flask import Flask, Response, current_app, g, request, request_started

from voxanne import database
from voxanne.cache import cache, cache_event
from voxanne.cache.facade import EXTENSION as CACHE
from voxanne.config import ConfigError, Settings
from voxanne.observability import metrics
from voxanne.observability.sharing import Sharing
from voxanne.observability.timing import Timing
from voxanne.observability.window import Window

logger = logging.getLogger("voxanne.request")

EXTENSION = "voxanne.window"


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
        seconds = timing.total_seconds
        method, route = metrics.method_label(), metrics.route_label()
        slow = seconds >= self.slow_seconds
        response.headers["Server-Timing"] = _server_timing(seconds, spent, timing)
        _log(response.status_code, seconds, spent, timing, slow=slow)
        self.window.note_request(
            f"{method} {route}",
            response.status_code,
            seconds,
            slow=slow,
            database_requests=spent.count,
            database_seconds=spent.seconds,
        )
        self.sharing.wake()
        metrics.note_request(method, route, response.status_code, seconds, slow=slow)
        metrics.sample_process(time.monotonic())
        return response

    def _on_cache_event(self, _engine: object, region: str, event: str, seconds: float | None, **_: Any) -> None:
        self.window.note_cache(region, event, seconds)


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


def _server_timing(seconds: float, spent: database.RequestLog, timing: Timing) -> str:
    return (
        f'total;dur={seconds * 1000:.1f}, db;dur={spent.seconds * 1000:.1f};desc="{spent.count} requests", '
        f'cache;dur={timing.cache_only_seconds * 1000:.1f};desc="{timing.cache_hits} hits, '
        f'{timing.cache_misses} misses", '
        f'auth;dur={timing.auth_seconds * 1000:.1f};desc="{timing.auth_checks} checks"'
    )


def _log(status: int, seconds: float, spent: database.RequestLog, timing: Timing, *, slow: bool) -> None:
    principal = g.get("principal")
    cost = {
        "method": metrics.method_label(),
        "route": request.url_rule.rule if request.url_rule else None,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
        "database_requests": spent.count,
        "database_ms": round(spent.seconds * 1000, 1),
        "cache_hits": timing.cache_hits,
        "cache_misses": timing.cache_misses,
        "cache_ms": round(timing.cache_only_seconds * 1000, 1),
        "auth_checks": timing.auth_checks,
        "auth_ms": round(timing.auth_seconds * 1000, 1),
        "org_id": principal.org_id if principal else None,
        "user_id": principal.user_id if principal else None,
    }
    logger.info("request", extra=cost)
    if slow:
        queries = [{"name": name, "ms": round(taken * 1000, 1)} for name, taken in spent.entries]
        logger.warning("slow request", extra={**cost, "queries": queries})
