"""How gunicorn serves the program; every number comes from the settings."""

import socket
import struct
import sys
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


def on_starting(server: Any) -> None:
    """Refuse what the settings cannot see: more workers by the command line, and no Redis that they could share."""
    if server.cfg.workers > 1 and _settings.redis_url is None:
        sys.exit("voxanne: more than one worker needs REDIS_URL, since in-process caches are not shared")


def post_worker_init(worker: Any) -> None:
    """Put a time limit on receiving, and start the work that goes on beside the requests.

    Accepted connections inherit the limit; gunicorn has none once a byte has come, and a few stalled clients would hold
    all threads. Threads don't outlive a fork, so they start here.
    """
    from voxanne.services.webhooks import drainer  # noqa: PLC0415 -- the master process has no use for it

    limit = struct.pack("ll", _settings.receive_timeout_seconds, 0)
    for listener in worker.sockets:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    drainer.of(worker.wsgi).start()


def worker_exit(_server: object, worker: Any) -> None:
    """Stop the work beside the requests, and hand in the last counts of the cache."""
    from voxanne.cache import cache  # noqa: PLC0415 -- the master process has no use for it
    from voxanne.services.webhooks import drainer  # noqa: PLC0415

    app = getattr(worker, "wsgi", None)
    if app is not None:
        drainer.of(app).stop()
    cache.close()
