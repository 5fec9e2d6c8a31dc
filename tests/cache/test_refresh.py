"""Near the end of its life a value that is read is fetched anew in the background, so that nobody waits for expiry.

The clock is moved; the thread that looks for what is due is called by name.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait

import pytest
import time_machine

from tests.cache.apps import make_cache
from tests.cache.origin import Origin, wait_for
from voxanne.cache import AGENTS, SERVICES, Cache, engine, upkeep

Move = Callable[[int], None]
NEAR_ITS_END, AT_ITS_END = 1, 2


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(time.time(), tick=False) as clock:
        yield clock


@pytest.fixture
def move(cache: Cache, clock: time_machine.Traveller) -> Move:
    """Go to where the value is to be fetched anew, or to where it ends."""

    return lambda to: move_to(cache, clock, to)


def move_to(cache: Cache, clock: time_machine.Traveller, to: int) -> None:
    clock.move_to(cache.engine.store.read(SERVICES, "org").entry[to] + 0.001)


def look(cache: Cache) -> None:
    cache.engine.upkeep.look()
    cache.engine.wait_for_refreshes()


def test_under_steady_reading_nobody_pays_for_expiry(
    cache: Cache, origin: Origin, clock: time_machine.Traveller
) -> None:
    threads = set()

    def load() -> dict[str, int]:
        threads.add(threading.current_thread().name)
        return origin.load()

    cache.load(SERVICES, "org", load)
    threads.clear()
    for _ in range(4 * 60):
        clock.shift(60)
        assert cache.load(SERVICES, "org", load) == {"value": 0}
        cache.engine.wait_for_refreshes()
    assert cache.stats()["misses"] == 1
    assert 1 + 4 <= origin.loads <= 1 + 5
    assert all(name.startswith("cache-refresh") for name in threads)


def test_the_reader_that_starts_a_refresh_does_not_wait_for_it(cache: Cache, origin: Origin, move: Move) -> None:
    cache.load(SERVICES, "org", origin.load)
    move(NEAR_ITS_END)
    try:
        assert cache.load(SERVICES, "org", lambda: origin.load(hold="refresh")) == {"value": 0}
        origin.wait_until_held("refresh")
    finally:
        origin.let_go("refresh")


def test_one_refresh_for_any_number_of_readers(cache: Cache, origin: Origin, move: Move) -> None:
    cache.load(SERVICES, "org", origin.load)
    move(NEAR_ITS_END)
    for _ in range(20):
        cache.load(SERVICES, "org", lambda: origin.load(hold="refresh"))
    origin.let_go("refresh")
    cache.engine.wait_for_refreshes()
    assert origin.loads == 2


def test_without_refresh_the_loader_stays_in_the_callers_thread(cache: Cache, move: Move) -> None:
    threads = []

    def load() -> int:
        threads.append(threading.current_thread())
        return 1

    def read() -> None:
        cache.load(SERVICES, "org", load, refresh=False)

    read()
    read()
    move(NEAR_ITS_END)
    read()
    look(cache)
    with cache.changing((SERVICES, "org")):
        pass
    cache.engine.wait_for_refreshes()
    assert len(threads) == 1
    read()
    move(AT_ITS_END)
    read()
    assert threads == [threading.current_thread()] * 3


def test_a_refresh_under_way_does_not_bring_back_what_a_change_ended(cache: Cache, origin: Origin, move: Move) -> None:
    cache.load(SERVICES, "org", origin.load)
    move(NEAR_ITS_END)
    cache.load(SERVICES, "org", lambda: origin.load(hold="refresh"))
    origin.wait_until_held("refresh")
    with cache.changing((SERVICES, "org")):
        origin.write(1)
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
    origin.let_go("refresh")
    cache.engine.wait_for_refreshes()
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}


def test_a_refresh_that_fails_troubles_nobody_and_is_not_repeated_at_once(cache: Cache, move: Move) -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        raise ValueError

    cache.load(SERVICES, "org", lambda: "value")
    move(NEAR_ITS_END)
    for _ in range(10):
        assert cache.load(SERVICES, "org", fail) == "value"
    cache.engine.wait_for_refreshes()
    assert len(calls) == 1
    move(AT_ITS_END)
    cache.engine._pauses.clear()
    assert cache.load(SERVICES, "org", lambda: "new") == "new"


def test_a_reader_does_not_share_the_failure_of_another_ones_loader(
    cache: Cache, origin: Origin, move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the token of whoever read it last has expired by the time that the value is fetched anew."""

    def refused() -> None:
        origin.load(hold="refused")
        raise LookupError

    def join(futures: list[Future[bytes]], _seconds: float) -> None:
        assert len(futures) == 1
        origin.let_go("refused")
        wait(futures)

    cache.load(SERVICES, "org", origin.load)
    move(NEAR_ITS_END)
    cache.load(SERVICES, "org", refused)
    origin.wait_until_held("refused")
    origin.write(1)
    move(AT_ITS_END)
    monkeypatch.setattr(engine, "wait", join)
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}


