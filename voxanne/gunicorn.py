"""How gunicorn serves the program; every number comes from the settings."""

import atexit
import os
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_METRICS = "PROMETHEUS_MULTIPROC_DIR"


def _metrics_folder() -> str:
    """Return the directory in which the workers add up their metrics.

    It is this master's own: counts of an earlier start, or of a server that is being replaced, are not ours. A reload
    keeps it.
    """
    prefix, master = f"voxanne-metrics-{os.getpid()}-", os.getpid()
    known = os.environ.get(_METRICS, "")
    if Path(known).name.startswith(prefix):
        return known
    folder = tempfile.mkdtemp(prefix=prefix)

    def remove() -> None:
        if os.getpid() == master:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder


os.environ[_METRICS] = _metrics_folder()  # before anything imports prometheus_client, which looks for it only then

from voxanne.config import ConfigError, load_settings  # noqa: E402
from voxanne.worker import Worker  # noqa: E402

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


def child_exit(_server: object, worker: Any) -> None:
    """Take what a dead worker held at the time (requests in flight, memory) out of the sums, and speak for it.

    The other processes would wait for one that was killed, in case it is only cut off from Redis.
    """
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 -- reads the directory

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
    if _settings.redis_url is not None:
        from voxanne.cache.lease import bury  # noqa: PLC0415 -- the master process has no use for all that comes with it

        bury(_settings.redis_url.get_secret_value(), _settings.cache_key_prefix, worker.pid)


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
    """Stop the work beside the requests, and hand in the last counts of the monitoring and of the cache."""
    from flask import Flask  # noqa: PLC0415 -- the master process has no use for all this

    from voxanne.cache import cache  # noqa: PLC0415
    from voxanne.observability import requests  # noqa: PLC0415
    from voxanne.services.webhooks import drainer  # noqa: PLC0415

    if isinstance(getattr(worker, "wsgi", None), Flask):  # not where the start has failed
        drainer.of(worker.wsgi).stop()
        requests.close(worker.wsgi)
    cache.close()
