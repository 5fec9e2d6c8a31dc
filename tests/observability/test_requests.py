"""Server-Timing, the request log and the slow requests in it: durations and counts, never a value."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from flask import Flask
from flask_compress import flask_compress

from tests.factories import Caller, Factory
from tests.observability.conftest import lines
from voxanne.signals import database_request

FORM = re.compile(
    r'total;dur=(?P<total>[\d.]+), db;dur=(?P<db>[\d.]+);desc="(?P<requests>\d+) requests", '
    r'cache;dur=(?P<cache>[\d.]+);desc="(?P<hits>\d+) hits, (?P<misses>\d+) misses", '
    r'auth;dur=(?P<auth>[\d.]+);desc="(?P<checks>\d+) checks"'
)


def timing(reply) -> dict[str, float]:
    found = FORM.fullmatch(reply.headers["Server-Timing"])
    assert found, reply.headers["Server-Timing"]
    return {name: float(value) for name, value in found.groupdict().items()}


@pytest.mark.parametrize(
    ("method", "path", "cold", "warm"),
    [
        ("GET", "/", (0, 0, 0, 1), (0, 0, 0, 1)),
        ("GET", "/api/services", (1, 0, 0, 1), (1, 0, 0, 1)),
        ("GET", "/api/agents", (1, 0, 1, 1), (0, 1, 0, 1)),
        ("DELETE", "/api/services/{service}", (2, 0, 1, 2), (1, 1, 0, 2)),
        ("GET", "/nowhere", (0, 0, 0, 0), (0, 0, 0, 0)),
    ],
)
def test_each_kind_of_route_tells_where_its_time_went(
    factory: Factory, method: str, path: str, cold: tuple, warm: tuple
) -> None:
    caller = factory.caller()

    for counts in (cold, warm):
        told = timing(caller.request(method, path.format(service=factory.service(caller.org_id))))
        assert (told["requests"], told["hits"], told["misses"], told["checks"]) == counts
        assert told["total"] >= told["db"]
        assert (told["db"] > 0) == (counts[0] > 0)


def test_a_load_is_the_databases_time_and_not_the_caches(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voxanne.queries.members.list_agents", lambda *_: time.sleep(0.2) or [])

    told = timing(factory.caller().get("/api/agents"))

    assert told["cache"] <= told["total"] - 200 + 0.1


def test_the_databases_time_is_that_of_the_whole_answer(factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, order = factory.caller(), []

    class Body(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            order.append("read")
            yield b"[]"

    here, send = threading.get_ident(), httpx.HTTPTransport.handle_request

    def noted(_sender: object, **_: object) -> None:
        if threading.get_ident() == here:  # and no background load of a value that an earlier test read
            order.append("noted")

    def answer(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if threading.get_ident() != here:
            return send(transport, request)
        return httpx.Response(200, headers=reply, stream=Body())

    reply = {"Content-Type": "application/json", "Content-Range": "*/0"}
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    with database_request.connected_to(noted):
        assert caller.get("/api/services").json["services"] == []

    assert order == ["read", "noted"]


def test_compression_counts(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    compress = flask_compress._compress_data

    def slowly(*args: object) -> object:
        time.sleep(0.1)
        return compress(*args)

    monkeypatch.setattr(flask_compress, "_compress_data", slowly)

    reply = app.test_client().get("/openapi.json", headers={"Accept-Encoding": "gzip"})

    assert reply.headers["Content-Encoding"] == "gzip"
    assert timing(reply)["total"] >= 100


def slow_app(app_with: Callable[..., Flask], factory: Factory, **settings: int) -> Caller:
    caller = factory.caller()
    return Caller(app_with(**settings), caller.org_id, caller.user_id, caller.token)


def test_a_slow_request_is_a_warning_with_the_names_of_its_queries(
    app_with: Callable[..., Flask], factory: Factory, output
) -> None:
    caller = slow_app(app_with, factory, slow_request_ms=1)
    call_id = factory.call(caller.org_id, caller_name="Marker Person")

    caller.get("/api/calls-dashboard", search="Marker Person", date_filter="today")
    caller.get(f"/api/calls-dashboard/{call_id}")

    logged, slow = lines(output), [line for line in lines(output) if line["message"] == "slow request"]
    assert [line["message"] for line in logged] == ["request", "slow request"] * 2
    assert {line["levelname"] for line in slow} == {"WARNING"}
    assert [line["route"] for line in slow] == ["/api/calls-dashboard", "/api/calls-dashboard/<uuid:call_id>"]
    assert len(slow[0]["queries"]) == slow[0]["database_requests"] == 2
    assert all(re.fullmatch(r"(GET|POST) [a-z_/]+", query["name"]) for line in slow for query in line["queries"])
    assert all(query["ms"] > 0 for query in slow[0]["queries"])
    assert "Marker" not in json.dumps(logged)
    assert call_id not in json.dumps(logged)


def test_a_file_of_storage_is_not_named(app_with: Callable[..., Flask], factory: Factory, output) -> None:
    caller = slow_app(app_with, factory, slow_request_ms=1)
    call_id = factory.call(caller.org_id, recording_storage_path=f"{caller.org_id}/marker.mp3")

    link = caller.get(f"/api/calls-dashboard/{call_id}").json["recording_url"]
    caller.app.test_client().get(link.split("localhost", 1)[-1])

    names = [query["name"] for line in lines(output) if "queries" in line for query in line["queries"]]
    assert "POST /storage/v1/object/sign" in names
    assert not any("marker" in name or caller.org_id in name for name in names)


def test_what_is_quick_is_not_called_slow(app_with: Callable[..., Flask], factory: Factory, output) -> None:
    slow_app(app_with, factory, slow_request_ms=60_000).get("/api/services")

    assert [line["message"] for line in lines(output)] == ["request"]


def test_the_log_and_the_header_tell_the_same(factory: Factory, output) -> None:
    caller = factory.caller()
    caller.get("/api/agents")
    told = timing(caller.get("/api/agents"))

    line = lines(output)[-1]
    assert (line["cache_hits"], line["cache_misses"], line["auth_checks"]) == (1, 0, 1)
    assert line["duration_ms"] == told["total"]
    assert (line["cache_ms"], line["auth_ms"]) == (told["cache"], told["auth"])
