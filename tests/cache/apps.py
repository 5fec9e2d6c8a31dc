"""Caches for tests, without the rest of the application."""

from types import SimpleNamespace

from flask import Flask

from voxanne.cache import Cache


def make_cache(url: str | None = None, *, prefix: str = "test", web_concurrency: int = 1, **options) -> Cache:
    app = Flask("cache-test")
    app.config["SETTINGS"] = SimpleNamespace(redis_url=url, web_concurrency=web_concurrency, cache_key_prefix=prefix)
    cache = Cache()
    cache.init_app(app, **options)
    return cache
