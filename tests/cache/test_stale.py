"""While the origin fails, an expired value helps out: marked, for a time, and never one that a change has ended."""

import logging
import time
from itertools import count

import pytest
from time_machine import Traveller

from tests.cache.apps import make_cache
from tests.cache.origin import Origin, wait_for
from voxanne.cache import Cache, OriginUnavailableError, Region, engine

REGION = Region("services", life=300, missing_life=300, stale_for=2000)


def down() -> None:
    raise OriginUnavailableError


@pytest.fixture
def expired(cache: Cache, clock: Traveller) -> Cache:
    cache.load(REGION, "org", lambda: "old")
    clock.shift(350)
    return cache


def test_an_expired_value_is_served_logged_and_counted(expired: Cache, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="voxanne.cache"):
        assert expired.load(REGION, "org", down) == "old"
    assert [record.region for record in caplog.records if record.message == "stale value served"] == ["services"]
    assert expired.stats()["regions"]["services"]["staleServed"] == 1


@pytest.mark.parametrize("refresh", [True, False])
def test_the_first_answer_of_the_origin_ends_it(expired: Cache, monkeypatch: pytest.MonkeyPatch, refresh: bool) -> None:
    monkeypatch.setattr(engine, "RETRY_PAUSE", 0.1)
    assert expired.load(REGION, "org", down, refresh=refresh) == "old"
    wait_for(lambda: expired.load(REGION, "org", lambda: "new", refresh=refresh) == "new")


@pytest.fixture
def asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has asked in vain does not ask again."""
    monkeypatch.setattr(engine, "RETRY_PAUSE", 3600.0)


@pytest.mark.usefixtures("asked_once")
def test_a_dead_origin_is_not_asked_by_every_reader(expired: Cache) -> None:
    calls = count()

    def slowly_down() -> None:
        next(calls)
        time.sleep(0.2)
        raise TimeoutError

    for _ in range(50):
        assert expired.load(REGION, "org", slowly_down) == "old"
    assert next(calls) == 1


@pytest.mark.usefixtures("asked_once")
def test_a_slow_origin_keeps_nobody_waiting(expired: Cache, origin: Origin) -> None:
    expired.engine.patience = 0.2
    assert expired.load(REGION, "org", lambda: origin.load(hold="slow")) == "old"
    assert expired.load(REGION, "org", origin.load) == "old"
    origin.let_go("slow")
    wait_for(lambda: expired.load(REGION, "org", origin.load) == {"value": 0})
    assert origin.loads == 1


def test_it_is_bounded(expired: Cache, clock: Traveller) -> None:
    clock.shift(2050)
    with pytest.raises(OriginUnavailableError):
        expired.load(REGION, "org", down)


def test_other_errors_are_the_callers(expired: Cache) -> None:
    with pytest.raises(KeyError):
        expired.load(REGION, "org", lambda: {}["missing"])
    assert expired.stats()["regions"]["services"]["staleServed"] == 0


def test_a_changed_value_is_never_served_stale(expired: Cache) -> None:
    with expired.changing((REGION, "org")):
        pass
    with pytest.raises(OriginUnavailableError):
        expired.load(REGION, "org", down)


def test_a_value_changed_during_the_failing_load_is_not_served_stale(expired: Cache) -> None:
    def change_and_fail() -> None:
        with expired.changing((REGION, "org")):
            pass
        raise OriginUnavailableError

    with pytest.raises(OriginUnavailableError):
        expired.load(REGION, "org", change_and_fail)


def test_a_value_changed_during_a_slow_load_is_loaded_anew(
    expired: Cache, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "wait", lambda *_: origin.wait_until_held("slow"))

    def change_and_hang() -> object:
        with expired.changing((REGION, "org")):
            origin.write(1)
        return origin.load(hold="slow") and None

    loaders = iter([change_and_hang, origin.load])

    def load() -> object:
        return next(loaders)()

    try:
        assert expired.load(REGION, "org", load) == {"value": 1}
    finally:
        origin.let_go("slow")


class ProviderDownError(Exception):
    pass


@pytest.mark.parametrize("unavailable", [(ProviderDownError,), lambda error: type(error) is ProviderDownError])
def test_the_app_names_its_own_errors(clock: Traveller, unavailable: object) -> None:
    cache = make_cache(unavailable=unavailable)
    cache.load(REGION, "org", lambda: "old")
    clock.shift(350)

    def fail() -> None:
        raise ProviderDownError

    assert cache.load(REGION, "org", fail) == "old"
