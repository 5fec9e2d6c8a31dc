"""/, /health and /api/csrf-token."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from voxanne import database
from voxanne.services import health
from voxanne.services.webhooks import drainer, spool
from voxanne.services.webhooks.deliveries import Delivery


def test_the_root_says_what_this_is_and_where_to_go(app: Flask) -> None:
    client = app.test_client()
    body = client.get("/").json

    assert set(body) == {"name", "version", "endpoints"}
    assert body["name"] == "Voxanne"
    for path in ("/health", "/docs", "/openapi.json"):
        assert path in body["endpoints"].values()
        assert client.get(path).status_code == 200


def test_health_tells_what_was_really_asked(app: Flask) -> None:
    before = datetime.now(UTC)

    reply = app.test_client().get("/health")

    body = reply.json
    assert reply.status_code == 200
    assert set(body) == {"status", "services", "timestamp", "uptime", "database_size_mb", "queueMetrics"}
    assert body["status"] == "ok"
    assert (body["services"]["database"], body["services"]["supabase"]) == (True, True)
    assert before <= datetime.fromisoformat(body["timestamp"]) <= datetime.now(UTC)
    assert body["database_size_mb"] > 1


def test_health_claims_nothing_that_is_not_there(app: Flask) -> None:
    # D-81: the original said that its background jobs run whether they did or not.
    body = app.test_client().get("/health").json

    assert (body["services"]["backgroundJobs"], body["services"]["webhookQueue"]) == (False, False)
    assert body["queueMetrics"] is None


def test_health_tells_of_the_thread_and_of_the_events_that_wait(app_with, tmp_path) -> None:
    app = app_with(webhook_spool_dir=tmp_path / "spool", supabase_url="http://127.0.0.1:1")
    # Whose it is only the database can say, so the thread can't have done with it.
    whose = {"type": "status-update", "status": "ended", "call": {"id": "call-1", "assistantId": "asst-1"}}
    waiting = Delivery("vapi", None, {"message": whose}, datetime.now(UTC))
    spool.of(app).put(waiting)
    drainer.of(app).start()
    try:
        reply = app.test_client().get("/health")
    finally:
        drainer.of(app).stop(timeout=60)

    assert reply.status_code == 503
    assert reply.json["services"] == {
        "database": False, "supabase": False, "backgroundJobs": True, "webhookQueue": True,
    }  # fmt: skip
    assert reply.json["queueMetrics"]["waiting"] == 1
    assert app.test_client().get("/health").json["services"]["backgroundJobs"] is False


def test_a_queue_that_can_not_be_read_is_none(app_with, tmp_path) -> None:
    (tmp_path / "events.sqlite").write_text("this is no database, and long enough to be seen as none " * 100)

    body = app_with(webhook_spool_dir=tmp_path).test_client().get("/health").json

    assert (body["status"], body["services"]["webhookQueue"], body["queueMetrics"]) == ("ok", False, None)


def test_the_size_is_the_database_s(app: Flask, sql) -> None:
    size = sql.execute("select pg_database_size(current_database()) as bytes").fetchone()["bytes"]

    assert abs(app.test_client().get("/health").json["database_size_mb"] - size / 2**20) < 5


def test_the_uptime_grows(app: Flask) -> None:
    first = app.test_client().get("/health").json["uptime"]
    time.sleep(0.2)

    assert first < app.test_client().get("/health").json["uptime"]


def test_a_full_database_is_an_error_that_still_answers(app_with) -> None:
    reply = app_with(database_size_limit_mb=1).test_client().get("/health")

    assert (reply.status_code, reply.json["status"]) == (200, "error")
    assert reply.json["services"]["database"] is True


def test_without_auth_it_is_degraded(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.Supabase, "auth_answers", lambda *_: False)

    reply = app.test_client().get("/health")

    assert (reply.status_code, reply.json["status"]) == (200, "degraded")
    assert reply.json["services"]["supabase"] is False


@pytest.mark.parametrize(
    ("size", "limit", "auth", "expected"),
    [
        (500.0, 0, True, "ok"), (80.0, 100, True, "ok"), (80.1, 100, True, "degraded"), (96.0, 100, True, "degraded"),
        (96.1, 100, True, "error"), (10.0, 100, False, "degraded"), (97.0, 100, False, "error"),
        (None, 0, True, "error"), (None, 100, False, "error"),
    ],
)  # fmt: skip
def test_the_judgement(size: float | None, limit: int, auth: bool, expected: str) -> None:
    assert health.judge(size, supabase=auth, limit_mb=limit) == expected


def test_a_csrf_token_is_for_everybody_and_lives_a_day_at_least(app: Flask) -> None:
    reply = app.test_client().get("/api/csrf-token")

    assert reply.status_code == 200
    assert set(reply.json) == {"csrfToken", "expiresAt"}
    assert datetime.fromisoformat(reply.json["expiresAt"]) - datetime.now(UTC) >= timedelta(hours=24)
