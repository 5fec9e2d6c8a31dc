"""Reading through a store: hit, refresh beforehand, single flight, and stale values while the origin fails."""

import contextlib
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeGuard

import orjson

from voxanne import deadline
from voxanne.cache.counters import Counters
from voxanne.cache.errors import IsUnavailable, OriginUnavailableError
from voxanne.cache.flights import Flights
from voxanne.cache.regions import Region
from voxanne.cache.signals import cache_event
from voxanne.cache.store import Claim, Entry, Reading, Store, Turn
from voxanne.cache.upkeep import Upkeep, Wish

Loader = Callable[[], Any]
logger = logging.getLogger("voxanne.cache")

FLIGHT_WAIT = 6.0
LOCK_WAIT = 2.5
PATIENCE = 0.5
RETRY_PAUSE = 1.0
REFRESHERS = 4
MAX_PAUSES = 10_000


class _SlowOriginError(OriginUnavailableError):
    """The origin takes longer than a caller with a stale value at hand should wait."""


class Engine:
    """One app's cache: a store, its counters, the flights under way and a few threads that refresh early."""

    def __init__(self, store: Store, counters: Counters, is_unavailable: IsUnavailable) -> None:
        self.store = store
        self.counters = counters
        self.patience = PATIENCE
        self._is_unavailable = is_unavailable
        self._flights = Flights(FLIGHT_WAIT, is_unavailable)
        self._pool = ThreadPoolExecutor(REFRESHERS, thread_name_prefix="cache-refresh")
        self.upkeep = Upkeep(self._grant)
        self._lock = threading.Lock()
        self._refreshes: dict[tuple[str, str], Future[bytes | None]] = {}
        self._pauses: dict[tuple[str, str], float] = {}

    def load(self, region: Region, key: str, loader: Loader, *, refresh: bool) -> Any:
        """Return the value, from wherever it is to be had."""
        reading = self.store.read(region, key)
        if reading.entry is None:
            return self._miss(region, key, loader, reading.ticket)
        _, refresh_at, expires_at, value = reading.entry
        now = time.time()
        if now >= expires_at:
            return self._expired(region, key, loader, reading, refresh=refresh)
        self._note(region, "hits")
        if value is None:
            self._note(region, "negativeHits")
        if refresh:
            wish = Wish(region, key, region.group_of(key, value), refresh_at, loader)
            if now < refresh_at:
                self.upkeep.note(wish)
            else:
                self._grant(wish)
        return value

    def changed(self, keys: Sequence[tuple[Region, str]], told: Sequence[tuple[Region, str, Any]], ticket: str) -> None:
        """Make up for a change: store what it told, under its ticket, and load in the background what else is read.

        Without a ticket nothing that was told is stored: another change may have come after it.
        """
        for region, key, value in told if ticket else ():
            self._put(region, key, Claim(Turn.MINE, ticket), _packed(value))
        self.upkeep.changed(keys)

    def wait_for_refreshes(self) -> None:
        """Wait until nothing is being refreshed in the background."""
        while refreshes := list(self._refreshes.values()):
            wait(refreshes)

    def close(self) -> None:
        """Stop the threads; refreshes not yet begun are dropped."""
        self.upkeep.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.store.close()

    def _miss(self, region: Region, key: str, loader: Loader, ticket: str | None) -> Any:
        self._note(region, "misses")
        return orjson.loads(self._fly(region, key, loader, ticket))

    def _expired(self, region: Region, key: str, loader: Loader, reading: Reading, *, refresh: bool) -> Any:
        self._note(region, "misses")
        failure: Exception | None = None
        if not self._is_paused(region, key):
            try:
                return orjson.loads(self._renew(region, key, loader, reading.ticket, refresh=refresh))
            except Exception as error:
                if not self._is_unavailable(error):
                    raise
                failure = error
                self._pause(region, key)
                reading = self.store.read(region, key)  # a change meanwhile ends what was at hand
        if reading.entry is not None and time.time() < reading.entry[2] + region.stale_of(reading.entry[3]):
            self._note(region, "staleServed")
            logger.warning("stale value served", extra={"region": region.name, "error": type(failure).__name__})
            return reading.entry[3]
        if failure is None or isinstance(failure, _SlowOriginError):
            return orjson.loads(self._fly(region, key, loader, reading.ticket))
        raise failure

    def _renew(self, region: Region, key: str, loader: Loader, ticket: str | None, *, refresh: bool) -> bytes:
        if not refresh:
            return self._fly(region, key, loader, ticket)
        future, first = self._refresh(region, key, lambda: self._fly(region, key, loader, ticket))
        wait([future], deadline.left(self.patience))
        if not future.done():
            raise _SlowOriginError
        packed = None
        try:
            packed = future.result()
        except Exception as error:
            # Who came later does not share what was the first one's own, as that their token has expired.
            if first or self._is_unavailable(error):
                raise
        return packed or self._fly(region, key, loader, ticket)

    def _grant(self, wish: Wish) -> None:
        region, key = wish.region, wish.key
        if not self._is_paused(region, key):
            with contextlib.suppress(RuntimeError):  # the program is ending, there will be no later
                self._refresh(region, key, lambda: self._bring_up_to_date(region, key, wish.loader))

    def _bring_up_to_date(self, region: Region, key: str, loader: Loader) -> bytes | None:
        reading = self.store.read(region, key)
        if reading.ticket is None or _is_fresh(reading.entry):
            return None
        return self._fly(region, key, loader, reading.ticket)

    def _refresh(
        self, region: Region, key: str, load: Callable[[], bytes | None]
    ) -> tuple["Future[bytes | None]", bool]:
        """Begin to load in the background unless somebody has; return what comes of it, and whether it was begun."""
        name = (region.name, key)
        with self._lock:
            future = self._refreshes.get(name)
            if future is not None:
                return future, False
            future = self._pool.submit(load)
            self._refreshes[name] = future
        future.add_done_callback(lambda done: self._refreshed(region, key, done))
        return future, True

    def _refreshed(self, region: Region, key: str, done: "Future[bytes | None]") -> None:
        # The pause first: whoever sees that nothing is under way must not begin anew at once.
        if not done.cancelled() and done.exception() is not None:
            self._pause(region, key)
            logger.warning("refresh failed", extra={"region": region.name, "error": type(done.exception()).__name__})
        with self._lock:
            self._refreshes.pop((region.name, key), None)

    def _fly(self, region: Region, key: str, loader: Loader, ticket: str | None) -> bytes:
        if ticket is None:
            # without tickets nobody can tell whether a load under way began before the last change
            self._note(region, "uncached")
            return self._call(region, loader)
        return self._flights.run((region.name, key, ticket), lambda: self._fetch(region, key, loader))

    def _fetch(self, region: Region, key: str, loader: Loader) -> bytes:
        claim = self._claim(region, key)
        if _is_fresh(claim.entry):
            self.store.release(region, key, claim)
            return orjson.dumps(claim.entry[3])
        if claim.turn in {Turn.BUSY, Turn.OUT}:
            self._note(region, "uncached")
        try:
            packed = self._call(region, loader)
        except BaseException:
            self.store.release(region, key, claim)
            raise
        self._pauses.pop((region.name, key), None)
        self._put(region, key, claim, packed)
        return packed

    def _claim(self, region: Region, key: str) -> Claim:
        until, pause = time.monotonic() + deadline.left(LOCK_WAIT), 0.005
        while True:
            claim = self.store.claim(region, key)
            if claim.turn is not Turn.OTHERS or _is_fresh(claim.entry) or time.monotonic() > until:
                return claim
            time.sleep(pause)
            pause = min(pause * 1.5, 0.05)

    def _call(self, region: Region, loader: Loader) -> bytes:
        begun = time.perf_counter()
        try:
            return _packed(loader())
        except BaseException:
            self._note(region, "errors")
            raise
        finally:
            seconds = time.perf_counter() - begun
            self._note(region, "loads", seconds=seconds)
            self.counters.add(region.name, "loadMicros", round(seconds * 1e6))

    def _put(self, region: Region, key: str, claim: Claim, packed: bytes) -> None:
        value = None if packed == b"null" else packed
        life = region.life_of(value) * random.uniform(0.9, 1.0)  # noqa: S311 - jitter
        now = time.time()
        refresh_at = now + life * random.uniform(0.85, 0.95)  # noqa: S311 - jitter
        content = orjson.loads(packed) if region.owner else orjson.Fragment(packed)
        entry = [claim.ticket, refresh_at, now + life, content]
        self.store.put(region, key, claim, entry, life + region.stale_of(value))

    def _is_paused(self, region: Region, key: str) -> bool:
        return time.monotonic() < self._pauses.get((region.name, key), 0.0)

    def _pause(self, region: Region, key: str) -> None:
        if len(self._pauses) >= MAX_PAUSES:
            self._pauses.clear()
        self._pauses[region.name, key] = time.monotonic() + RETRY_PAUSE

    def _note(self, region: Region, event: str, seconds: float | None = None) -> None:
        self.counters.add(region.name, event)
        if cache_event.receivers:
            cache_event.send(self, region=region.name, event=event, seconds=seconds)


def _packed(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # Postgres' JSON holds whole numbers beyond 64 bits, which orjson reads but does not write.
        return json.dumps(value, allow_nan=False).encode()


def _is_fresh(entry: Entry | None) -> TypeGuard[Entry]:
    return entry is not None and time.time() < entry[1]
