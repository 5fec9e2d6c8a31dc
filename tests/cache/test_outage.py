"""Redis down, hung, flushed, restarted: right answers, no exception, one time-out at most, recovery by itself."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cache.apps import make_cache
from tests.cache.origin import Origin, wait_for
from tests.cache.processes import OtherProcess
from tests.cache.redis_server import RedisServer
from voxanne.cache import AGENTS, SERVICES, Cache, link

Start = Callable[[str], OtherProcess]


@pytest.fixture
def on_redis(redis_server: RedisServer, prefix: str) -> Iterator[Cache]:
    cache = make_cache(redis_server.url, prefix=prefix)
    cache.load(SERVICES, "org", lambda: "cached")
    yield cache
    cache.close()


def is_back(cache: Cache) -> bool:
    return not cache.engine.store.link.is_out


def time_outs_paid(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads that have waited for Redis in vain, once for each time."""
    paid: list[threading.Thread] = []
    redis_link = cache.engine.store.link
    fail = redis_link._fail

    def record(error: Exception) -> None:
        paid.append(threading.current_thread())
        fail(error)

    monkeypatch.setattr(redis_link, "_fail", record)
    return paid


def test_a_redis_that_was_never_there(origin: Origin, redis_server: RedisServer) -> None:
    redis_server.kill()
    cache = make_cache(redis_server.url)
    assert cache.load(SERVICES, "org", origin.load) == {"value": 0}
    with cache.changing((SERVICES, "org")):
        origin.write(1)
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
    cache.drop(SERVICES, "org")
    stats = cache.stats()
    assert (stats["redis"]["answers"], stats["misses"], stats["uncached"]) == (False, 2, 2)
    redis_server.start()
    wait_for(lambda: is_back(cache))
    for _ in range(2):
        assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
    assert origin.loads == 3
    cache.close()


