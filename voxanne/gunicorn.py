"""How gunicorn serves the program; every number comes from the settings."""

import os
import shutil
import socket
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

from voxanne.config import ConfigError, load_settings

try:
    _settings = load_settings()
except ConfigError as error:
    sys.exit(f"voxanne: {error}")

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_concurrency
worker_class = "gthread"
threads = _settings.web_threads
# Longer than any route may take, and than the time that a stopping process is given to finish its requests.
timeout = 60
graceful_timeout = 20
keepalive = 75
forwarded_allow_ips = "127.0.0.1,::1"
accesslog = None
loglevel = "warning"


_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_METRICS_PREFIX = "voxanne-metrics-"


def on_starting(server: Any) -> None:
    """Refuse what the settings cannot see: more workers by the command line, and no Redis that they could share.

    And make the directory in which the workers add up their metrics, before any of them is there.
    """
    if server.cfg.workers > 1 and _settings.redis_url is None:
        sys.exit("voxanne: more than one worker needs REDIS_URL, since in-process caches are not shared")
    # Always a new one: the counts of an earlier start, or of a server being replaced, are not ours.
    os.environ[_METRICS] = tempfile.mkdtemp(prefix=_METRICS_PREFIX)


def on_exit(_server: object) -> None:
    """Remove that directory."""
    folder = Path(os.environ.get(_METRICS, ""))
    if folder.name.startswith(_METRICS_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def child_exit(_server: object, worker: Any) -> None:
    """Take what a dead worker held at the time (requests in flight, memory) out of the sums."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 -- only now is the directory known

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def post_worker_init(worker: Any) -> None:
    """Put a time limit on receiving, which accepted connections inherit.

    gunicorn has none once a byte has come, and a few stalled clients would hold all threads.
    """
    limit = struct.pack("ll", _settings.receive_timeout_seconds, 0)
    for listener in worker.sockets:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def worker_exit(_server: object, worker: Any) -> None:
    """Hand in the last counts of the monitoring and of the cache."""
    from flask import Flask  # noqa: PLC0415 -- the master process has no use for all this

    from voxanne.cache import cache  # noqa: PLC0415
    from voxanne.observability import requests  # noqa: PLC0415

    if isinstance(getattr(worker, "wsgi", None), Flask):  # not where the start has failed
        requests.sharing(worker.wsgi).publish()
    cache.close()
