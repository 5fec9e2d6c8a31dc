"""Rate limits: per organisation, on the API only."""

import dataclasses
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.factories import Caller, Factory
from voxanne import limits
from voxanne.limits import CountsInProcess

PATH = "/api/services"
ORIGIN = {"Origin": "http://localhost:3000"}


@pytest.fixture(params=["in process", "on Redis"])
def limited(request, app_with) -> Flask:
    redis_url = os.environ.get("REDIS_URL") if request.param == "on Redis" else None
    if request.param == "on Redis" and redis_url is None:
        pytest.skip("no REDIS_URL")
    few = {"rate_limit_per_org_hour": 3, "rate_limit_failed_auth_minute": 2}
    return app_with(**few, redis_url=redis_url, cache_key_prefix=f"test-{os.urandom(4).hex()}")


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


def stranger(app: Flask, authorization: str | None, address: str = "192.0.2.1", path: str = PATH) -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return app.test_client().get(path, headers=headers, environ_base={"REMOTE_ADDR": address})


@pytest.mark.parametrize("authorization", [None, "Bearer undefined", "Bearer eyJ.forged.token", "Basic YTpi"])
def test_beyond_the_limit_a_bad_token_is_told_when_to_come_back(limited: Flask, authorization: str | None) -> None:
    assert [stranger(limited, authorization).status_code for _ in range(2)] == [401, 401]

    reply = stranger(limited, authorization)

    assert (reply.status_code, reply.json["code"]) == (429, "RATE_LIMITED")
    assert 0 < reply.json["retryAfter"] == int(reply.headers["Retry-After"]) <= 61
    assert reply.json["request_id"] == reply.headers["X-Request-ID"]
    assert reply.headers["RateLimit-Remaining"] == "0"


def test_bad_tokens_count_together_whatever_the_route(limited: Flask) -> None:
    paths = (PATH, "/api/agents", "/api/team/members", PATH)

    found = [stranger(limited, "Bearer forged", path=path).status_code for path in paths]

    assert found == [401, 401, 429, 429]


def test_bad_tokens_of_an_address_do_not_count_for_another(limited: Flask) -> None:
    for _ in range(4):
        stranger(limited, "Bearer forged")

    assert stranger(limited, "Bearer forged", "192.0.2.2").status_code == 401


def test_a_valid_token_is_taken_whatever_else_comes_from_its_address(caller: Caller, limited: Flask) -> None:
    for _ in range(9):
        stranger(limited, "Bearer forged", "127.0.0.1")
    assert stranger(limited, "Bearer forged", "127.0.0.1").status_code == 429

    assert statuses(caller, 3) == [200] * 3
    assert stranger(limited, None, "127.0.0.1", "/api/csrf-token").status_code == 200


def test_valid_requests_leave_bad_ones_their_own_count(caller: Caller, limited: Flask) -> None:
    statuses(caller, 4)

    assert stranger(limited, "Bearer forged", "127.0.0.1").status_code == 401


def test_processes_count_bad_tokens_together_on_redis(app_with) -> None:
    shared = {"redis_url": os.environ["REDIS_URL"], "cache_key_prefix": f"test-{os.urandom(4).hex()}"}
    here, there = (app_with(rate_limit_failed_auth_minute=2, **shared) for _ in range(2))

    found = [stranger(app, "Bearer forged").status_code for app in (here, there, here, there)]

    assert found == [401, 401, 429, 429]


def test_bad_tokens_are_counted_while_redis_is_away(app_with) -> None:
    app = app_with(rate_limit_failed_auth_minute=2, redis_url="redis://127.0.0.1:1/0")

    assert [stranger(app, "Bearer forged").status_code for _ in range(4)] == [401, 401, 429, 429]


@pytest.mark.parametrize("redis_url", [None, "redis://127.0.0.1:1/0"], ids=["in process", "Redis away"])
def test_threads_that_come_at_once_are_all_counted(app_with, monkeypatch, redis_url: str | None) -> None:
    """Each count may start the timer that forgets old ones; two at once, and one raised instead of counting."""

    def timer(storage: CountsInProcess) -> threading.Timer:
        time.sleep(0.001)  # between the look whether it runs and the start, others look too
        return storage._timer

    monkeypatch.setattr(limits, "_FORGET_SECONDS", 0.01)
    app = app_with(rate_limit_failed_auth_minute=20, redis_url=redis_url)
    assert stranger(app, "Bearer forged").status_code == 401  # meets the Redis that is away
    monkeypatch.setattr(CountsInProcess, "timer", CountsInProcess.timer.getter(timer))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: stranger(app, "Bearer forged").status_code, range(39)))

    assert sorted(found) == [401] * 19 + [429] * 20


def test_counting_does_not_start_a_thread_each_time() -> None:
    storage = CountsInProcess()
    storage.incr("somebody", 60)
    running = storage.timer
    time.sleep(0.05)  # the library's own is over by then

    assert storage.incr("somebody", 60) == 2
    assert storage.timer is running
    assert running.is_alive()


def test_old_counts_are_forgotten(monkeypatch) -> None:
    monkeypatch.setattr(limits, "_FORGET_SECONDS", 0.01)
    storage = CountsInProcess()
    storage.incr("somebody", 0.001)

    for _ in range(500):
        time.sleep(0.02)
        storage.incr("somebody else", 60)
        if "somebody" not in storage.storage:
            return
    pytest.fail("still there")
