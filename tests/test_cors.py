"""What browsers on other origins may do."""

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.factories import Factory

DASHBOARD, STRANGER = "http://localhost:3000", "https://evil.example"
PATHS = ["/health", "/api/agents", "/api/nowhere"]
PREFLIGHT = {
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization,content-type,x-csrf-token,x-request-id",
}


def fetch(app: Flask, path: str, origin: str | None, method: str = "GET", **headers: str) -> TestResponse:
    if origin is not None:
        headers["Origin"] = origin
    return app.test_client().open(path, method=method, headers=headers)


def cors_headers(reply: TestResponse) -> list[str]:
    return [name for name in dict(reply.headers) if name.startswith("Access-Control-")]


@pytest.mark.parametrize("path", PATHS)
def test_the_dashboard_may_read_replies_and_errors(app: Flask, path: str) -> None:
    reply = fetch(app, path, DASHBOARD)

    assert reply.headers["Access-Control-Allow-Origin"] == DASHBOARD
    assert reply.headers["Access-Control-Allow-Credentials"] == "true"
    exposed = reply.headers["Access-Control-Expose-Headers"].lower()
    for name in ["retry-after", "x-request-id", "x-csrf-token", "content-disposition", "ratelimit-remaining"]:
        assert name in exposed


@pytest.mark.parametrize("origin", [STRANGER, "null", "http://localhost:3000.evil.example", "http://localhost", ""])
@pytest.mark.parametrize("path", PATHS)
def test_other_origins_get_the_reply_without_leave_to_read_it(app: Flask, path: str, origin: str) -> None:
    reply = fetch(app, path, origin)

    assert cors_headers(reply) == []
    assert reply.status_code == fetch(app, path, None).status_code


@pytest.mark.parametrize("origin", [DASHBOARD, STRANGER, None])
@pytest.mark.parametrize("path", PATHS)
def test_caches_are_told_that_the_origin_matters(app: Flask, path: str, origin: str | None) -> None:
    assert "Origin" in fetch(app, path, origin).vary


def test_callers_that_are_no_browser_get_no_cors_headers(app: Flask) -> None:
    assert cors_headers(fetch(app, "/health", None)) == []


@pytest.mark.parametrize("path", [*PATHS, "/api/services/x", "/api/calls-dashboard/x/share"])
def test_preflight(app: Flask, path: str) -> None:
    reply = fetch(app, path, DASHBOARD, "OPTIONS", **PREFLIGHT)

    assert reply.status_code == 204
    assert reply.headers["Access-Control-Allow-Origin"] == DASHBOARD
    assert reply.headers["Access-Control-Allow-Credentials"] == "true"
    assert reply.headers["Access-Control-Max-Age"] == "86400"
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"]:
        assert method in reply.headers["Access-Control-Allow-Methods"]
    for name in PREFLIGHT["Access-Control-Request-Headers"].split(","):
        assert name in reply.headers["Access-Control-Allow-Headers"].lower()


def test_a_preflight_needs_neither_token_nor_csrf_token(app: Flask) -> None:
    assert fetch(app, "/api/services", DASHBOARD, "OPTIONS", **PREFLIGHT).status_code == 204


def test_a_stranger_s_preflight_allows_nothing(app: Flask) -> None:
    assert cors_headers(fetch(app, "/api/services", STRANGER, "OPTIONS", **PREFLIGHT)) == []


def test_header_names_that_we_do_not_take_are_not_allowed(app: Flask) -> None:
    asked = {**PREFLIGHT, "Access-Control-Request-Headers": "x-evil"}

    reply = fetch(app, "/api/services", DASHBOARD, "OPTIONS", **asked)

    assert "x-evil" not in reply.headers.get("Access-Control-Allow-Headers", "")


def test_the_allowed_origins_are_settings(app_with) -> None:
    app = app_with(cors_origin="https://one.example, https://two.example")

    assert fetch(app, "/health", "https://two.example").headers["Access-Control-Allow-Origin"] == "https://two.example"
    assert cors_headers(fetch(app, "/health", DASHBOARD)) == []


def test_a_crash_can_be_read_by_the_dashboard(app: Flask, factory: Factory, monkeypatch) -> None:
    monkeypatch.setattr("voxanne.queries.services.list_services", lambda *_, **__: 1 / 0)

    reply = factory.caller().request("GET", "/api/services", headers={"Origin": DASHBOARD})

    assert reply.status_code == 500
    assert reply.headers["Access-Control-Allow-Origin"] == DASHBOARD
