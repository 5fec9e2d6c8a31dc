"""The last hour: percentiles within 5 %, nothing older than an hour, and whole after packing."""

import random
import statistics
import threading
from datetime import UTC, datetime

import orjson
import pytest
import time_machine

from voxanne.observability.window import Traffic, Window


def note(window: Window, seconds: float, name: str = "GET /x", status: int = 200) -> None:
    window.note_request(name, status, seconds, slow=False, database_requests=1, database_seconds=0.001)


def traffic(window: Window, name: str = "GET /x") -> Traffic:
    total = Traffic()
    for minute in window.minutes().values():
        if name in minute["routes"]:
            total.add(Traffic.unpack(orjson.loads(orjson.dumps(minute["routes"][name]))))
    return total


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("kind", ["even", "long tail", "two humps"])
def test_percentiles_are_right_within_five_percent(share: float, kind: str) -> None:
    chance, window = random.Random(7), Window()
    draw = {
        "even": lambda: chance.uniform(0.001, 0.5),
        "long tail": lambda: chance.lognormvariate(-4, 1),
        "two humps": lambda: chance.gauss(0.01, 0.001) if chance.random() < 0.6 else chance.gauss(1, 0.1),
    }[kind]
    times = [draw() for _ in range(20_000)]
    for seconds in times:
        note(window, seconds)

    exact = statistics.quantiles(times, n=100, method="inclusive")[round(share * 100) - 1] * 1000

    assert traffic(window).percentile_ms(share) == pytest.approx(exact, rel=0.055)


def test_one_request_is_its_own_percentile_and_none_has_none() -> None:
    window = Window()
    note(window, 0.2)

    assert traffic(window).percentile_ms(0.99) == pytest.approx(200, rel=0.05)
    assert traffic(window).percentile_ms(0.5) <= 200
    assert Traffic().percentile_ms(0.5) is None


def test_after_an_hour_it_is_forgotten_and_memory_does_not_grow() -> None:
    window = Window()
    with time_machine.travel(datetime(2026, 3, 10, tzinfo=UTC), tick=False) as clock:
        for _ in range(300):
            note(window, 0.01)
            window.note_cache("services", "hits", None)
            clock.shift(60)
        assert len(window.minutes()) == 59
        assert len(window._minutes) == 60
        clock.shift(3600)
        assert window.minutes() == {}


def test_only_what_is_new_is_told_and_told_again_where_it_failed() -> None:
    window = Window()
    note(window, 0.01)
    first = window.take_changed()
    assert len(first) == 1
    assert window.take_changed() == {}

    window.put_back(first)

    assert window.take_changed() == first


def test_threads_lose_nothing() -> None:
    window = Window()

    def work() -> None:
        for _ in range(2000):
            note(window, 0.01)
            window.note_cache("services", "hits", None)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert traffic(window).requests == 16_000
    assert sum(minute["cache"]["services"]["hits"] for minute in window.minutes().values()) == 16_000


def test_statuses_are_told_apart() -> None:
    window = Window()
    for status in (200, 304, 404, 429, 500, 503):
        note(window, 0.01, status=status)

    total = traffic(window)
    assert (total.requests, total.client_errors, total.errors) == (6, 2, 2)
    assert (total.database_requests, total.database_us) == (6, 6000)
