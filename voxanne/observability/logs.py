"""Structured logs: one JSON object a line, constant messages plus fields; ids only, never a patient's data."""

import logging
import sys
import time
import traceback
from types import TracebackType

from flask import Flask, Response, g, has_request_context, request
from pythonjsonlogger.json import JsonFormatter

from voxanne import database
from voxanne.config import Settings

logger = logging.getLogger("voxanne.request")

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PrivateFormatter(JsonFormatter):
    """Names an exception and where it arose, not its text, which may quote a row."""

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 -- the standard library's name
        """Return type and frames."""
        kind, _, trace = ei
        frames = traceback.extract_tb(trace)
        places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        return f"{kind.__name__ if kind else 'error'} at {places}"


def configure(settings: Settings) -> None:
    """Send all logs to standard error as JSON; libraries speak from warning upwards."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrivateFormatter("%(levelname)s %(name)s %(message)s", timestamp=True))
    handler.addFilter(_add_request_id)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("voxanne").setLevel(settings.log_level)


def _add_request_id(record: logging.LogRecord) -> bool:
    if has_request_context() and "request_id" in g:
        record.request_id = g.request_id
    return True


def init_app(app: Flask) -> None:
    """Log every request when it is answered, with what it cost."""
    app.before_request(_start)
    app.after_request(_log)


def _start() -> None:
    g.started = time.perf_counter()


def _log(response: Response) -> Response:
    spent = database.request_log()
    milliseconds = (time.perf_counter() - g.get("started", time.perf_counter())) * 1000
    response.headers["Server-Timing"] = (
        f'total;dur={milliseconds:.1f}, db;dur={spent.seconds * 1000:.1f};desc="{spent.count} requests"'
    )
    principal = g.get("principal")
    logger.info(
        "request",
        extra={
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else None,
            "status": response.status_code,
            "duration_ms": round(milliseconds, 1),
            "database_requests": spent.count,
            "database_ms": round(spent.seconds * 1000, 1),
            "org_id": principal.org_id if principal else None,
            "user_id": principal.user_id if principal else None,
        },
    )
    return response
