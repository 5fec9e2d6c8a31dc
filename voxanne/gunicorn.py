"""How gunicorn serves the program; every number comes from the settings."""

import sys

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


def worker_exit(_server: object, _worker: object) -> None:
    """Hand in the last counts of the cache."""
    from voxanne.cache import cache  # noqa: PLC0415 -- the master process has no use for it

    cache.close()
