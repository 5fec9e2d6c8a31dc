"""Supabase stopped, hung or gone: a quick and honest 503, and everything as before once it is back."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory, mint_token
from voxanne.config import Settings
from voxanne.services import health

ORG, USER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
LIMIT_SECONDS = 1.0
USUAL_SECONDS = settings_for_tests().supabase_timeout_seconds
ROUTES = [
    ("GET", "/api/calls-dashboard"),
    ("GET", "/api/calls-dashboard/stats"),
    ("GET", f"/api/calls-dashboard/{ORG}"),
    ("GET", "/api/services"),
    ("GET", "/api/agents"),
    ("GET", f"/api/orgs/validate/{ORG}"),
    ("DELETE", f"/api/services/{ORG}"),
]


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, nor will while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def hangs_up() -> Iterator[str]:
    """An address that takes connections and ends them at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def caller_of(app: Flask) -> Caller:
    settings: Settings = app.config["SETTINGS"]
    return Caller(app, ORG, USER, mint_token(settings, user_id=USER, org_id=ORG))


def assert_unavailable(reply) -> None:
    assert (reply.status_code, reply.json["code"]) == (503, "DATABASE_UNAVAILABLE")
    assert 0 < reply.json["retryAfter"] == int(reply.headers["Retry-After"]) <= 30


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("place", ["nobody", "silence", "hangs_up"])
def test_every_route_says_so_in_time(request, app_with, place: str, method: str, path: str) -> None:
    app = app_with(supabase_url=request.getfixturevalue(place), supabase_timeout_seconds=0.3)
    started = time.monotonic()

    assert_unavailable(caller_of(app).request(method, path))

    assert time.monotonic() - started < USUAL_SECONDS, "that is the usual limit, and no longer the one that was set"


@pytest.mark.parametrize("place", ["nobody", "silence"])
def test_health_is_honest(request, app_with, monkeypatch, place: str) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", LIMIT_SECONDS)
    app = app_with(supabase_url=request.getfixturevalue(place), supabase_timeout_seconds=LIMIT_SECONDS)

    reply = app.test_client().get("/health")

    assert reply.status_code == 503
    assert reply.json["status"] == "error"
    assert reply.json["services"] == {
        "database": False, "supabase": False, "backgroundJobs": False, "webhookQueue": False,
    }  # fmt: skip
    assert reply.json["database_size_mb"] is None


def test_what_needs_no_database_goes_on(nobody: str, app_with) -> None:
    client = app_with(supabase_url=nobody).test_client()

    assert {client.get(path).status_code for path in ["/", "/docs", "/openapi.json", "/api/csrf-token"]} == {200}


def control(settings: Settings, action: str, part: str) -> None:
    httpx.post(f"{settings.supabase_base}/__control/{action}/{part}", timeout=30).raise_for_status()


@pytest.fixture
def app_with_little_patience(app_with, settings: Settings) -> Flask:
    probe = httpx.post(f"{settings.supabase_base}/__control/resume/rest")
    if probe.status_code != 200:
        pytest.skip("this Supabase can't be stopped from here")
    return app_with(supabase_timeout_seconds=LIMIT_SECONDS)


OUTAGES = [("stop", "start", "rest"), ("pause", "resume", "rest"), ("pause", "resume", "postgres")]


@pytest.mark.parametrize("outage", OUTAGES, ids=[f"{down}-{part}" for down, _, part in OUTAGES])
def test_after_an_outage_all_is_as_before(
    app_with_little_patience: Flask, factory: Factory, settings: Settings, outage: tuple[str, str, str]
) -> None:
    down, up, part = outage
    caller = factory.caller()
    caller.app = app_with_little_patience
    service = factory.service(caller.org_id)
    control(settings, down, part)
    try:
        started = time.monotonic()
        assert_unavailable(caller.get("/api/services"))
        assert_unavailable(caller.post("/api/services", {"name": "Lost", "price": 1, "keywords": ["x"]}))
        health = caller.app.test_client().get("/health")
        assert (health.status_code, health.json["services"]["database"]) == (503, False)
        assert health.json["services"]["supabase"] is True  # Auth is asked for itself, and is up
        assert time.monotonic() - started < USUAL_SECONDS, "those are the usual limits, not those set"
    finally:
        control(settings, up, part)

    assert_back(caller, service)


def test_connections_that_the_database_ends_are_made_anew(
    app_with_little_patience: Flask, factory: Factory, sql: psycopg.Connection, settings: Settings
) -> None:
    caller = factory.caller()
    caller.app = app_with_little_patience
    service = factory.service(caller.org_id)
    caller.get("/api/services")

    sql.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'")

    assert caller.get("/api/services").status_code in {200, 503}
    assert_back(caller, service)
    for action in ("stop", "start"):  # PostgREST, which may have more dead ones for the tests to come
        control(settings, action, "rest")
    assert_back(caller, service)


def assert_back(caller: Caller, service: str) -> None:
    """Within seconds the list is whole again, and health good."""
    deadline = time.monotonic() + 60
    while (reply := caller.get("/api/services")).status_code != 200 and time.monotonic() < deadline:
        assert_unavailable(reply)
        time.sleep(0.1)
    assert service in [row["id"] for row in reply.json["services"]]
    while (reply := caller.app.test_client().get("/health")).status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert reply.status_code == 200
