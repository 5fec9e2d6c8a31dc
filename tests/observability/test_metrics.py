"""/metrics: who may read it, what it tells, and that nothing a caller sends makes it grow."""

import random
import re
import uuid
from collections.abc import Callable

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from tests.conftest import METRICS_TOKEN
from tests.factories import Caller, Factory, mint_token
from voxanne.observability import metrics
from voxanne.signals import provider_call, webhook_event

NOBODY = "http://127.0.0.1:1"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(app: Flask, **headers: str) -> TestResponse:
    return app.test_client().get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}", **headers})


def series(app: Flask) -> Series:
    reply = read(app)
    assert reply.status_code == 200
    families = text_string_to_metric_families(reply.text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def grown(app: Flask, act: Callable[[], object], name: str, **labels: str) -> float:
    key = (f"voxanne_{name}", frozenset(labels.items()))
    before = series(app).get(key, 0.0)
    act()
    return series(app).get(key, 0.0) - before


def route(method: str, path: str, **more: str) -> dict[str, str]:
    return {"method": method, "route": path, **more}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {METRICS_TOKEN}", "Bearer ü"])
def test_only_the_token_opens_it(app: Flask, header: str) -> None:
    reply = read(app, Authorization=header)

    assert (reply.status_code, reply.json["code"]) == (401, "UNAUTHENTICATED")


def test_a_callers_token_does_not(factory: Factory) -> None:
    assert factory.operator().get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 404),
        ({"app_env": "development"}, 200),
        ({"app_env": "development", "host": "0.0.0.0"}, 404),
    ],
    ids=str,
)
def test_without_a_token_it_is_there_in_development_on_loopback_only(
    app_with: Callable[..., Flask], changes: dict[str, str], status: int
) -> None:
    reply = read(app_with(metrics_token=None, **changes))

    assert reply.status_code == status
    if status == 404:
        assert reply.json["code"] == "NOT_FOUND"


def test_the_text_is_prometheuss(app: Flask) -> None:
    reply = read(app)

    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert all(name.startswith("voxanne_") for name, _ in series(app))


def test_requests_are_counted_by_template_and_status(app: Flask, factory: Factory) -> None:
    caller = factory.caller()
    path = f"/api/services/{factory.service(caller.org_id)}"
    template = "/api/services/<uuid:service_id>"

    def get() -> object:
        return caller.get(path)

    assert grown(app, get, "http_requests_total", **route("GET", template, status="200")) == 1
    assert grown(app, get, "http_request_duration_seconds_count", **route("GET", template)) == 1
    assert grown(app, get, "http_request_duration_seconds_bucket", **route("GET", template, le="+Inf")) == 1
    assert grown(app, get, "database_request_duration_seconds_count", **route("GET", template)) == 1
    assert grown(app, get, "database_requests_total", query="GET services", outcome="ok") == 1
    assert grown(app, get, "http_slow_requests_total", **route("GET", template)) == 0


def test_errors_are_counted_too(app: Flask, app_with: Callable[..., Flask], factory: Factory) -> None:
    caller, lost = factory.caller(), app_with(supabase_url=NOBODY)
    stranger = Caller(lost, caller.org_id, caller.user_id, caller.token)
    wrong = route("GET", "/api/services", status="401")
    token = caller.token

    def ask_lost() -> None:
        settings = lost.config["SETTINGS"]
        stranger.token = mint_token(settings, user_id=caller.user_id, org_id=caller.org_id)
        assert stranger.get("/api/services").status_code == 503

    assert grown(app, lambda: Caller(app, "", "", token[:-3]).get("/api/services"), "http_requests_total", **wrong) == 1
    assert grown(app, ask_lost, "http_requests_total", **route("GET", "/api/services", status="503")) == 1
    assert grown(app, ask_lost, "database_requests_total", query="GET services", outcome="unreachable") == 1


def test_the_cache_is_counted_by_region(app: Flask, factory: Factory) -> None:
    caller = factory.caller()

    def get() -> object:
        return caller.get("/api/agents")

    assert grown(app, get, "cache_events_total", region="agents", event="misses") == 1
    assert grown(app, get, "cache_events_total", region="agents", event="hits") == 1
    other = factory.caller()
    assert grown(app, lambda: other.get("/api/agents"), "cache_load_duration_seconds_count", region="agents") == 1


