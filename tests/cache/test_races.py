"""A change is seen by the very next read, whatever was under way."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cache.origin import Origin, wait_for
from tests.cache.processes import OtherProcess
from voxanne.cache import AGENTS, SERVICES, Cache, facade

Start = Callable[..., OtherProcess]


def test_reader_that_loaded_before_the_write_and_stores_after_it_does_not_win(cache: Cache, origin: Origin) -> None:
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(cache.load, SERVICES, "org", lambda: origin.load(hold="late"))
        origin.wait_until_held("late")
        with cache.changing((SERVICES, "org")):
            origin.write(1)
        origin.let_go("late")
        assert late.result() == {"value": 0}
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
    assert origin.loads == 2


def test_read_after_a_change_does_not_join_a_load_from_before_it(cache: Cache, origin: Origin) -> None:
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(cache.load, SERVICES, "org", lambda: origin.load(hold="late"))
        origin.wait_until_held("late")
        with cache.changing((SERVICES, "org")):
            origin.write(1)
        try:
            assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
            assert not late.done(), "it waited for a load or a lock that a change had outdated"
        finally:
            origin.let_go("late")
        assert late.result() == {"value": 0}
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}


def test_reader_that_loads_during_the_write_stores_nothing(cache: Cache, origin: Origin) -> None:
    with cache.changing((SERVICES, "org")):
        assert cache.load(SERVICES, "org", origin.load) == {"value": 0}
        origin.write(1)
        assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
    assert origin.loads == 3


def test_nested_and_simultaneous_writers_of_one_key(cache: Cache, origin: Origin) -> None:
    with cache.changing((SERVICES, "org"), (AGENTS, "org")):
        with cache.changing((SERVICES, "org")):
            origin.write(1)
        cache.load(SERVICES, "org", origin.load)
        origin.write(2)
        cache.load(AGENTS, "org", origin.load)
    assert cache.load(SERVICES, "org", origin.load) == {"value": 2}
    assert cache.load(AGENTS, "org", origin.load) == {"value": 2}
    assert cache.load(SERVICES, "org", origin.load) == {"value": 2}
    assert origin.loads == 4


def test_after_a_failed_write_nothing_is_stored_for_a_while(
    cache: Cache, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for org, settle in (("org", 60.0), ("other", 0.2)):
        monkeypatch.setattr(facade, "SETTLE", settle)
        cache.load(SERVICES, org, origin.load)
        with pytest.raises(TimeoutError), cache.changing((SERVICES, org)):
            raise TimeoutError
    cache.load(SERVICES, "org", origin.load)
    origin.write(1)  # the write that timed out comes to pass after all
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}

    def is_cached() -> bool:
        loads = origin.loads
        assert cache.load(SERVICES, "other", origin.load) == {"value": 1}
        return origin.loads == loads

    wait_for(is_cached)


def test_drop_forgets_one_value_only(cache: Cache, origin: Origin) -> None:
    cache.load(SERVICES, "org", origin.load)
    cache.load(SERVICES, "other", origin.load)
    origin.write(1)
    cache.drop(SERVICES, "org")
    assert cache.load(SERVICES, "org", origin.load) == {"value": 1}
    assert cache.load(SERVICES, "other", origin.load) == {"value": 0}


def test_readers_and_writers_at_full_speed_never_see_the_past(cache: Cache, origin: Origin) -> None:
    stop, wrong = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            before = origin.read()
            seen = cache.load(SERVICES, "org", origin.load)["value"]
            if seen < before:
                wrong.append((before, seen))

    def write() -> None:
        for value in range(1, 150):
            with cache.changing((SERVICES, "org")):
                origin.write(value)
                done.append(value)

    done: list[int] = []
    with ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            pool.submit(write).result()
        finally:
            stop.set()
        for reader in readers:
            reader.result()
    # a read may overlap the write it misses; it must see every write whose block had ended
    assert [pair for pair in wrong if pair[1] < pair[0] - 1] == []
    assert cache.load(SERVICES, "org", origin.load) == {"value": 149}


def test_two_processes_late_reader_in_one_and_writer_in_the_other(
    shared_redis: str, start: Start, origin: Origin
) -> None:
    reader, writer = start(shared_redis), start(shared_redis)
    late = reader.begin("load", hold="late")
    origin.wait_until_held("late")
    writer.change(value=1)
    assert writer.load() == {"value": 1}
    origin.let_go("late")
    assert late.result(60) == {"value": 0}
    assert reader.load() == {"value": 1}
    assert writer.load() == {"value": 1}


def test_two_processes_see_each_others_changes_at_once(shared_redis: str, start: Start, origin: Origin) -> None:
    one, other = start(shared_redis, patient=True), start(shared_redis, patient=True)
    for value in range(1, 30):
        writer, reader = (one, other) if value % 2 else (other, one)
        assert reader.load() == {"value": value - 1}
        writer.change(value=value)
        assert reader.load() == {"value": value}
        assert writer.load() == {"value": value}
    # One after each change, and those in vain: begun behind a change by who had read the value, when the next one came.
    assert 30 <= origin.loads < 60


def test_writer_killed_between_write_and_end_leaves_no_old_value(
    shared_redis: str, start: Start, origin: Origin
) -> None:
    one, other = start(shared_redis), start(shared_redis)
    assert other.load() == {"value": 0}
    one.begin("change_and_die", value=1)
    one.wait_for_end()
    assert other.load() == {"value": 1}
    origin.write(2)  # still marked busy: nothing is stored for the rest of its half minute
    assert other.load() == {"value": 2}
