"""Caches for tests, without the rest of the application."""

from collections.abc import Callable
from types import SimpleNamespace

from flask import Flask

from voxanne.cache import Cache, engine, lease, shared


def wait_for_ever(put: Callable[[object, str, object], None] = setattr) -> None:
    """Have whoever waits for another's load, or for its lock, wait for its end; and leases that do not lapse."""
    for module, name in ((engine, "FLIGHT_WAIT"), (engine, "LOCK_WAIT")):
        put(module, name, 3600.0)
    for module, name in ((shared, "LOCK_MS"), (lease, "LEASE_MS")):
        put(module, name, 3_600_000)


def make_cache(url: str | None = None, *, prefix: str = "test", web_concurrency: int = 1, **options) -> Cache:
    app = Flask("cache-test")
    app.config["SETTINGS"] = SimpleNamespace(redis_url=url, web_concurrency=web_concurrency, cache_key_prefix=prefix)
    cache = Cache()
    cache.init_app(app, **options)
    return cache