def test_what_is_under_way_is_counted_down_again(app: Flask, factory: Factory) -> None:
    for _ in range(3):
        factory.caller().get("/api/services")
        app.test_client().get("/nowhere")
        app.test_client().options("/api/services", headers={"Access-Control-Request-Method": "GET"})

    found = series(app)

    assert found["voxanne_http_requests_in_flight", frozenset()] == 1  # the one that asks
    assert found["voxanne_database_pool_connections_in_use", frozenset()] == 0
    assert found["voxanne_database_pool_connections_limit", frozenset()] == 32


def test_the_database_and_the_process_are_told(app: Flask) -> None:
    found = {name: value for (name, labels), value in series(app).items() if not labels}

    assert found["voxanne_database_up"] == 1
    assert found["voxanne_database_size_bytes"] > 1_000_000
    assert 0 < found["voxanne_database_connections"] < found["voxanne_database_connections_limit"]
    assert found["voxanne_process_resident_memory_bytes"] > 20_000_000
    assert found["voxanne_process_cpu_seconds_total"] > 0
    assert found["voxanne_process_threads"] >= 1
    assert found["voxanne_process_open_files"] > 3


def test_while_the_database_is_away_the_rest_is_still_told(app_with: Callable[..., Flask]) -> None:
    found = series(app_with(supabase_url=NOBODY))

    assert found["voxanne_database_up", frozenset()] == 0
    assert ("voxanne_database_connections", frozenset()) not in found
    assert ("voxanne_http_requests_in_flight", frozenset()) in found


def test_providers_and_webhooks_are_counted_by_outcome(app: Flask) -> None:
    def call() -> None:
        provider_call.send(provider="vapi", operation="GET assistant", outcome="refused", seconds=0.2)

    def fail() -> None:
        webhook_event.send(source="vapi", event_type="status-update", outcome="failed", seconds=0.1)

    refused = {"provider": "vapi", "operation": "GET assistant", "outcome": "refused"}
    failed = {"source": "vapi", "event_type": "status-update", "outcome": "failed"}
    assert grown(app, call, "provider_calls_total", **refused) == 1
    assert grown(app, call, "provider_call_duration_seconds_count", provider="vapi") == 1
    assert grown(app, fail, "webhook_events_total", **failed) == 1
    assert grown(app, fail, "webhook_failures_total", source="vapi") == 1
    assert ("voxanne_webhook_failures_total", frozenset({("source", "twilio")})) in series(app)


def test_nothing_that_callers_send_makes_a_series(app: Flask, factory: Factory) -> None:
    caller = factory.caller()
    chance = random.Random(5)

    def storm(times: int) -> None:
        for _ in range(times):
            wild = uuid.UUID(int=chance.getrandbits(128))
            method = chance.choice(["GET", "POST", "DELETE", "BREW", f"M{wild.hex[:6]}"])
            path = chance.choice(
                [f"/{wild}", f"/api/{wild}/x", f"/api/services/{wild}", f"/api/services/{wild}/y", "/api/services"]
            )
            caller.request(method, path, query_string={str(wild): "x"}, headers={"X-Request-ID": str(wild)})

    storm(150)
    read(app)  # its own series come with its second reading
    before = set(series(app))
    storm(2000)
    after = set(series(app))

    assert after == before
    routes = {dict(labels)["route"] for _, labels in after if "route" in dict(labels)}
    assert not [route for route in routes if re.search(r"[0-9a-f]{8}", route)]
    assert {dict(labels)["method"] for _, labels in after if "method" in dict(labels)} <= {
        *metrics.METHODS, "other", "(none)",
    }  # fmt: skip


def test_what_other_modules_report_is_bounded(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ("_providers", "_operations", "_outcomes", "_sources", "_event_types"):  # or none are left for others
        monkeypatch.setattr(metrics, words, metrics.Words())
    for _ in range(3 * metrics.MOST_WORDS):
        word = uuid.uuid4().hex
        provider_call.send(provider=word, operation=word, outcome=word, seconds=0.1)
        webhook_event.send(source=word, event_type=word, outcome=word, seconds=0.1)
    before = len(series(app))
    for _ in range(500):
        word = uuid.uuid4().hex
        provider_call.send(provider=word, operation=word, outcome=word, seconds=0.1)
        webhook_event.send(source=word, event_type=word, outcome=word, seconds=0.1)

    assert len(series(app)) == before


def test_no_label_names_anybody(app: Flask, factory: Factory) -> None:
    caller = factory.caller()
    call_id = factory.call(caller.org_id, caller_name="Marker Person")
    caller.get(f"/api/calls-dashboard/{call_id}")
    caller.get("/api/calls-dashboard", search="Marker Person")

    text = read(app).text

    for private in (caller.org_id, caller.user_id, call_id, "Marker", "+1415"):
        assert private not in text
