"""Rate limits: per organisation, on the API only."""

import dataclasses
import os

import pytest
from flask import Flask

from tests.factories import Caller, Factory

PATH = "/api/services"
ORIGIN = {"Origin": "http://localhost:3000"}


@pytest.fixture(params=["in process", "on Redis"])
def limited(request, app_with) -> Flask:
    redis_url = os.environ.get("REDIS_URL") if request.param == "on Redis" else None
    if request.param == "on Redis" and redis_url is None:
        pytest.skip("no REDIS_URL")
    return app_with(rate_limit_per_org_hour=3, redis_url=redis_url, cache_key_prefix=f"test-{os.urandom(4).hex()}")


@pytest.fixture
def caller(factory: Factory, limited: Flask) -> Caller:
    return dataclasses.replace(factory.caller(), app=limited)


def statuses(caller: Caller, times: int) -> list[int]:
    return [caller.get(PATH).status_code for _ in range(times)]


def test_beyond_the_limit_one_is_told_when_to_come_back(caller: Caller) -> None:
    assert statuses(caller, 3) == [200] * 3

    reply = caller.request("GET", PATH, headers=ORIGIN)

    assert (reply.status_code, reply.json["code"]) == (429, "RATE_LIMITED")
    assert reply.json["retryAfter"] == int(reply.headers["Retry-After"])
    assert 0 < reply.json["retryAfter"] <= 3601
    assert reply.json["request_id"] == reply.headers["X-Request-ID"]
    assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]


def test_what_is_left_is_told(caller: Caller) -> None:
    left = [caller.get(PATH).headers["RateLimit-Remaining"] for _ in range(3)]

    assert left == ["2", "1", "0"]


def test_organisations_do_not_count_for_each_other(caller: Caller, factory: Factory, limited: Flask) -> None:
    statuses(caller, 4)

    assert statuses(dataclasses.replace(factory.caller(), app=limited), 1) == [200]


def test_members_count_together(caller: Caller, factory: Factory, limited: Flask) -> None:
    statuses(caller, 3)

    assert statuses(dataclasses.replace(factory.member(caller.org_id), app=limited), 1) == [429]


def test_a_success_does_not_ask_to_come_back(caller: Caller) -> None:
    assert "Retry-After" not in caller.get(PATH).headers


def test_beyond_the_limit_nothing_is_changed(caller: Caller, factory: Factory) -> None:
    statuses(caller, 3)

    assert caller.post(PATH, {"name": "Botox", "price": 1, "keywords": ["botox"]}).status_code == 429
    assert Caller(factory.app, caller.org_id, caller.user_id, caller.token).get(PATH).json["services"] == []


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/openapi.json"])
def test_what_is_no_api_has_no_limit(limited: Flask, path: str) -> None:
    assert {limited.test_client().get(path).status_code for _ in range(6)} == {200}


def test_a_preflight_does_not_count(caller: Caller, limited: Flask) -> None:
    asked = {**ORIGIN, "Access-Control-Request-Method": "GET"}
    for _ in range(6):
        assert limited.test_client().options(PATH, headers=asked).status_code == 204

    assert statuses(caller, 1) == [200]


def test_without_a_session_the_address_counts(limited: Flask) -> None:
    client = limited.test_client()

    found = [client.get("/api/csrf-token").status_code for _ in range(4)]

    assert found == [200, 200, 200, 429]