def test_what_was_read_is_fetched_anew_though_nobody_asks_near_its_end(
    cache: Cache, origin: Origin, clock: time_machine.Traveller, move: Move
) -> None:
    cache.load(SERVICES, "org", origin.load)
    cache.load(SERVICES, "org", origin.load)
    look(cache)
    assert origin.loads == 1, "too early"
    move(NEAR_ITS_END)
    look(cache)
    assert origin.loads == 2
    clock.shift(SERVICES.life / 2)
    cache.load(SERVICES, "org", origin.load)
    assert (cache.stats()["hits"], cache.stats()["misses"], origin.loads) == (2, 1, 2)


def test_what_is_read_no_more_is_fetched_once_in_vain(cache: Cache, origin: Origin, move: Move) -> None:
    for _ in range(3):
        cache.load(SERVICES, "org", origin.load)
    for _ in range(3):
        move(NEAR_ITS_END)
        look(cache)
    assert origin.loads == 2


def test_what_nobody_read_since_it_was_fetched_is_left_alone(cache: Cache, origin: Origin, move: Move) -> None:
    cache.load(SERVICES, "org", origin.load)
    move(NEAR_ITS_END)
    look(cache)
    with cache.changing((SERVICES, "org")):
        origin.write(1)
    cache.engine.wait_for_refreshes()
    assert origin.loads == 1


def test_a_thread_looks_for_what_is_due(
    cache: Cache, origin: Origin, move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOK_EVERY", 0.01)
    cache.load(SERVICES, "org", origin.load)
    cache.load(SERVICES, "org", origin.load)
    move(NEAR_ITS_END)
    wait_for(lambda: origin.loads == 2)


def test_of_two_processes_that_have_readers_one_fetches(
    shared_redis: str, prefix: str, origin: Origin, clock: time_machine.Traveller
) -> None:
    caches = [make_cache(shared_redis, prefix=prefix) for _ in range(2)]
    for cache in caches * 2:
        cache.load(SERVICES, "org", origin.load)
    move_to(caches[0], clock, NEAR_ITS_END)
    for cache in caches:
        cache.engine.upkeep.look()
    for cache in caches:
        cache.engine.wait_for_refreshes()
    assert origin.loads == 2
    for cache in caches:
        cache.close()


def test_after_a_change_what_was_read_is_fetched_without_a_reader(cache: Cache, origin: Origin) -> None:
    for org in ("org", "org", "other", "other"):
        cache.load(SERVICES, org, origin.load)
    with cache.changing((SERVICES, "org"), (AGENTS, "org")):
        origin.write(1)
    cache.engine.wait_for_refreshes()
    assert origin.loads == 3
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
    assert cache.load(SERVICES, "other", origin.load) == {"value": 0}
    assert cache.stats()["misses"] == 2


def test_a_writer_does_not_wait_for_what_is_fetched_after_it(cache: Cache, origin: Origin) -> None:
    cache.load(SERVICES, "org", origin.load)
    cache.load(SERVICES, "org", lambda: origin.load(hold="after"))
    try:
        with cache.changing((SERVICES, "org")):
            origin.write(1)
        origin.wait_until_held("after")
    finally:
        origin.let_go("after")


def test_what_is_fetched_after_a_change_does_not_outlive_the_next_one(cache: Cache, origin: Origin) -> None:
    cache.load(SERVICES, "org", origin.load)
    cache.load(SERVICES, "org", lambda: origin.load(hold="after"))
    with cache.changing((SERVICES, "org")):
        origin.write(1)
    origin.wait_until_held("after")
    with cache.changing((SERVICES, "org")):
        origin.write(2)
    origin.let_go("after")
    cache.engine.wait_for_refreshes()
    assert cache.load(SERVICES, "org", origin.load) == {"value": 2}


def test_after_a_change_that_failed_nothing_is_fetched(cache: Cache, origin: Origin) -> None:
    cache.load(SERVICES, "org", origin.load)
    cache.load(SERVICES, "org", origin.load)
    with pytest.raises(TimeoutError), cache.changing((SERVICES, "org")):
        raise TimeoutError
    cache.engine.wait_for_refreshes()
    assert origin.loads == 1


def test_the_number_of_what_is_kept_up_is_bounded(cache: Cache, monkeypatch: pytest.MonkeyPatch, move: Move) -> None:
    monkeypatch.setattr(upkeep, "MAX_WISHES", 10)
    loads = []
    for number in range(20):
        for _ in range(2):
            cache.load(SERVICES, f"org-{number}", lambda: loads.append(1))
    for number in range(5):
        with cache.changing((SERVICES, f"org-{number}")):
            pass
    cache.engine.wait_for_refreshes()
    assert len(loads) == 20 + 5
    for number in range(15, 20):  # as many as have been granted may come in their place
        cache.load(SERVICES, f"org-{number}", lambda: loads.append(1))
    for number in range(5, 20):
        with cache.changing((SERVICES, f"org-{number}")):
            pass
    cache.engine.wait_for_refreshes()
    assert len(loads) == 20 + 5 + 10


def test_lives_differ_so_that_values_do_not_expire_together(cache: Cache) -> None:
    for org in range(20):
        cache.load(SERVICES, str(org), lambda: 1)
    ends = {cache.engine.store.read(SERVICES, str(org)).entry[2] - time.time() for org in range(20)}
    assert all(3200 < end <= 3600 for end in ends)
    assert max(ends) - min(ends) > 60
