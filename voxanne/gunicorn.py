"""How gunicorn serves the program; every number comes from the settings."""

import signal
import socket
import struct
import sys
import time
from typing import Any

from voxanne.config import ConfigError, load_settings
from voxanne.worker import Worker

try:
    _settings = load_settings()
except ConfigError as error:
    sys.exit(f"voxanne: {error}")

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_concurrency
worker_class = Worker
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


def pre_fork(server: Any, _worker: object) -> None:
    """Without Redis, let the former worker end before the next one starts, at a reload (HUP) or when told to add one.

    Two would serve at once, each with a cache that hears nothing of the other's changes. Who comes meanwhile waits.
    """
    if _settings.redis_url is not None or not server.WORKERS:
        return
    server.num_workers = 1
    server.kill_workers(signal.SIGTERM)
    deadline = time.monotonic() + graceful_timeout + 5
    while server.WORKERS:
        if time.monotonic() > deadline:
            server.kill_workers(signal.SIGKILL)
        time.sleep(0.05)
        server.reap_workers()


def post_worker_init(worker: Any) -> None:
    """Put a time limit on receiving, which accepted connections inherit.

    gunicorn has none once a byte has come, and a few stalled clients would hold all threads.
    """
    limit = struct.pack("ll", _settings.receive_timeout_seconds, 0)
    for listener in worker.sockets:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)


def child_exit(_server: object, worker: Any) -> None:
    """Speak for a worker that was killed: the others would wait for it, in case it is only cut off from Redis."""
    if _settings.redis_url is not None:
        from voxanne.cache.lease import bury  # noqa: PLC0415 -- as below

        bury(_settings.redis_url.get_secret_value(), _settings.cache_key_prefix, worker.pid)


def worker_exit(_server: object, _worker: object) -> None:
    """Hand in the last counts of the cache."""
    from voxanne.cache import cache  # noqa: PLC0415 -- the master process has no use for it

    cache.close()
