"""Numbers that add up, over all processes."""

import time
from collections.abc import Callable

import pytest
import redis

from tests.cache.apps import make_cache
from tests.cache.origin import Origin, wait_for
from tests.cache.processes import OtherProcess
from tests.cache.redis_server import RedisServer
from voxanne.cache import AGENTS, ROLE, SERVICES, Cache, cache_event

Start = Callable[..., OtherProcess]


def test_known_traffic(cache: Cache) -> None:
    for _ in range(4):
        cache.load(SERVICES, "a", lambda: time.sleep(0.02) or 1)
        cache.load(SERVICES, "b", lambda: 1)
        cache.load(ROLE, "a:user", lambda: None)
    stats = cache.stats()
    assert (stats["hits"], stats["misses"], stats["hitRate"]) == (9, 3, 75.0)
    assert (stats["loads"], stats["errors"], stats["size"]) == (3, 0, 3)
    services = stats["regions"]["services"]
    assert (services["hits"], services["misses"], services["loads"]) == (6, 2, 2)
    assert 20 <= services["loadMs"] < 10_000
    assert stats["regions"]["agents"]["hitRate"] == 0
    assert stats["backend"] == cache.engine.store.name
    cache.drop(SERVICES, "a")
    assert cache.stats()["size"] == 2


def test_errors_and_uncached_loads_are_counted(cache: Cache) -> None:
    for _ in range(2):
        try:
            cache.load(AGENTS, "org", lambda: 1 / 0)
        except ZeroDivisionError:
            continue
    with cache.changing((AGENTS, "org")):
        cache.load(AGENTS, "org", lambda: 1)
    counts = cache.stats()["regions"]["agents"]
    assert (counts["errors"], counts["loads"], counts["uncached"], counts["misses"]) == (2, 3, 1, 3)


def test_others_can_listen(cache: Cache) -> None:
    heard = []

    def listen(sender: object, *, region: str, event: str, seconds: float | None) -> None:
        heard.append((region, event, seconds is not None))

    with cache_event.connected_to(listen, sender=cache.engine):
        cache.load(SERVICES, "org", lambda: 1)
        cache.load(SERVICES, "org", lambda: 1)
    assert heard == [("services", "misses", False), ("services", "loads", True), ("services", "hits", False)]


def test_two_processes_add_up(shared_redis: str, start: Start, origin: Origin, prefix: str) -> None:
    one, other = start(shared_redis, patient=True), start(shared_redis, patient=True)
    for process in (one, other):
        process.burst(threads=20, seconds=0.0)
        for _ in range(15):
            process.load(key="mine")
    wait_for(lambda: one.stats()["hits"] + one.stats()["misses"] == 70)
    stats = [process.stats() for process in (one, other)]
    assert stats[0] == stats[1]
    assert stats[0]["loads"] == origin.loads == 2
    assert stats[0]["size"] == 2
    one.close()
    other.close()
    observer = make_cache(shared_redis, prefix=prefix)
    assert observer.stats()["hits"] == stats[0]["hits"]
    observer.close()


def test_counts_survive_an_outage_and_are_counted_once(redis_server: RedisServer) -> None:
    cache = make_cache(redis_server.url)
    cache.load(SERVICES, "org", lambda: 1)
    redis_server.hang()
    for _ in range(10):
        assert cache.load(SERVICES, "org", lambda: 1) == 1
    stats = cache.stats()
    assert stats["redis"]["answers"] is False
    assert (stats["hits"], stats["misses"]) == (0, 11)
    redis_server.resume()
    wait_for(lambda: not cache.engine.store.link.is_out)
    stats = cache.stats()
    assert stats["redis"]["answers"] is True
    assert (stats["hits"], stats["misses"], stats["loads"]) == (0, 11, 11)
    cache.close()


def test_size_forgets_what_has_expired(shared_redis: str, prefix: str) -> None:
    cache = make_cache(shared_redis, prefix=prefix)
    cache.load(SERVICES, "org", lambda: 1)
    redis.Redis.from_url(shared_redis).zadd(f"{prefix}:live", {"long gone": 1})
    wait_for(lambda: cache.stats()["size"] == 1)
    cache.close()


def test_a_batch_whose_receipt_was_lost_is_sent_again_and_counts_once(
    shared_redis: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = make_cache(shared_redis, prefix=prefix)
    monkeypatch.setattr(cache.engine.counters, "sent", lambda batch: None)
    cache.load(SERVICES, "org", lambda: 1)
    for _ in range(3):
        assert cache.stats()["misses"] == 1
    cache.close()
