"""A write may tell what its value is afterwards: it is stored unless another change was under way meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.cache.apps import make_cache
from tests.cache.conftest import take_lease
from tests.cache.origin import Origin, wait_for
from tests.cache.redis_server import RedisServer
from voxanne.cache import AGENTS, SERVICES, Cache, Change

KEY = (SERVICES, "org")


@pytest.fixture(params=["memory", "redis"])
def caches(request: pytest.FixtureRequest, prefix: str) -> Iterator[tuple[Cache, Cache]]:
    """Two writers' caches: one and the same in process, those of two processes on Redis."""
    url = request.getfixturevalue("shared_redis") if request.param == "redis" else None
    first = make_cache(url, prefix=prefix)
    second = make_cache(url, prefix=prefix) if url else first
    for cache in (first, second):
        take_lease(cache)
        cache.load(AGENTS, "other", lambda: 1)  # Redis that nobody has read from yet has no epoch
    yield first, second
    first.close()
    second.close()


def tell(change: Change, value: int) -> None:
    change.tell(*KEY, {"value": value})


def test_what_a_write_tells_is_read_next_by_everybody(caches: tuple[Cache, Cache], origin: Origin) -> None:
    for value in (1, 2):
        with caches[0].changing(KEY, (AGENTS, "org")) as change:
            origin.write(value)
            tell(change, value)
        for cache in caches:
            assert cache.load(*KEY, origin.load) == {"value": value}
    assert origin.loads == 0


def test_a_number_beyond_64_bits_can_be_told(cache: Cache, origin: Origin) -> None:
    cache.load(*KEY, origin.load)
    with cache.changing(KEY) as change:
        change.tell(*KEY, {"value": 2**70})
    assert cache.load(*KEY, origin.load) == {"value": float(2**70)}
    assert origin.loads == 1


def test_what_was_told_is_not_fetched_as_well(cache: Cache, origin: Origin) -> None:
    cache.load(*KEY, origin.load)
    cache.load(*KEY, origin.load)
    with cache.changing(KEY) as change:
        origin.write(1)
        tell(change, 1)
    cache.engine.wait_for_refreshes()
    assert origin.loads == 1


def _around(one: Cache, other: Cache, write: Callable[..., None]) -> None:
    with one.changing(KEY) as change:
        write(1, change)
        with other.changing(KEY):
            write(2)


def _within(one: Cache, other: Cache, write: Callable[..., None]) -> None:
    with other.changing(KEY), one.changing(KEY) as change:
        write(1, change)
        write(2)


def _the_first_to_end(one: Cache, other: Cache, write: Callable[..., None]) -> None:
    with ExitStack() as later:
        with one.changing(KEY) as change:
            write(1, change)
            later.enter_context(other.changing(KEY))
        write(2)


def _the_last_to_end(one: Cache, other: Cache, write: Callable[..., None]) -> None:
    with ExitStack() as later, other.changing(KEY):
        write(1, later.enter_context(one.changing(KEY)))
        write(2)


def _a_drop(one: Cache, other: Cache, write: Callable[..., None]) -> None:
    with one.changing(KEY) as change:
        write(1, change)
        write(2)
        other.drop(*KEY)


@pytest.mark.parametrize("order", [_around, _within, _the_first_to_end, _the_last_to_end, _a_drop])
def test_another_change_meanwhile_makes_it_void(caches: tuple[Cache, Cache], origin: Origin, order) -> None:
    def write(value: int, change: Change | None = None) -> None:
        origin.write(value)
        if change:
            tell(change, value)

    order(*caches, write)
    for cache in caches:
        assert cache.load(*KEY, origin.load) == {"value": 2}
    assert origin.loads == 1


def test_a_failed_write_tells_nothing(cache: Cache, origin: Origin) -> None:
    def fail() -> None:
        with cache.changing(KEY) as change:
            tell(change, 1)
            raise TimeoutError

    with pytest.raises(TimeoutError):
        fail()
    assert cache.load(*KEY, origin.load) == {"value": 0}


def test_a_failed_write_before_makes_it_void(cache: Cache, origin: Origin) -> None:
    with pytest.raises(TimeoutError), cache.changing(KEY):
        raise TimeoutError
    with cache.changing(KEY) as change:
        origin.write(1)
        tell(change, 1)
    origin.write(2)  # the write that timed out comes to pass after all
    assert cache.load(*KEY, origin.load) == {"value": 2}


def test_a_late_reader_does_not_store_over_it(caches: tuple[Cache, Cache], origin: Origin) -> None:
    late = threading.Thread(target=lambda: caches[1].load(*KEY, lambda: origin.load(hold="late")))
    late.start()
    origin.wait_until_held("late")
    with caches[0].changing(KEY) as change:
        origin.write(1)
        tell(change, 1)
    origin.let_go("late")
    late.join()
    for cache in caches:
        assert cache.load(*KEY, origin.load) == {"value": 1}
    assert origin.loads == 1


def test_while_redis_is_out_nothing_is_told(redis_server: RedisServer, origin: Origin) -> None:
    cache = make_cache(redis_server.url)
    cache.load(*KEY, origin.load)
    with cache.changing(KEY) as change:
        redis_server.hang()
        origin.write(1)
        tell(change, 1)
    redis_server.resume()
    wait_for(lambda: not cache.engine.store.link.is_out)
    origin.write(2)  # by another process, which told Redis meanwhile
    assert cache.load(*KEY, origin.load) == {"value": 2}
    cache.close()


def test_a_flush_during_the_write_makes_it_void(redis_server: RedisServer, origin: Origin) -> None:
    cache = make_cache(redis_server.url)
    cache.load(*KEY, origin.load)
    with cache.changing(KEY) as change:
        redis_server.client.flushall()
        origin.write(1)
        tell(change, 1)
    cache.load(*KEY, origin.load)
    assert origin.loads == 2
    cache.close()
