"""Structured logs: one JSON object a line, constant messages plus fields; ids only, never a patient's data."""

import logging
import sys
import traceback
from types import TracebackType

from flask import g
from pythonjsonlogger.orjson import OrjsonFormatter

from voxanne.config import Settings

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PrivateFormatter(OrjsonFormatter):
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
    request_id = g.get("request_id") if g else None
    if request_id is not None:
        record.request_id = request_id
    return True
