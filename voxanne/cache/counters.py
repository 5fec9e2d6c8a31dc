"""Counts per region, in this process and in batches for the sum over all processes."""

import secrets
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

FIELDS = ("hits", "negativeHits", "misses", "uncached", "loads", "loadMicros", "staleServed", "errors")


class Batch(NamedTuple):
    """Counts on their way to Redis; the id lets it be sent twice and count once."""

    id: str
    counts: dict[str, int]


class Counters:
    """Numbers by `<region>|<field>`; every read is either a hit or a miss."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._totals: Counter[str] = Counter()
        self._sent: Counter[str] = Counter()
        self._batch: Batch | None = None

    def add(self, region: str, field: str, number: int = 1) -> None:
        """Count."""
        name = f"{region}|{field}"
        with self._lock:
            self._totals[name] += number

    def totals(self) -> dict[str, int]:
        """Return what this process has counted."""
        with self._lock:
            return dict(self._totals)

    def batch(self) -> Batch | None:
        """Return what Redis has not been told yet; the same batch again until `sent` is called."""
        with self._lock:
            if self._batch is None and self._totals != self._sent:
                self._batch = Batch(secrets.token_hex(8), dict(self._totals - self._sent))
            return self._batch

    def sent(self, batch: Batch) -> None:
        """Redis has this batch."""
        with self._lock:
            if batch is self._batch:
                self._sent.update(batch.counts)
                self._batch = None


def summary(totals: Mapping[str, int], regions: tuple[str, ...]) -> dict[str, Any]:
    """Put the numbers of each region and of all together in the words of the API."""
    per_region = {region: {field: totals.get(f"{region}|{field}", 0) for field in FIELDS} for region in regions}
    overall = {field: sum(counts[field] for counts in per_region.values()) for field in FIELDS}
    return {**_readable(overall), "regions": {region: _readable(counts) for region, counts in per_region.items()}}


def _readable(counts: Mapping[str, int]) -> dict[str, Any]:
    reads = counts["hits"] + counts["misses"]
    readable: dict[str, Any] = {field: counts[field] for field in FIELDS if field != "loadMicros"}
    readable["loadMs"] = round(counts["loadMicros"] / 1000, 2)
    readable["hitRate"] = round(100 * counts["hits"] / reads, 2) if reads else 0
    return readable
