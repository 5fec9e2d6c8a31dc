"""Fifty at once cost the origin one request."""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from tests.cache.apps import make_cache
from tests.cache.origin import Origin, wait_for
from tests.cache.processes import OtherProcess
from voxanne import deadline
from voxanne.cache import SERVICES, Cache, OriginUnavailableError, engine

Start = Callable[..., OtherProcess]


def at_once(threads: int, read: Callable[[], object]) -> list[object]:
    """What each of the threads got: a value or an exception."""
    ready = threading.Barrier(threads)

    def begin() -> object:
        ready.wait()
        try:
            return read()
        except Exception as error:  # noqa: BLE001
            return error

    with ThreadPoolExecutor(threads) as pool:
        return [job.result() for job in [pool.submit(begin) for _ in range(threads)]]


def test_fifty_misses_at_once_are_one_load(cache: Cache, origin: Origin) -> None:
    seen = at_once(50, lambda: cache.load(SERVICES, "org", lambda: origin.load(seconds=0.3)))
    assert seen == [{"value": 0}] * 50
    assert origin.loads == 1
    assert len({id(value) for value in seen}) == 50  # nobody can spoil another's copy


def test_fifty_misses_in_each_of_two_processes_are_one_load(shared_redis: str, start: Start, origin: Origin) -> None:
    one, other = start(shared_redis, patient=True), start(shared_redis, patient=True)
    bursts = [process.begin("burst", threads=50, seconds=0.5) for process in (one, other)]
    assert [burst.result(60) for burst in bursts] == [[{"value": 0}] * 50] * 2
    assert origin.loads == 1


def test_different_keys_do_not_wait_for_each_other(cache: Cache, origin: Origin) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(cache.load, SERVICES, "slow", lambda: origin.load(hold="slow"))
        origin.wait_until_held("slow")
        try:
            assert cache.load(SERVICES, "quick", origin.load) == {"value": 0}
        finally:
            origin.let_go("slow")
        assert slow.result() == {"value": 0}


def test_a_loader_that_raises_releases_the_others_and_is_not_cached(cache: Cache) -> None:
    calls = []

    def fail_once() -> str:
        calls.append(1)
        time.sleep(0.2)
        if len(calls) == 1:
            raise KeyError
        return "value"

    seen = at_once(20, lambda: cache.load(SERVICES, "org", fail_once))
    assert sum(isinstance(value, KeyError) for value in seen) == 1  # the error was the first one's own
    assert seen.count("value") == 19
    assert len(calls) == 2


def test_an_origin_that_is_down_is_asked_once_for_all(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.drop(SERVICES, "org")
    calls, joined = [], []
    flights = cache.engine._flights
    join = flights._join

    def counted(name: Hashable) -> object:
        found = join(name)
        joined.append(name)
        return found

    def fail() -> None:
        calls.append(1)
        wait_for(lambda: len(joined) == 20)
        raise OriginUnavailableError

    monkeypatch.setattr(flights, "_join", counted)

    seen = at_once(20, lambda: cache.load(SERVICES, "org", fail))
    assert all(isinstance(value, OriginUnavailableError) for value in seen)
    assert len(calls) == 1
    assert cache.load(SERVICES, "org", lambda: "value") == "value"


def test_who_has_less_time_than_others_fails_alone_and_waits_for_nobody(cache: Cache, origin: Origin) -> None:
    def give_up() -> None:
        origin.load(hold="slow")
        raise OriginUnavailableError

    def in_a_hurry() -> object:
        with deadline.within(0.05):
            return cache.load(SERVICES, "org", give_up)

    with ThreadPoolExecutor(2) as pool:
        hurried = pool.submit(in_a_hurry)
        origin.wait_until_held("slow")
        patient = pool.submit(cache.load, SERVICES, "org", origin.load)
        wait_for(lambda: cache.stats()["misses"] == 2)
        try:
            with deadline.within(0.05):
                assert cache.load(SERVICES, "org", lambda: "its own") == "its own"
        finally:
            origin.let_go("slow")
        assert isinstance(hurried.exception(), OriginUnavailableError)
        assert patient.result() == "its own", "and asks for itself"


def test_waiting_is_bounded(monkeypatch: pytest.MonkeyPatch, origin: Origin) -> None:
    monkeypatch.setattr(engine, "FLIGHT_WAIT", 0.2)
    cache = make_cache()
    with ThreadPoolExecutor(1) as pool:
        hung = pool.submit(cache.load, SERVICES, "org", lambda: origin.load(hold="hung"))
        origin.wait_until_held("hung")
        begun = time.monotonic()
        try:
            assert cache.load(SERVICES, "org", origin.load) == {"value": 0}
            assert time.monotonic() - begun > 0.15
        finally:
            origin.let_go("hung")
        assert hung.result() == {"value": 0}


def test_a_dead_lock_holder_keeps_nobody_for_long(shared_redis: str, start: Start, origin: Origin, prefix: str) -> None:
    holder, other = start(shared_redis), start(shared_redis)
    holder.begin("load", hold="dying")
    origin.wait_until_held("dying")
    holder.kill()
    client = redis.Redis.from_url(shared_redis)
    assert client.pttl(f"{prefix}:turn1.1:services:org") in {-2, *range(2001)}
    for lease in client.zrange(f"{prefix}:leases", 0, -1):  # what that keeps others from is another matter
        if f":{holder.pid}:".encode() in lease:
            client.zrem(f"{prefix}:leases", lease)
    assert other.load() == {"value": 0}

    def is_cached() -> bool:
        loads = origin.loads
        assert other.load() == {"value": 0}
        return origin.loads == loads

    wait_for(is_cached)
    assert origin.loads <= 10
