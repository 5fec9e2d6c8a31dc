"""The last hour of this process, minute by minute: requests by route with their times, and the cache by region.

Times go into buckets that grow by a tenth each, so a percentile is right within 5 % and costs the same for ten requests
and for a million.
"""

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MINUTES = 60
_GROWTH = math.log(1.1)
_SMALLEST_US = 100.0  # a tenth of a millisecond

Packed = dict[str, Any]
"""A minute as JSON: routes under `routes`, the counts of cache regions under `cache`."""


@dataclass(slots=True)
class Traffic:
    """What happened on one route, or on several together; times are microseconds."""

    requests: int = 0
    errors: int = 0
    client_errors: int = 0
    slow: int = 0
    total_us: int = 0
    max_us: int = 0
    database_requests: int = 0
    database_us: int = 0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Traffic") -> None:
        """Take in what happened elsewhere."""
        self.requests += other.requests
        self.errors += other.errors
        self.client_errors += other.client_errors
        self.slow += other.slow
        self.total_us += other.total_us
        self.max_us = max(self.max_us, other.max_us)
        self.database_requests += other.database_requests
        self.database_us += other.database_us
        self.buckets.update(other.buckets)

    def percentile_ms(self, share: float) -> float | None:
        """Return the time that this share of the requests kept below (0.95: p95), or None without requests."""
        rank, seen = share * self.requests, 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= rank:
                middle = _SMALLEST_US * math.exp((bucket - 0.5) * _GROWTH) if bucket else _SMALLEST_US / 2
                return round(min(middle, self.max_us) / 1000, 2)
        return None

    def pack(self) -> list[Any]:
        """Return it as JSON can hold it."""
        *numbers, buckets = (getattr(self, name) for name in self.__slots__)
        return [*numbers, {str(bucket): count for bucket, count in buckets.items()}]

    @classmethod
    def unpack(cls, packed: list[Any]) -> "Traffic":
        """Undo `pack`."""
        *numbers, buckets = packed
        counted = Counter({int(bucket): count for bucket, count in buckets.items()})
        traffic = cls(*numbers)
        traffic.buckets = counted
        return traffic


@dataclass(slots=True)
class Minute:
    """One minute of one process."""

    routes: dict[str, Traffic] = field(default_factory=dict)
    cache: dict[str, Counter[str]] = field(default_factory=dict)

    def pack(self) -> Packed:
        """Return it as JSON can hold it."""
        return {
            "routes": {name: traffic.pack() for name, traffic in self.routes.items()},
            "cache": {region: dict(counts) for region, counts in self.cache.items()},
        }


class Window:
    """Counts, and forgets what is over an hour old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minutes: dict[int, Minute] = {}
        self._changed: set[int] = set()

    def note_request(
        self, name: str, status: int, seconds: float, *, slow: bool, database_requests: int, database_seconds: float
    ) -> None:
        """Count one answered request; `name` is its method and route template."""
        micros = round(seconds * 1e6)
        with self._lock:
            routes = self._minute().routes
            traffic = routes.get(name) or routes.setdefault(name, Traffic())
            traffic.requests += 1
            traffic.errors += status >= 500  # noqa: PLR2004
            traffic.client_errors += 400 <= status < 500  # noqa: PLR2004
            traffic.slow += slow
            traffic.total_us += micros
            traffic.max_us = max(traffic.max_us, micros)
            traffic.database_requests += database_requests
            traffic.database_us += round(database_seconds * 1e6)
            traffic.buckets[_bucket(micros)] += 1

    def note_cache(self, region: str, event: str, seconds: float | None) -> None:
        """Count one event of a cache region, and with a load its time."""
        with self._lock:
            regions = self._minute().cache
            counts = regions.get(region)
            if counts is None:
                counts = regions[region] = Counter()
            counts[event] += 1
            if seconds is not None:
                counts["loadMicros"] += round(seconds * 1e6)

    def minutes(self) -> dict[int, Packed]:
        """Return every minute of the window, by its number since 1970."""
        with self._lock:
            return {number: minute.pack() for number, minute in self._minutes.items() if number > _oldest()}

    def take_changed(self) -> dict[int, Packed]:
        """Return the minutes in which something happened since the last call."""
        with self._lock:
            changed, self._changed = self._changed, set()
            return {number: self._minutes[number].pack() for number in changed if number in self._minutes}

    def put_back(self, numbers: dict[int, Packed]) -> None:
        """Return those minutes with the next `take_changed` again."""
        with self._lock:
            self._changed.update(numbers)

    def _minute(self) -> Minute:
        number = current_minute()
        self._changed.add(number)
        minute = self._minutes.get(number)
        if minute is None:
            minute = self._minutes[number] = Minute()
            for old in [known for known in self._minutes if known <= _oldest()]:
                del self._minutes[old]
                self._changed.discard(old)
        return minute


def current_minute() -> int:
    """Return the number of this minute since 1970."""
    return int(time.time() // 60)


def _oldest() -> int:
    return current_minute() - MINUTES


def _bucket(micros: int) -> int:
    return math.ceil(math.log(micros / _SMALLEST_US) / _GROWTH) if micros > _SMALLEST_US else 0
