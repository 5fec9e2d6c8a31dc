"""Flask-Caching's two backends, made to keep JSON instead of pickles and to make room sanely."""

from collections import OrderedDict
from time import time
from typing import Any, cast

import orjson
from cachelib.serializers import BaseSerializer
from flask import Flask
from flask_caching import Cache as FlaskCaching
from flask_caching.backends.rediscache import RedisCache
from flask_caching.backends.simplecache import SimpleCache
from redis import Redis

MEMORY_ENTRIES = 10_000


class JsonSerializer(BaseSerializer):
    """Turns entries into JSON bytes and back; bytes that are none of ours read as nothing."""

    def dumps(self, value: Any, protocol: int = 0) -> bytes:  # noqa: ARG002 - the signature is cachelib's
        """Return JSON bytes; raises TypeError for what JSON cannot hold."""
        return orjson.dumps(value)

    def loads(self, bvalue: bytes | None) -> Any:
        """Return the value, fresh for each caller."""
        try:
            return None if bvalue is None else orjson.loads(bvalue)
        except orjson.JSONDecodeError:
            return None


class MemoryCache(SimpleCache):
    """SimpleCache in which the least recently read entry makes room (the original sorts all entries on every set)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._cache: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, key: str) -> Any:
        """Return the value if it has not expired, else None."""
        with self._lock:
            held = self._cache.get(key)
            if held is None:
                return None
            self._cache.move_to_end(key)
        expires, packed = held
        return self.serializer.loads(packed) if expires == 0 or expires > time() else None

    def count(self) -> int:
        """Return how many entries have not expired."""
        with self._lock:
            now = time()
            return sum(1 for expires, _ in self._cache.values() if expires == 0 or expires > now)

    def _prune(self) -> None:
        while len(self._cache) >= self._threshold:
            self._cache.popitem(last=False)


class JsonRedis(RedisCache):
    """RedisCache on a client that the caller made."""

    @classmethod
    def factory(cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> "JsonRedis":  # noqa: ARG003
        """Serve Flask-Caching, which calls this."""
        return cls(config["CACHE_REDIS_CLIENT"], *args, **kwargs)


def memory_backend(app: Flask, entries: int = MEMORY_ENTRIES) -> MemoryCache:
    """Make the in-process backend, holding at most that many entries."""
    options = {"CACHE_TYPE": f"{__name__}.MemoryCache", "CACHE_THRESHOLD": entries}
    return cast("MemoryCache", _backend(app, options))


def redis_backend(app: Flask, client: "Redis") -> JsonRedis:
    """Make the Redis backend on that client."""
    return cast("JsonRedis", _backend(app, {"CACHE_TYPE": f"{__name__}.JsonRedis", "CACHE_REDIS_CLIENT": client}))


def _backend(app: Flask, options: dict[str, Any]) -> object:
    base = FlaskCaching(with_jinja2_ext=False)
    base.init_app(app, {"CACHE_SERIALIZER": JsonSerializer, "CACHE_OPTIONS": None, "CACHE_ARGS": [], **options})
    return app.extensions["cache"][base]
