"""One process cannot reach Redis and the others can: nobody serves what it has changed."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from tests.cache.apps import make_cache
from tests.cache.origin import Origin, wait_for
from tests.cache.processes import OtherProcess
from tests.cache.proxy import Proxy
from tests.cache.redis_server import PATIENCE, RedisServer
from voxanne.cache import SERVICES, Cache, lease

Start = Callable[[str], OtherProcess]


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[Proxy]:
    proxy = Proxy(redis_server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def long_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer's lease does not end while the test runs."""
    monkeypatch.setattr(lease, "LEASE_MS", 600_000)


@pytest.fixture
def writer(proxy: Proxy, redis_server: RedisServer, prefix: str, origin: Origin) -> Iterator[Cache]:
    """In this process, with its lease."""
    cache = make_cache(proxy.url, prefix=prefix)
    cache.load(SERVICES, "org", origin.load)
    wait_for(lambda: cache.engine.store.lease.name in leases(redis_server, prefix))
    yield cache
    cache.close()


@pytest.fixture
def reader(redis_server: RedisServer, start: Start, writer: Cache) -> OtherProcess:
    """In a process of its own that reaches Redis, and has the first value from the cache."""
    reader = start(redis_server.url)
    assert reader.load() == {"value": 0}
    return reader


def change(writer: Cache, origin: Origin, value: int) -> None:
    with writer.changing((SERVICES, "org")):
        origin.write(value)


def is_cached(reader: OtherProcess, origin: Origin) -> bool:
    reader.load()
    before = origin.loads
    reader.load()
    return origin.loads == before


def leases(redis_server: RedisServer, prefix: str) -> list[str]:
    return [name.decode() for name in redis_server.client.zrange(f"{prefix}:leases", 0, -1)]


@pytest.mark.parametrize("silently", [True, False])
def test_changes_of_a_process_that_is_cut_off_are_seen_by_the_very_next_read(
    writer: Cache, reader: OtherProcess, proxy: Proxy, origin: Origin, *, silently: bool
) -> None:
    wait_for(lambda: is_cached(reader, origin))
    proxy.cut(silently=silently)
    for value in range(1, 6):
        change(writer, origin, value)
        assert reader.load() == {"value": value}
        assert writer.load(SERVICES, "org", origin.load) == {"value": value}
        assert writer.engine.store.lease.seconds_left() == 0, "nobody waits a second time in the same outage"
    proxy.mend()
    wait_for(lambda: is_cached(reader, origin))
    change(writer, origin, 6)
    assert reader.load() == {"value": 6}


def test_nobody_joins_a_load_from_before_the_change(
    writer: Cache, reader: OtherProcess, proxy: Proxy, origin: Origin
) -> None:
    proxy.cut(silently=False)
    change(writer, origin, 1)
    late = reader.begin("load", hold="late")
    origin.wait_until_held("late")
    change(writer, origin, 2)
    assert reader.load() == {"value": 2}
    proxy.mend()
    wait_for(lambda: is_cached(reader, origin))
    origin.let_go("late")
    assert late.result(60) == {"value": 1}
    assert reader.load() == {"value": 2}


@pytest.mark.usefixtures("long_lease")
def test_a_change_is_answered_once_redis_knows_of_it(
    writer: Cache, reader: OtherProcess, proxy: Proxy, origin: Origin
) -> None:
    wrong_if_renewed_first = reader.begin("watch", until="end")
    proxy.cut(silently=False)
    with ThreadPoolExecutor(1) as pool:
        changed = pool.submit(change, writer, origin, 1)
        wait_for(lambda: writer.engine.store._missed)
        assert not changed.done()
        proxy.mend()
        changed.result(60)
    assert writer.engine.store.lease.seconds_left() > 0, "it was not the end of the lease"
    origin.changed(1)
    assert reader.load() == {"value": 1}
    origin.let_go("end")
    report = wrong_if_renewed_first.result(60)
    assert (report["errors"], report["wrong"]) == ([], [])


@pytest.mark.usefixtures("long_lease")
def test_a_marked_change_waits_for_nothing(writer: Cache, reader: OtherProcess, proxy: Proxy, origin: Origin) -> None:
    with writer.changing((SERVICES, "org")):
        proxy.cut(silently=False)
        origin.write(1)
    assert writer.engine.store.lease.seconds_left() > 0
    assert reader.load() == {"value": 1}


@pytest.mark.usefixtures("long_lease")
def test_a_dropped_connection_is_made_anew_at_once(
    writer: Cache, reader: OtherProcess, proxy: Proxy, origin: Origin
) -> None:
    for value in (1, 2):
        with writer.changing((SERVICES, "org")):
            proxy.drop_connections()
            origin.write(value)
        assert reader.load() == {"value": value}
        proxy.drop_connections()
    # The keeper may have met a dropped connection too, and have a change left to tell.
    wait_for(lambda: not writer.engine.store._missed)


