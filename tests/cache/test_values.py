"""What is kept, under which keys, and what is refused."""

from itertools import count

import orjson
import pytest
import redis
from flask import Flask

from tests.cache.apps import make_cache
from voxanne.cache import INBOUND_CONFIG, REGIONS, ROLE, SERVICES, Cache, CacheConfigError, Region
from voxanne.cache.backends import memory_backend
from voxanne.cache.memory import MemoryStore


def test_a_missing_row_is_an_answer(cache: Cache) -> None:
    calls = []
    for _ in range(3):
        assert cache.load(ROLE, "org:user", lambda: calls.append(1)) is None
    assert len(calls) == 1
    counts = cache.stats()["regions"]["role"]
    assert (counts["hits"], counts["negativeHits"], counts["misses"], counts["loads"]) == (2, 2, 1, 1)


@pytest.mark.parametrize("value", [0, False, "", [], {}, {"price": 12.5, "name": "Zahnärztin ☎", "words": ["a", None]}])
def test_falsy_and_nested_values_come_back_as_they_were(cache: Cache, value: object) -> None:
    calls = count()
    for _ in range(2):
        assert cache.load(SERVICES, "org", lambda: [value, next(calls)]) == [value, 0]


def test_each_caller_has_a_copy_of_its_own(cache: Cache) -> None:
    for _ in range(3):
        loaded = cache.load(SERVICES, "org", lambda: {"names": []})
        loaded["names"].append("spoiled")
        assert loaded == {"names": ["spoiled"]}


def test_what_json_cannot_hold_is_refused_on_the_first_load(cache: Cache) -> None:
    with pytest.raises(TypeError):
        cache.load(SERVICES, "org", lambda: {"a", "set"})
    assert cache.load(SERVICES, "org", lambda: 1) == 1


def test_a_number_beyond_64_bits_comes_back_as_near_as_can_be(cache: Cache) -> None:
    """As Postgres' JSON holds it."""
    for _ in range(2):
        assert cache.load(SERVICES, "org", lambda: {"a": 10**30, "b": "é"}) == {"a": 1e30, "b": "é"}


def test_organisations_and_regions_are_apart(cache: Cache) -> None:
    for region in (SERVICES, INBOUND_CONFIG):
        for org in ("a", "b"):
            assert cache.load(region, org, lambda: [region.name, org]) == [region.name, org]  # noqa: B023
    with cache.changing((SERVICES, "a")):
        pass
    assert cache.load(SERVICES, "a", lambda: "new") == "new"
    assert cache.load(SERVICES, "b", lambda: "new") == ["services", "b"]
    assert cache.load(INBOUND_CONFIG, "a", lambda: "new") == ["inbound-config", "a"]


def test_a_key_without_an_organisation_is_refused(cache: Cache) -> None:
    with pytest.raises(ValueError, match="organisation"):
        cache.load(SERVICES, "", lambda: 1)
    with pytest.raises(ValueError, match="organisation"), cache.changing((SERVICES, "")):
        pass


def test_more_processes_without_redis_are_refused() -> None:
    with pytest.raises(CacheConfigError, match="3 worker processes need REDIS_URL"):
        make_cache(web_concurrency=3)
    with pytest.raises(CacheConfigError, match="REDIS_URL"):
        make_cache("http://nowhere")


def test_redis_holds_json_under_versioned_keys_and_others_keys_are_left_alone(shared_redis: str, prefix: str) -> None:
    client = redis.Redis.from_url(shared_redis)
    client.set(f"{prefix}-other", "mine", ex=60)
    cache = make_cache(shared_redis, prefix=prefix)
    cache.load(SERVICES, "org", lambda: {"price": 1})
    stored = client.get(f"{prefix}:v1.1:services:org")
    assert orjson.loads(stored)[3] == {"price": 1}
    assert 3600 < client.ttl(f"{prefix}:v1.1:services:org") <= 7200
    cache.drop(SERVICES, "org")
    assert client.get(f"{prefix}:v1.1:services:org") is None
    assert client.get(f"{prefix}-other") == b"mine"
    lasting = [key for key in client.scan_iter(f"{prefix}:*") if client.ttl(key) == -1]
    assert all(key.endswith(b":counts") for key in lasting)
    cache.close()


def test_a_new_version_reads_nothing_old_and_a_change_reaches_both(shared_redis: str, prefix: str) -> None:
    old, new = Region("shape", 60, 60), Region("shape", 60, 60, version=2)
    cache = make_cache(shared_redis, prefix=prefix)
    origin = {old: "old", new: "new"}
    assert cache.load(old, "org", lambda: origin[old]) == "old"
    assert cache.load(new, "org", lambda: origin[new]) == "new"
    assert cache.load(old, "org", lambda: origin[old]) == "old"
    with cache.changing((new, "org")):
        origin[old] = "changed"
    assert cache.load(old, "org", lambda: origin[old]) == "changed"
    cache.close()


def test_rubbish_in_redis_is_a_miss(shared_redis: str, prefix: str) -> None:
    client = redis.Redis.from_url(shared_redis)
    cache = make_cache(shared_redis, prefix=prefix)
    for rubbish in (b"\x80\x04pickle", b"17", b"[]", b'["x", 1]'):
        client.set(f"{prefix}:v1.1:services:org", rubbish, ex=60)
        assert cache.load(SERVICES, "org", lambda: "value") == "value"
    cache.close()


def test_memory_is_bounded_and_the_least_recently_read_makes_room() -> None:
    backend = memory_backend(Flask("bounded"), entries=100)
    for number in range(100):
        backend.set(f"key-{number}", number, 60)
    assert backend.get("key-0") == 0
    for number in range(100, 199):
        backend.set(f"key-{number}", number, 60)
    assert backend.count() == 100
    assert backend.get("key-0") == 0
    assert backend.get("key-1") is None


def test_memory_forgets_tickets_safely() -> None:
    store = MemoryStore(memory_backend(Flask("tickets")), max_tickets=10)
    early = store.claim(SERVICES, "early")
    for number in range(50):
        store.end_change([(SERVICES, f"org-{number}")], "", settle=0)
    assert len(store._tickets) <= 10
    store.put(SERVICES, "early", early, [early.ticket, 0, 0, "old"], 60)
    assert store.read(SERVICES, "early").entry is None


def test_the_regions_live_as_decided() -> None:
    assert {region.name: region.life for region in REGIONS} == {
        "services": 3600,
        "inbound-config": 300,
        "org-settings": 600,
        "org-secrets": 600,
        "agents": 600,
        "phone-mapping": 1800,
        "assistant": 1800,
        "dialled": 300,
        "contact-stats": 300,
        "role": 60,
    }
    assert all(region.missing_life <= region.life for region in REGIONS)
