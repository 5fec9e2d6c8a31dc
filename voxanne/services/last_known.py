"""What the page for operators remembers of the database: samples of the last hour, and the last good numbers.

On Redis, so that all processes show the same; while it is away, or where there is none, each process remembers its own.
"""

import time
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import orjson
from flask import Flask, current_app
from redis import ConnectionPool, Redis
from redis.exceptions import RedisError

from voxanne.cache import cache
from voxanne.observability.window import MINUTES, current_minute

EXTENSION = "voxanne.last_known"
_LIFE_SECONDS = 24 * 3600


class Sample(NamedTuple):
    """The database in one minute: its size in bytes, and how many connections are used."""

    size_bytes: int
    connections: int


class Numbers(NamedTuple):
    """A report and when it was made, in seconds since 1970."""

    report: dict[str, Any]
    at: float


class LastKnown:
    """Keeps both in this process and on Redis; what Redis says counts."""

    def __init__(self, pool: ConnectionPool | None, prefix: str) -> None:
        self._redis = Redis(connection_pool=pool) if pool else None
        self._prefix = f"{prefix}:last-known"
        self._samples: dict[int, Sample] = {}
        self._numbers: dict[str, Numbers] = {}

    def note_sample(self, sample: Sample) -> None:
        """Note the database of this minute."""
        minute = current_minute()
        self._samples = {known: old for known, old in self._samples.items() if known > minute - MINUTES}
        self._samples[minute] = sample
        if self._redis is not None:
            try:
                key = f"{self._prefix}:samples:{minute}"
                self._redis.set(key, orjson.dumps([*sample]), ex=(MINUTES + 2) * 60)
            except (RedisError, OSError):
                return

    def samples(self) -> dict[int, Sample]:
        """Return the samples of the last hour by the number of the minute; not every minute has one."""
        last = current_minute()
        numbers = range(last - MINUTES + 1, last + 1)
        found = {number: self._samples[number] for number in numbers if number in self._samples}
        if self._redis is not None:
            try:
                kept = cast(list[bytes | None], self._redis.mget([f"{self._prefix}:samples:{n}" for n in numbers]))
            except (RedisError, OSError):
                return found
            found.update((number, Sample(*orjson.loads(one))) for number, one in zip(numbers, kept, strict=True) if one)
        return found

    def keep(self, name: str, report: Mapping[str, Any]) -> None:
        """Remember a report as the last good one of its name."""
        numbers = self._numbers[name] = Numbers(dict(report), time.time())
        if self._redis is not None:
            try:
                self._redis.set(f"{self._prefix}:{name}", orjson.dumps([*numbers]), ex=_LIFE_SECONDS)
            except (RedisError, OSError):
                return

    def last(self, name: str) -> Numbers | None:
        """Return the last good report of that name."""
        own = self._numbers.get(name)
        if self._redis is None:
            return own
        try:
            kept = cast(bytes | None, self._redis.get(f"{self._prefix}:{name}"))
        except (RedisError, OSError):
            return own
        shared = Numbers(*orjson.loads(kept)) if kept else None
        return max((numbers for numbers in (own, shared) if numbers), key=lambda numbers: numbers.at, default=None)


def init_app(app: Flask) -> None:
    """Prepare the memory; needs the cache, whose connections it shares."""
    with app.app_context():
        pool = cache.guarded_pool()
    app.extensions[EXTENSION] = LastKnown(pool, app.config["SETTINGS"].cache_key_prefix)


def last_known() -> LastKnown:
    """Return what the application at hand remembers."""
    return cast(LastKnown, current_app.extensions[EXTENSION])
