"""While the origin fails, an expired value helps out: marked, for a time, and never one that a change has ended."""

import logging
import time
from itertools import count

import pytest

from tests.cache.apps import make_cache
from tests.cache.origin import Origin
from voxanne.cache import Cache, OriginUnavailableError, Region

BRIEF = Region("services", life=0.3, missing_life=0.3, stale_for=2.0)


def down() -> None:
    raise OriginUnavailableError


@pytest.fixture
def expired(cache: Cache) -> Cache:
    cache.load(BRIEF, "org", lambda: "old")
    time.sleep(0.35)
    return cache


def test_an_expired_value_is_served_logged_and_counted(expired: Cache, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="voxanne.cache"):
        assert expired.load(BRIEF, "org", down) == "old"
    assert [record.region for record in caplog.records if record.message == "stale value served"] == ["services"]
    assert expired.stats()["regions"]["services"]["staleServed"] == 1


@pytest.mark.parametrize("refresh", [True, False])
def test_the_first_answer_of_the_origin_ends_it(expired: Cache, refresh: bool) -> None:
    assert expired.load(BRIEF, "org", down, refresh=refresh) == "old"
    time.sleep(1.05)
    assert expired.load(BRIEF, "org", lambda: "new", refresh=refresh) == "new"


def test_a_dead_origin_is_not_asked_by_every_reader(expired: Cache) -> None:
    calls = count()

    def slowly_down() -> None:
        next(calls)
        time.sleep(0.2)
        raise TimeoutError

    begun = time.monotonic()
    for _ in range(50):
        assert expired.load(BRIEF, "org", slowly_down) == "old"
    assert time.monotonic() - begun < 0.6
    assert next(calls) == 1


def test_a_slow_origin_keeps_nobody_waiting(expired: Cache, origin: Origin) -> None:
    begun = time.monotonic()
    assert expired.load(BRIEF, "org", lambda: origin.load(hold="slow")) == "old"
    assert time.monotonic() - begun < 1.0
    assert expired.load(BRIEF, "org", origin.load) == "old"
    origin.let_go("slow")
    time.sleep(0.1)
    assert expired.load(BRIEF, "org", origin.load) == {"value": 0}


def test_it_is_bounded(expired: Cache) -> None:
    time.sleep(2.05)
    with pytest.raises(OriginUnavailableError):
        expired.load(BRIEF, "org", down)


def test_other_errors_are_the_callers(expired: Cache) -> None:
    with pytest.raises(KeyError):
        expired.load(BRIEF, "org", lambda: {}["missing"])
    assert expired.stats()["regions"]["services"]["staleServed"] == 0


def test_a_changed_value_is_never_served_stale(expired: Cache) -> None:
    with expired.changing((BRIEF, "org")):
        pass
    with pytest.raises(OriginUnavailableError):
        expired.load(BRIEF, "org", down)


def test_a_value_changed_during_the_failing_load_is_not_served_stale(expired: Cache) -> None:
    def change_and_fail() -> None:
        with expired.changing((BRIEF, "org")):
            pass
        raise OriginUnavailableError

    with pytest.raises(OriginUnavailableError):
        expired.load(BRIEF, "org", change_and_fail)


def test_a_value_changed_during_a_slow_load_is_loaded_anew(expired: Cache, origin: Origin) -> None:
    def change_and_hang() -> object:
        with expired.changing((BRIEF, "org")):
            origin.write(1)
        return origin.load(hold="slow") and None

    loaders = iter([change_and_hang, origin.load])

    def load() -> object:
        return next(loaders)()

    try:
        assert expired.load(BRIEF, "org", load) == {"value": 1}
    finally:
        origin.let_go("slow")


class ProviderDownError(Exception):
    pass


@pytest.mark.parametrize("unavailable", [(ProviderDownError,), lambda error: type(error) is ProviderDownError])
def test_the_app_names_its_own_errors(unavailable: object) -> None:
    cache = make_cache(unavailable=unavailable)
    cache.load(BRIEF, "org", lambda: "old")
    time.sleep(0.35)

    def fail() -> None:
        raise ProviderDownError

    assert cache.load(BRIEF, "org", fail) == "old"