def test_a_single_drop_does_not_put_redis_out(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(redis_server.port)
    cache = make_cache(proxy.url.replace(PATIENCE, "socket_timeout=30"))
    monkeypatch.setattr(cache.engine.store.link, "_start_keeper", lambda: None)
    cache.load(SERVICES, "org", lambda: 1)
    proxy.drop_connections()
    assert cache.load(SERVICES, "org", lambda: 2, refresh=False) == 1
    proxy.drop_connections()
    with cache.changing((SERVICES, "org")):
        proxy.drop_connections()
    assert cache.load(SERVICES, "org", lambda: 3) == 3
    assert cache.stats()["redis"] == {"answers": True, "failures": 0}
    cache.close()
    proxy.close()


def test_a_process_that_ends_in_order_keeps_nobody_waiting(
    redis_server: RedisServer, start: Start, reader: OtherProcess, origin: Origin, prefix: str
) -> None:
    wait_for(lambda: len(leases(redis_server, prefix)) == 2)
    third = start(redis_server.url)
    third.load()
    wait_for(lambda: len(leases(redis_server, prefix)) == 3)
    third.close()
    assert len(leases(redis_server, prefix)) == 2
    wait_for(lambda: is_cached(reader, origin))


def test_a_process_that_ends_owing_a_change_keeps_its_lease(  # noqa: PLR0917
    writer: Cache, reader: OtherProcess, proxy: Proxy, redis_server: RedisServer, origin: Origin, prefix: str
) -> None:
    own = writer.engine.store.lease.name
    proxy.cut(silently=False)
    change(writer, origin, 1)
    writer.close()
    assert own in leases(redis_server, prefix)
    assert not is_cached(reader, origin)
    assert reader.load() == {"value": 1}


def test_what_is_owed_is_told_at_the_end(  # noqa: PLR0917
    writer: Cache, reader: OtherProcess, proxy: Proxy, redis_server: RedisServer, origin: Origin, prefix: str
) -> None:
    store = writer.engine.store
    proxy.cut(silently=False)
    with store._beating, ThreadPoolExecutor(1) as pool:  # the keeper comes too late
        changed = pool.submit(change, writer, origin, 1)
        wait_for(lambda: store._missed)
        proxy.mend()
        store.link._closed.set()
        changed.result(60)
    writer.close()
    assert store.lease.name not in leases(redis_server, prefix)
    assert reader.load() == {"value": 1}


def test_a_dead_process_is_missed_until_somebody_speaks_for_it(
    redis_server: RedisServer, start: Start, reader: OtherProcess, origin: Origin, prefix: str
) -> None:
    third = start(redis_server.url)
    third.load()
    wait_for(lambda: len(leases(redis_server, prefix)) == 3)
    third.kill()
    wait_for(lambda: not is_cached(reader, origin))
    origin.write(1)  # as by a process that is only cut off
    assert reader.load() == {"value": 1}

    lease.bury(redis_server.url, prefix, third.pid)
    assert reader.load() == {"value": 1}
    wait_for(lambda: is_cached(reader, origin))
    assert len(leases(redis_server, prefix)) == 2


def test_who_is_missing_for_a_minute_is_taken_for_dead(
    redis_server: RedisServer, reader: OtherProcess, origin: Origin, prefix: str
) -> None:
    """A container that was killed hard: no master is left to speak for its workers."""
    client = redis_server.client
    client.zadd(f"{prefix}:leases", {"killed:7:abc": client.time()[0] * 1000 - 40_000})
    wait_for(lambda: not is_cached(reader, origin))
    client.zadd(f"{prefix}:leases", {"killed:7:abc": client.time()[0] * 1000 - 60_000})
    wait_for(lambda: is_cached(reader, origin))
    assert "killed:7:abc" not in leases(redis_server, prefix)


def test_a_late_renewal_does_not_run_longer_than_its_sender_thinks(
    writer: Cache, redis_server: RedisServer, prefix: str
) -> None:
    """It names a moment by Redis's clock; one that is past revives nothing."""
    store = writer.engine.store
    store.link._closed.set()
    wait_for(lambda: not redis_server.client.exists(f"{prefix}:epoch"))
    past = redis_server.client.time()[0] * 1000 - 1
    assert store._renew(store._common, [1, store.lease.name, past, 0]) == 1
    assert not redis_server.client.exists(f"{prefix}:epoch")


def test_nobody_to_speak_to_is_no_error() -> None:
    lease.bury("redis://127.0.0.1:1", "test", os.getpid())


def test_redis_as_a_whole_is_away_and_nobody_waits_for_long(
    writer: Cache, redis_server: RedisServer, origin: Origin
) -> None:
    redis_server.kill()
    for value in range(1, 4):
        change(writer, origin, value)
        assert writer.load(SERVICES, "org", origin.load) == {"value": value}
        assert writer.engine.store.lease.seconds_left() == 0
    redis_server.start()
    wait_for(lambda: not writer.engine.store.link.is_out)
    assert writer.load(SERVICES, "org", origin.load) == {"value": 3}


def test_a_process_that_redis_never_heard_of_waits_for_nothing(origin: Origin) -> None:
    cache = make_cache("redis://127.0.0.1:1")
    change(cache, origin, 1)
    assert cache.engine.store.lease.seconds_left() == 0
    cache.close()


def test_eviction_of_the_leases_is_mended_by_the_next_beat(
    writer: Cache, redis_server: RedisServer, prefix: str
) -> None:
    redis.Redis.from_url(redis_server.url).delete(f"{prefix}:leases")
    wait_for(lambda: leases(redis_server, prefix) == [writer.engine.store.lease.name])