def test_a_hung_redis_costs_one_time_out_and_then_nothing(
    on_redis: Cache, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = time_outs_paid(on_redis, monkeypatch)
    redis_server.hang()
    for _ in range(10):  # as in a request that reads and writes a lot
        assert on_redis.load(SERVICES, "org", lambda: "origin") == "origin"
        with on_redis.changing((SERVICES, "org"), (AGENTS, "org")):
            pass
        assert on_redis.load(AGENTS, "org", lambda: None) is None
    assert paid.count(threading.current_thread()) <= 1
    redis_server.resume()
    wait_for(lambda: is_back(on_redis))
    assert on_redis.load(SERVICES, "org", lambda: "again") == "again"
    assert on_redis.load(SERVICES, "org", lambda: "not asked") == "again"


def test_redis_that_hangs_during_a_change(
    on_redis: Cache, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = time_outs_paid(on_redis, monkeypatch)
    with on_redis.changing((SERVICES, "org")):
        redis_server.hang()
    assert paid.count(threading.current_thread()) <= 1
    redis_server.resume()
    wait_for(lambda: is_back(on_redis))
    assert on_redis.load(SERVICES, "org", lambda: "new") == "new"
    assert on_redis.load(SERVICES, "org", lambda: "not asked") == "new"  # the mark is gone as well


def test_no_private_copy_is_served_while_redis_is_out(on_redis: Cache, redis_server: RedisServer) -> None:
    assert on_redis.load(SERVICES, "org", lambda: "origin") == "cached"
    redis_server.kill()
    assert on_redis.load(SERVICES, "org", lambda: "origin") == "origin"


def test_flushed(on_redis: Cache, redis_server: RedisServer) -> None:
    redis_server.client.flushall()
    assert on_redis.load(SERVICES, "org", lambda: "new") == "new"
    assert on_redis.load(SERVICES, "org", lambda: "not asked") == "new"


def test_flush_during_a_change_brings_nothing_old_back(redis_server: RedisServer, start: Start, origin: Origin) -> None:
    reader, cache = start(redis_server.url), start(redis_server.url)
    late = reader.begin("load", hold="late")
    origin.wait_until_held("late")
    redis_server.client.flushall()
    cache.change(value=1)
    redis_server.client.flushall()
    origin.let_go("late")
    assert late.result(60) == {"value": 0}
    assert reader.load() == {"value": 1}
    assert cache.load() == {"value": 1}


@pytest.mark.parametrize("outage", ["hang", "restart"])
def test_a_change_during_an_outage_leaves_no_old_value_behind(
    outage: str, durable_redis: RedisServer, start: Start, origin: Origin
) -> None:
    writer, reader = start(durable_redis.url), start(durable_redis.url)
    assert reader.load() == {"value": 0}
    durable_redis.hang() if outage == "hang" else durable_redis.stop()
    writer.change(value=1)
    assert writer.load() == {"value": 1}
    time.sleep(0.6)
    durable_redis.resume() if outage == "hang" else durable_redis.start()

    def is_cached() -> bool:
        loads = origin.loads
        assert reader.load() == {"value": 1}
        assert writer.load() == {"value": 1}
        return origin.loads == loads

    wait_for(is_cached)


def test_a_process_that_slept_through_a_restart_notices_it(
    durable_redis: RedisServer, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "BEAT_EVERY", 60)
    cache = make_cache(durable_redis.url, prefix=prefix)
    cache.load(SERVICES, "org", lambda: "before")
    time.sleep(0.3)
    durable_redis.stop()
    durable_redis.start()
    stored = durable_redis.client.get(f"{prefix}:v1.1:services:org")
    assert stored, "the server has its values back"
    assert cache.load(SERVICES, "org", lambda: "asked") == "asked"
    wait_for(lambda: cache.load(SERVICES, "org", lambda: "after") == cache.load(SERVICES, "org", lambda: "not asked"))
    assert cache.load(SERVICES, "org", lambda: "not asked") in {"asked", "after"}
    cache.close()


def test_traffic_while_redis_is_killed_hung_flushed_and_restarted(
    durable_redis: RedisServer, start: Start, origin: Origin
) -> None:
    """Two processes read all the time, one changes the value now and then; nobody ever sees the past."""
    one, other = start(durable_redis.url), start(durable_redis.url)
    watching = [process.begin("watch", until="end") for process in (one, other)]
    troubles = {
        1: durable_redis.hang,
        3: durable_redis.resume,
        5: durable_redis.client.flushall,
        7: durable_redis.kill,
        9: durable_redis.start,
    }
    for step in range(1, 15):
        troubles.get(step, lambda: None)()
        time.sleep(0.3)
        one.change(value=step)
        time.sleep(0.25)
    origin.let_go("end")
    for report in [watch.result(60) for watch in watching]:
        assert (report["errors"], report["wrong"]) == ([], [])
        assert report["reads"] > 20
        assert report["paid"] <= 6  # two outages, and a busy machine


def test_many_changes_missed_replace_everything(on_redis: Cache, redis_server: RedisServer) -> None:
    on_redis.load(SERVICES, "untouched", lambda: "before")
    redis_server.kill()
    store = on_redis.engine.store
    for number in range(10_002):
        store.end_change([(AGENTS, f"org-{number}")], "", settle=0)
    assert len(store._missed) <= 10_000
    redis_server.start()
    wait_for(lambda: is_back(on_redis))
    assert on_redis.load(SERVICES, "untouched", lambda: "after") == "after"


def test_fifty_threads_meet_a_hung_redis(
    on_redis: Cache, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = time_outs_paid(on_redis, monkeypatch)
    redis_server.hang()

    def read() -> list[object]:
        return [on_redis.load(SERVICES, "org", lambda: "origin") for _ in range(3)]

    with ThreadPoolExecutor(50) as pool:
        assert [job.result() for job in [pool.submit(read) for _ in range(50)]] == [["origin"] * 3] * 50
    assert paid, "nobody has noticed"
    # None of them, where the keeper was first to find out.
    assert max((paid.count(thread) for thread in paid if thread.name.startswith("ThreadPool")), default=0) <= 1
