"""/api/monitoring and /api/health/cache: the numbers add up, wherever they are read."""

import os
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory
from voxanne import create_app, database
from voxanne.cache import REGIONS, cache
from voxanne.observability import process
from voxanne.services import inbound_config, monitoring, pricing

STATS, PROCESS, HEALTH = "/api/monitoring/cache-stats", "/api/monitoring/health", "/api/health/cache"
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(params=["memory", "redis"])
def fresh(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """An application whose cache nobody has used."""
    redis_url = os.environ["REDIS_URL"] if request.param == "redis" else None
    app = create_app(settings_for_tests(redis_url=redis_url, cache_key_prefix=f"test-{uuid.uuid4().hex[:8]}"))
    yield app
    _close(app)


def _close(app: Flask) -> None:
    with app.app_context():
        cache.close()


def visitor(factory: Factory, app: Flask) -> Caller:
    caller = factory.caller()
    return Caller(app, caller.org_id, caller.user_id, caller.token)


def test_known_traffic_adds_up(factory: Factory, fresh: Flask) -> None:
    caller = visitor(factory, fresh)
    for _ in range(4):
        caller.get("/api/contacts/stats")
    for _ in range(3):
        caller.get("/api/agents")

    stats = caller.get(STATS).json["cache"]

    assert (stats["hits"], stats["misses"], stats["loads"], stats["hitRate"]) == (5, 2, 2, 71.43)
    assert stats["size"] == 2
    regions = stats["regions"]
    assert (regions["contact-stats"]["hits"], regions["contact-stats"]["misses"]) == (3, 1)
    assert (regions["agents"]["hits"], regions["agents"]["misses"]) == (2, 1)
    assert regions["agents"]["loadMs"] > 0
    assert set(regions) == {region.name for region in REGIONS}
    for field in ("hits", "misses", "loads", "negativeHits", "errors", "staleServed", "uncached"):
        assert stats[field] == sum(region[field] for region in regions.values())


def test_missing_rows_and_changes_add_up_too(factory: Factory, fresh: Flask) -> None:
    caller = visitor(factory, fresh)
    with fresh.test_request_context():
        db = database.for_principal(caller.token)
        for _ in range(3):
            assert inbound_config.load(db, caller.org_id) is None
        for _ in range(2):
            assert pricing.price_list(db, caller.org_id) == []
        with pricing.changing(caller.org_id):
            pass
        pricing.price_list(db, caller.org_id)

    stats = caller.get(STATS).json["cache"]
    inbound, prices = stats["regions"]["inbound-config"], stats["regions"]["services"]

    assert (inbound["hits"], inbound["negativeHits"], inbound["misses"], inbound["loads"]) == (2, 2, 1, 1)
    assert (prices["hits"], prices["negativeHits"], prices["misses"], prices["loads"]) == (1, 0, 2, 2)
    assert (stats["hits"], stats["misses"], stats["hitRate"], stats["size"]) == (3, 3, 50, 2)


def test_all_places_tell_the_same(factory: Factory, fresh: Flask) -> None:
    caller = visitor(factory, fresh)
    for _ in range(3):
        caller.get("/api/agents")

    detail, glance = caller.get(STATS).json["cache"], caller.get(HEALTH).json

    for name in ("size", "hits", "misses", "hitRate", "backend"):
        assert glance[name] == detail[name]
    assert {name: one["hits"] for name, one in glance["regions"].items()} == {
        name: one["hits"] for name, one in detail["regions"].items()
    }


def test_counts_cover_all_processes_on_redis(factory: Factory) -> None:
    prefix = f"test-{uuid.uuid4().hex[:8]}"
    settings = settings_for_tests(redis_url=os.environ["REDIS_URL"], cache_key_prefix=prefix)
    first, second = create_app(settings), create_app(settings)
    caller = factory.caller()
    here, there = (Caller(app, caller.org_id, caller.user_id, caller.token) for app in (first, second))
    here.get("/api/agents")
    there.get("/api/agents")
    there.get(HEALTH)

    stats = here.get(STATS).json["cache"]

    assert (stats["hits"], stats["misses"], stats["loads"]) == (1, 1, 1)
    _close(first)
    _close(second)


def test_the_back_end_is_named_and_asked(fresh: Flask) -> None:
    reply = fresh.test_client().get(HEALTH)
    uses_redis = fresh.config["SETTINGS"].redis_url is not None

    assert reply.json["status"] == "ok"
    assert reply.json["backend"] == ("redis" if uses_redis else "memory")
    assert reply.json["redisAnswers"] is (True if uses_redis else None)


def test_a_redis_that_is_away_shows_and_nothing_fails(factory: Factory) -> None:
    app = create_app(settings_for_tests(redis_url=NO_REDIS))
    caller = visitor(factory, app)
    assert [caller.get("/api/agents").status_code for _ in range(2)] == [200, 200]

    glance, detail = caller.get(HEALTH).json, caller.get(STATS).json["cache"]

    assert (glance["status"], glance["backend"], glance["redisAnswers"]) == ("degraded", "redis", False)
    assert detail["redis"]["answers"] is False
    assert detail["redis"]["failures"] >= 1
    assert (detail["hits"], detail["misses"], detail["uncached"], detail["size"]) == (0, 2, 2, 0)
    _close(app)


def test_a_glance_is_open_and_names_no_organisation(factory: Factory, app: Flask) -> None:
    caller = factory.caller()
    caller.get("/api/agents")

    reply = app.test_client().get(HEALTH)

    assert reply.status_code == 200
    assert caller.org_id not in reply.text
    for path in (STATS, PROCESS):
        assert app.test_client().get(path).status_code == 401
        assert caller.org_id not in caller.get(path).text


def test_message_and_time_are_there(factory: Factory) -> None:
    reply = factory.caller("viewer").get(STATS)

    assert datetime.fromisoformat(reply.json["timestamp"]).tzinfo
    assert str(reply.json["cache"]["hitRate"]) in reply.json["message"]


def test_the_process_tells_its_memory_and_age(factory: Factory) -> None:
    reply = factory.caller().get(PROCESS)
    memory = reply.json["memory"]

    assert reply.json["status"] == "healthy"
    assert reply.json["uptime"] > 0
    assert memory["unit"] == "MB"
    assert 20 < memory["used"] < memory["total"]


def test_memory_grows_with_what_is_held() -> None:
    before = monitoring.memory_used_mb()
    held = b"x" * (64 * 1024 * 1024)

    assert monitoring.memory_used_mb() - before >= 60
    assert len(held) > 0


@pytest.mark.parametrize(("platform", "unit"), [("darwin", 1), ("linux", 1024)])
def test_without_proc_the_peak_is_told_in_the_systems_own_unit(
    monkeypatch: pytest.MonkeyPatch, platform: str, unit: int
) -> None:
    monkeypatch.setattr(process, "_STATM", Path("/nowhere"))
    monkeypatch.setattr(process, "sys", SimpleNamespace(platform=platform))
    peak = SimpleNamespace(ru_maxrss=100 * 1024 * 1024 // unit)
    monkeypatch.setattr("resource.getrusage", lambda _: peak)

    assert monitoring.memory_used_mb() == 100


def test_a_containers_limit_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit, none = tmp_path / "limit", tmp_path / "none"
    limit.write_text(f"{512 * 1024 * 1024}\n")
    none.write_text("max\n")
    monkeypatch.setattr(monitoring, "_CGROUP_LIMITS", (none, limit, tmp_path / "missing"))

    assert monitoring.memory_total_mb() == 512
