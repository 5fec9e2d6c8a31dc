"""Logs: one JSON object a line, with ids and costs; never a name, a number, a transcript or a secret."""

import io
import logging

import pytest
from flask import Flask

from tests.factories import Caller, Factory
from tests.observability.conftest import lines
from voxanne.config import Settings

NAME, PHONE, WORDS, ODD = "Marker Person", "+14155559876", "marker said in the call", "marker-in-exception"
CALL = {
    "phone_number": PHONE,
    "caller_name": NAME,
    "call_date": "2026-03-10",
    "duration_seconds": 60,
    "status": "completed",
    "transcript": [{"speaker": "caller", "text": WORDS}],
    "recording_url": "https://provider.example/marker-recording.mp3",
}


def test_a_request_is_one_line_with_its_cost(factory: Factory, output: io.StringIO) -> None:
    caller = factory.caller()

    caller.request("GET", "/api/services?limit=5", headers={"X-Request-ID": "req-77"})

    (line,) = lines(output)
    assert line["message"] == "request"
    assert line["request_id"] == "req-77"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/services", 200)
    assert line["database_requests"] == 1
    assert line["duration_ms"] >= line["database_ms"] > 0
    assert (line["org_id"], line["user_id"]) == (caller.org_id, caller.user_id)
    assert line["levelname"] == "INFO"
    assert line["timestamp"]


def battery(caller: Caller, factory: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of every kind, good and bad, each with values that must not show up in a log."""
    created = caller.post("/api/calls-dashboard", CALL)
    assert created.status_code == 201
    call_id = created.json["id"]
    caller.get(f"/api/calls-dashboard/{call_id}")
    caller.get(f"/api/calls-dashboard/{call_id}/recording-url")
    caller.get("/api/calls-dashboard", search=NAME)
    caller.get("/api/calls-dashboard", search=PHONE, page="0")
    caller.get("/api/calls-dashboard/stats")
    caller.get(f"/api/{NAME}/{PHONE}")
    caller.get(f"/api/services/{PHONE}")
    caller.post("/api/calls-dashboard", {**CALL, "duration_seconds": -1})
    caller.request("POST", "/api/calls-dashboard", data=f'{{"caller_name": "{NAME}"', content_type="application/json")
    caller.request("GET", "/api/services", headers={"Authorization": f"Bearer {caller.token[:-2]}"})
    duplicate = {**CALL, "vapi_call_id": f"vapi-{NAME}-{caller.org_id}"}
    assert [caller.post("/api/calls-dashboard", duplicate).status_code for _ in range(2)] == [201, 409]
    monkeypatch.setattr("voxanne.queries.services.COLUMNS", f'id,"{NAME}"')
    assert caller.get("/api/services").status_code == 500
    monkeypatch.setattr("voxanne.queries.services.list_services", fail)
    assert caller.get("/api/services").status_code == 500


def fail(*_: object, **__: object) -> None:
    try:
        {}[PHONE]
    except KeyError as cause:
        raise RuntimeError(f"{ODD} {NAME} {PHONE}") from cause


def test_nothing_private_is_logged(
    factory: Factory, output: io.StringIO, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    caller = factory.caller("agent")

    battery(caller, factory, monkeypatch)

    text = output.getvalue()
    assert len(lines(output)) > 15
    private = [NAME, "Marker%20Person", PHONE, PHONE[1:], WORDS, ODD, "marker-recording", caller.token[20:], "@clinic"]
    secrets = [settings.supabase_service_role_key, settings.supabase_jwt_secret, settings.csrf_secret]
    for value in [*private, *(secret.get_secret_value() for secret in secrets if secret)]:
        assert value not in text, value


def test_an_unforeseen_error_is_named_with_its_place(
    factory: Factory, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voxanne.queries.services.list_services", fail)

    reply = factory.caller().get("/api/services")

    error = next(line for line in lines(output) if line["message"] == "unhandled error")
    assert error["levelname"] == "ERROR"
    assert error["request_id"] == reply.json["request_id"]
    assert error["exc_info"].startswith("RuntimeError at ")
    assert "test_logs.py" in error["exc_info"]


def test_a_database_error_is_logged_by_its_code(
    factory: Factory, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voxanne.queries.services.COLUMNS", "no_such_column")

    factory.caller().get("/api/services")

    refused = next(line for line in lines(output) if line["message"] == "database refused")
    assert (refused["database_code"], refused["answered"]) == ("42703", 500)


def test_a_line_of_another_library_is_json_too(app: Flask, output: io.StringIO) -> None:
    logging.getLogger("some.library").warning("careful")
    logging.getLogger("some.library").info("chatter")

    assert [line["message"] for line in lines(output)] == ["careful"]
