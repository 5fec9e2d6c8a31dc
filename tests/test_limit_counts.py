"""The counts behind the limits of one process."""

import threading

import pytest
import time_machine

from voxanne import limit_counts
from voxanne.limit_counts import ProcessStorage

START = 1_800_000_000


def test_a_window_begins_with_its_first_count_and_ends() -> None:
    counts = ProcessStorage()
    with time_machine.travel(START, tick=False) as clock:
        assert [counts.incr("org", 60), counts.incr("org", 60, amount=2)] == [1, 3]
        assert (counts.get("org"), counts.get_expiry("org")) == (3, START + 60)

        clock.shift(59)
        assert counts.incr("org", 60) == 4
        clock.shift(1)
        assert counts.get("org") == 0
        assert counts.incr("org", 60) == 1
        assert counts.get_expiry("org") == START + 120


def test_no_count_is_lost_between_threads() -> None:
    counts = ProcessStorage()

    def count() -> None:
        for _ in range(2_000):
            counts.incr("org", 60)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counts.get("org") == 16_000


def test_counts_whose_windows_have_ended_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit_counts, "_SWEEP_FROM", 100)
    counts = ProcessStorage()
    with time_machine.travel(START, tick=False) as clock:
        for number in range(100):
            counts.incr(f"address:{number}", 60)
        clock.shift(60)
        counts.incr("org", 60)

    assert counts.reset() == 1


def test_one_key_can_be_forgotten_and_the_store_always_works() -> None:
    counts = ProcessStorage()
    counts.incr("one", 60)
    counts.incr("other", 60)
    counts.clear("one")

    assert (counts.get("one"), counts.get("other"), counts.check()) == (0, 1, True)
