"""The whole program while Redis is away: right answers, and one wait for it at the most."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis.connection
from flask import Flask
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests.cache.redis_server import RedisServer
from tests.factories import Caller, Factory

CACHED = "/api/agents"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def app_on_redis(server: RedisServer, app_with) -> Flask:
    return app_with(redis_url=server.url, rate_limit_per_org_hour=1000)


@pytest.fixture
def caller(factory: Factory, app_on_redis: Flask) -> Caller:
    return dataclasses.replace(factory.caller(), app=app_on_redis)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The time-outs that anything in this program met, except the thread that looks whether Redis is back."""
    met: list[str] = []
    original = redis.connection.Connection.read_response

    def read_response(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(self, *args, **kwargs)
        except RedisTimeoutError:
            if threading.current_thread() is threading.main_thread():
                met.append("time-out")
            raise

    monkeypatch.setattr(redis.connection.Connection, "read_response", read_response)
    return met


def test_a_request_waits_for_a_hung_redis_once(caller: Caller, server: RedisServer, waits: list[str]) -> None:
    assert caller.get(CACHED).status_code == 200
    server.hang()

    answers = [caller.get(CACHED).status_code for _ in range(5)]

    assert answers == [200] * 5
    assert len(waits) <= 1
    server.resume()


def test_limits_and_cache_are_back_when_redis_is(caller: Caller, server: RedisServer) -> None:
    server.kill()
    assert [caller.get(CACHED).status_code for _ in range(3)] == [200] * 3
    server.start()

    def used() -> set[bytes]:
        assert caller.get(CACHED).status_code == 200
        return {key.split(b"/")[0].split(b":")[0] for key in server.client.scan_iter()}

    deadline = time.monotonic() + 60
    while len(used()) < 2:
        assert time.monotonic() < deadline, "neither counts nor values reached Redis again"
        time.sleep(0.1)
