"""Near the end of its life a value is fetched anew in the background, so that nobody waits for expiry."""

import threading
import time
from collections.abc import Callable

import pytest
from time_machine import Traveller

from tests.cache.origin import Origin, wait_for
from tests.cache.processes import OtherProcess
from voxanne.cache import SERVICES, Cache, Region, engine

REGION = Region("services", life=1000, missing_life=500, stale_for=5000)
DUE = 860
"""From 850 seconds on a value of 1000 is sure to be fetched anew in the background, and before 900 it does not end."""
Start = Callable[[str], OtherProcess]


def test_under_steady_reading_nobody_pays_for_expiry(cache: Cache, origin: Origin, clock: Traveller) -> None:
    threads = set()

    def load() -> dict[str, int]:
        threads.add(threading.current_thread().name)
        return origin.load(seconds=0.1)

    cache.load(REGION, "org", load)
    threads.clear()
    for _ in range(100):
        clock.shift(30)
        assert cache.load(REGION, "org", load) == {"value": 0}
        wait_for(lambda: not cache.engine._refreshes)
    assert cache.stats()["misses"] == 1
    assert cache.stats()["loads"] == origin.loads
    assert 4 <= origin.loads <= 5
    assert all(name.startswith("cache-refresh") for name in threads)


def test_the_reader_that_starts_a_refresh_does_not_wait_for_it(cache: Cache, origin: Origin, clock: Traveller) -> None:
    cache.load(REGION, "org", origin.load)
    clock.shift(DUE)
    try:
        assert cache.load(REGION, "org", lambda: origin.load(hold="refresh")) == {"value": 0}
        origin.wait_until_held("refresh")
    finally:
        origin.let_go("refresh")


def test_one_refresh_for_any_number_of_readers(cache: Cache, origin: Origin, clock: Traveller) -> None:
    cache.load(REGION, "org", origin.load)
    clock.shift(DUE)
    for _ in range(20):
        cache.load(REGION, "org", lambda: origin.load(seconds=0.2))
    wait_for(lambda: origin.loads == 2)
    time.sleep(0.3)
    assert origin.loads == 2


def test_without_refresh_the_loader_stays_in_the_callers_thread(cache: Cache, clock: Traveller) -> None:
    threads = []

    def load() -> int:
        threads.append(threading.current_thread())
        return 1

    for _ in range(25):
        cache.load(REGION, "org", load, refresh=False)
        clock.shift(50)
    assert len(threads) == 2
    assert set(threads) == {threading.current_thread()}


def test_a_refresh_under_way_does_not_bring_back_what_a_change_ended(
    cache: Cache, origin: Origin, clock: Traveller
) -> None:
    cache.load(REGION, "org", origin.load)
    clock.shift(DUE)
    cache.load(REGION, "org", lambda: origin.load(hold="refresh"))
    origin.wait_until_held("refresh")
    with cache.changing((REGION, "org")):
        origin.write(1)
    assert cache.load(REGION, "org", origin.load) == {"value": 1}
    origin.let_go("refresh")
    time.sleep(0.1)
    assert cache.load(REGION, "org", origin.load) == {"value": 1}


def test_a_refresh_that_fails_troubles_nobody_and_is_not_repeated_at_once(
    cache: Cache, clock: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RETRY_PAUSE", 3600.0)
    calls = []

    def fail() -> None:
        calls.append(1)
        raise ValueError

    cache.load(REGION, "org", lambda: "value")
    clock.shift(DUE)
    for _ in range(10):
        assert cache.load(REGION, "org", fail) == "value"
        wait_for(lambda: not cache.engine._refreshes)
    assert len(calls) == 1


def test_lives_differ_so_that_values_do_not_expire_together(cache: Cache) -> None:
    for org in range(20):
        cache.load(SERVICES, str(org), lambda: 1)
    ends = {cache.engine.store.read(SERVICES, str(org)).entry[2] - time.time() for org in range(20)}
    assert all(3200 < end <= 3600 for end in ends)
    assert max(ends) - min(ends) > 60
