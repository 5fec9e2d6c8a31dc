"""What the rest of the program uses: a dictionary with a loader, and a block around each write."""

import atexit
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, current_app, has_app_context
from pydantic import SecretStr
from redis import ConnectionPool

from voxanne.cache.backends import memory_backend
from voxanne.cache.counters import Counters, summary
from voxanne.cache.engine import Engine
from voxanne.cache.errors import CacheConfigError, IsUnavailable, unavailability
from voxanne.cache.guarded import GuardedPool
from voxanne.cache.memory import MemoryStore
from voxanne.cache.regions import REGIONS, Region
from voxanne.cache.shared import RedisStore
from voxanne.cache.signals import cache_read
from voxanne.cache.store import Store

EXTENSION = "voxanne-cache"
SETTLE = 5.0


class Change:
    """A write under way."""

    def __init__(self) -> None:
        self.told: list[tuple[Region, str, Any]] = []

    def tell(self, region: Region, key: str, value: Any) -> None:
        """Tell what a key's value is after the write, as the write itself has reported it: that spares a load.

        The value must be as new as the write, so of the same transaction. It is not stored if another change of the
        same keys was under way at any time meanwhile, since nobody knows which came last. The key must name its
        organisation (no region with an `owner`).
        """
        self.told.append((region, key, value))


class Cache:
    """The cache of the app at hand, or of the last app initialised where there is none."""

    def __init__(self) -> None:
        self._last: Engine | None = None

    def init_app(self, app: Flask, *, unavailable: IsUnavailable | tuple[type[Exception], ...] = ()) -> None:
        """Choose the store from `app.config["SETTINGS"]`; raises CacheConfigError for settings that cannot work.

        `unavailable` names the exceptions by which loaders say that the origin is slow or down, or is a test for them;
        OSError (with it TimeoutError and ConnectionError) and OriginUnavailableError are understood without.
        """
        settings = app.config["SETTINGS"]
        counters = Counters()
        store = _store(app, settings, counters)
        previous = app.extensions.get(EXTENSION)
        if previous is not None:
            atexit.unregister(previous.close)
            previous.close()
        self._last = app.extensions[EXTENSION] = engine = Engine(store, counters, unavailability(unavailable))
        atexit.register(engine.close)

    def load(self, region: Region, key: str, loader: Callable[[], Any], *, refresh: bool = True) -> Any:
        """Return the cached value or what `loader()` returns, as JSON gives it back; each caller has its own copy.

        None is an answer and is cached. The loader may run in another thread, long after the request has ended (a value
        that is read is loaded anew before its end), so it must not use `request`, `g` or `current_app`; where it has
        to, pass `refresh=False`. What it raises is raised here, is not cached, and is counted.
        """
        engine, begun = self.engine, time.perf_counter()
        try:
            return engine.load(region, _checked(key), loader, refresh=refresh)
        finally:
            cache_read.send(engine, region=region.name, seconds=time.perf_counter() - begun)

    @contextmanager
    def changing(self, *keys: tuple[Region, str]) -> Iterator[Change]:
        """Around a write: the next read of these keys that begins after the block sees the change.

        Nothing that anybody loaded before the block's end is served or stored afterwards. If the block raises, the
        write may still come to pass (a time-out), so the keys are read from the origin for some seconds more.

        What had been read since it was loaded is loaded anew in the background, unless the block tells the value.
        """
        engine, token = self.engine, secrets.token_hex(8)
        for _, key in keys:
            _checked(key)
        settle, change, ticket = SETTLE, Change(), ""
        begun = engine.store.begin_change(keys, token)
        try:
            yield change
            settle = 0.0
        finally:
            ticket = engine.store.end_change(keys, token, settle=settle, begun=begun)
        engine.changed(keys, change.told, ticket)

    def drop(self, region: Region, key: str) -> None:
        """Forget what a key's organisation has in a region, as after a write that was made elsewhere.

        Around a write of our own `changing` is needed: its reply may be lost.
        """
        self.engine.store.end_change([(region, _checked(key))], "", settle=0.0)

    def stats(self) -> dict[str, Any]:
        """Report counts in total and per region, over all processes while Redis answers, else of this process.

        `hits + misses` are all reads; `negativeHits` are those hits that were a missing row, `uncached` those loads
        that could not be stored (a change under way, Redis out); `hitRate` is a percentage.
        """
        engine, redis = self.engine, None
        totals = engine.counters.totals()
        if isinstance(engine.store, RedisStore):
            shared = engine.store.totals()
            redis = {"answers": shared is not None, "failures": engine.store.link.failures}
            totals = totals if shared is None else shared
        return {
            "backend": engine.store.name,
            "redis": redis,
            "size": engine.store.count(),
            **summary(totals, tuple(region.name for region in REGIONS)),
        }

    def guarded_pool(self) -> ConnectionPool | None:
        """Return connections to the same Redis for another user, behind the same circuit breaker; None without."""
        store = self.engine.store
        return GuardedPool.behind(store.link, store.url) if isinstance(store, RedisStore) else None

    def close(self) -> None:
        """Stop the threads, tell what is owed and hand in the last counts, when the process ends."""
        self.engine.close()

    @property
    def engine(self) -> Engine:
        """What does the work for the app at hand."""
        engine = current_app.extensions.get(EXTENSION) if has_app_context() else self._last
        if engine is None:
            raise RuntimeError("cache.init_app(app) has not been called")
        return engine


def _store(app: Flask, settings: Any, counters: Counters) -> Store:
    url = settings.redis_url.get_secret_value() if isinstance(settings.redis_url, SecretStr) else settings.redis_url
    if not url:
        if settings.web_concurrency > 1:
            raise CacheConfigError(
                f"{settings.web_concurrency} worker processes need REDIS_URL: a change made in one would not reach the "
                "in-process caches of the others"
            )
        return MemoryStore(memory_backend(app))
    try:
        return RedisStore(app, url, settings.cache_key_prefix, counters)
    except ValueError:
        raise CacheConfigError("REDIS_URL is not a redis:// or rediss:// URL") from None


def _checked(key: str) -> str:
    if not key:
        raise ValueError("a cache key must name the organisation")
    return key
