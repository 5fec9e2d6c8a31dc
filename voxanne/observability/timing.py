"""Where the time of one request goes; the parts overlap, as a role that is checked may be read from the database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import g

from voxanne.cache.signals import cache_read


@dataclass(slots=True)
class Timing:
    """Seconds and counts of one request so far."""

    started: float = field(default_factory=time.perf_counter)
    cache_seconds: float = 0.0
    cache_hits: int = 0
    cache_misses: int = 0
    load_seconds: float = 0.0
    auth_seconds: float = 0.0
    auth_checks: int = 0

    @property
    def total_seconds(self) -> float:
        """From its arrival until now."""
        return time.perf_counter() - self.started

    @property
    def cache_only_seconds(self) -> float:
        """In the cache itself, without what it loaded from elsewhere meanwhile."""
        return max(0.0, self.cache_seconds - self.load_seconds)

    def note_cache(self, event: str, seconds: float | None) -> None:
        """Count one event of the cache."""
        if event == "hits":
            self.cache_hits += 1
        elif event == "misses":
            self.cache_misses += 1
        elif event == "loads":
            self.load_seconds += seconds or 0.0


def current() -> Timing | None:
    """Return the timing of the request at hand, or None where there is none."""
    return g.get("timing") if g else None


@contextmanager
def checking_caller() -> Iterator[None]:
    """Count the block as time spent on who is calling and what they may do."""
    timing, begun = current(), time.perf_counter()
    try:
        yield
    finally:
        if timing is not None:
            timing.auth_seconds += time.perf_counter() - begun
            timing.auth_checks += 1


@cache_read.connect
def _on_cache_read(_sender: object, seconds: float, **_: Any) -> None:
    timing = current()
    if timing is not None:
        timing.cache_seconds += seconds
