"""POST /api/calls-dashboard."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder

PATH = "/api/calls-dashboard"
LEAST = {"phone_number": "+442071234567", "call_date": "2026-03-10", "duration_seconds": 60, "status": "completed"}
FULL = {
    **LEAST,
    "caller_name": "Zoë O'Hara",
    "recording_url": "https://provider.example/1.wav",
    "transcript": [{"speaker": "caller", "text": "Hi", "timestamp": 1773144000000, "sentiment": "positive"}],
    "sentiment_score": 0.75,
    "action_items": ["Call back"],
}


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller("agent")


def created(caller: Caller, body: dict[str, Any], request_id: str | None = None) -> dict[str, Any]:
    reply = caller.post(PATH, body, headers={"X-Request-ID": request_id} if request_id else {})
    assert reply.status_code == 201, reply.json
    assert reply.json["id"] == reply.json["call"]["id"]
    return reply.json["call"]


def stored(caller: Caller) -> list[str]:
    return [call["id"] for call in caller.get(PATH).json["calls"]]


def test_a_call_is_stored_as_sent_and_shown_at_once(caller: Caller) -> None:
    body = {**FULL, "vapi_call_id": f"call_{uuid.uuid4()}"}

    call = created(caller, body)

    assert {name: call[name] for name in body if name != "call_date"} == {
        name: value for name, value in body.items() if name != "call_date"
    }
    assert (call["call_type"], call["org_id"], call["sentiment_label"]) == ("outbound", caller.org_id, "positive")
    assert stored(caller) == [call["id"]]
    detail = caller.get(f"{PATH}/{call['id']}").json
    assert (detail["transcript"], detail["action_items"]) == (FULL["transcript"], FULL["action_items"])
    assert (detail["has_recording"], detail["has_transcript"]) == (True, True)


def test_one_request_stores_it(caller: Caller, recorder: RequestRecorder) -> None:
    created(caller, LEAST)
    created(caller, LEAST)  # by now the role is in the cache

    assert recorder.last == ["POST calls"]


def test_the_least_there_must_be(caller: Caller) -> None:
    call = created(caller, LEAST)

    assert [call[name] for name in ("caller_name", "sentiment_score", "sentiment_label", "vapi_call_id")] == [None] * 4
    assert (call["transcript"], call["action_items"]) == (None, [])


def test_left_out_parts_of_a_turn_are_filled_in(caller: Caller) -> None:
    call = created(caller, {**LEAST, "transcript": [{"speaker": "voxanne", "text": "Hello"}]})

    assert call["transcript"] == [{"speaker": "voxanne", "text": "Hello", "timestamp": 0, "sentiment": "neutral"}]


@pytest.mark.parametrize(
    ("sent", "means"),
    [
        ("2026-03-10", datetime(2026, 3, 10, tzinfo=UTC)),
        ("2026-03-10T12:30:00Z", datetime(2026, 3, 10, 12, 30, tzinfo=UTC)),
        ("2026-03-10T12:30:00.250+02:00", datetime(2026, 3, 10, 10, 30, 0, 250_000, tzinfo=UTC)),
        ("2026-03-10T12:30:00", datetime(2026, 3, 10, 12, 30, tzinfo=UTC)),
        ("Tue, 10 Mar 2026 12:30:00 GMT", datetime(2026, 3, 10, 12, 30, tzinfo=UTC)),
    ],
)
def test_dates_of_any_usual_form(caller: Caller, sent: str, means: datetime) -> None:
    assert datetime.fromisoformat(created(caller, {**LEAST, "call_date": sent})["call_date"]) == means


@pytest.mark.parametrize("sent", ["+44 20 7123 4567", "+44 (20) 7123-4567", "+44.20.7123.4567"])
def test_numbers_are_stored_in_one_form(caller: Caller, sent: str) -> None:
    assert created(caller, {**LEAST, "phone_number": sent})["phone_number"] == "+442071234567"


LABELS = [
    (0, "negative"), (0.39, "negative"), (0.4, "neutral"), (0.5, "neutral"), (0.6, "neutral"), (0.61, "positive"),
    (1, "positive"), (None, None),
]  # fmt: skip


@pytest.mark.parametrize(("score", "label"), LABELS)
def test_the_score_gives_the_label(caller: Caller, score: float | None, label: str | None) -> None:
    assert created(caller, {**LEAST, "sentiment_score": score})["sentiment_label"] == label


TURN = {"speaker": "caller", "text": "Hi"}
WRONG = [
    *[("phone_number", value) for value in (None, "", "12345", "0207 123 4567", "+0123456789", "+1" * 20, 44, "test")],
    *[("call_date", value) for value in (None, "", "yesterday", "2026-02-30", "0001-01-01", "9999-12-31", 5, [])],
    *[("duration_seconds", value) for value in (None, -1, 1.5, "long", 10**12, [])],
    *[("status", value) for value in (None, "", "queued", "in-progress", "COMPLETED", 1)],
    *[("recording_url", value) for value in ("", "x", "ftp://x/1", "javascript:alert(1)", "https://" + "x" * 2000)],
    *[("sentiment_score", value) for value in (-0.01, 1.01, "good", "NaN", [])],
    *[("vapi_call_id", value) for value in ("", "x" * 201, 7)],
    *[("caller_name", value) for value in ("x" * 201, 7, ["Anna"])],
    *[("action_items", value) for value in ("call", [1], [None], ["x" * 1001], ["x"] * 101, {})],
    *[("transcript", value) for value in ("Hi", [1], ["Hi"], {}, [TURN] * 2001)],
    *[("transcript", [{**TURN, "speaker": value}]) for value in (None, "", "agent")],
    *[("transcript", [{**TURN, "text": value}]) for value in (None, 1, "x" * 10_001)],
    *[("transcript", [{**TURN, "timestamp": value}]) for value in (-1, "soon", 1e16)],
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda value: str(value)[:30])
def test_what_is_wrong_is_named_and_reaches_no_database(
    caller: Caller, recorder: RequestRecorder, field: str, value: Any
) -> None:
    reply = caller.post(PATH, {**FULL, field: value})

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert {item["field"].split(".")[0] for item in reply.json["details"]} == {field}
    assert recorder.last == []


@pytest.mark.parametrize("field", LEAST)
def test_each_field_is_needed(caller: Caller, field: str) -> None:
    reply = caller.post(PATH, {name: value for name, value in LEAST.items() if name != field})

    assert (reply.status_code, [item["field"] for item in reply.json["details"]]) == (400, [field])


def test_what_is_not_a_field_is_left_out(caller: Caller, factory: Factory) -> None:
    foreign = {"org_id": factory.org(), "id": str(uuid.uuid4()), "call_type": "inbound", "is_test_call": True}

    call = created(caller, {**LEAST, **foreign, "sentiment_label": "positive"})

    assert (call["org_id"], call["call_type"], call["is_test_call"]) == (caller.org_id, "outbound", False)
    assert (call["id"] == foreign["id"], call["sentiment_label"]) == (False, None)


def test_a_repeat_of_the_same_request_returns_the_first_call(caller: Caller, recorder: RequestRecorder) -> None:
    same, body = f"req_{uuid.uuid4()}", {**FULL, "vapi_call_id": f"call_{uuid.uuid4()}"}
    first = created(caller, body, same)

    assert created(caller, body, same) == first
    assert recorder.last == ["POST calls", "GET calls_feed"]
    assert stored(caller) == [first["id"]]


def test_repeats_at_the_same_time_store_one_call(caller: Caller) -> None:
    same = f"req_{uuid.uuid4()}"

    with ThreadPoolExecutor(8) as pool:
        calls = list(pool.map(lambda _: created(caller, FULL, same), range(16)))

    assert len({call["id"] for call in calls}) == 1
    assert stored(caller) == [calls[0]["id"]]


def test_what_is_not_a_repeat_is_another_call(caller: Caller, factory: Factory) -> None:
    same = f"req_{uuid.uuid4()}"
    colleague = factory.member(caller.org_id, "agent")

    made = [
        created(caller, LEAST, same),
        created(caller, {**LEAST, "duration_seconds": 61}, same),
        created(caller, LEAST, f"req_{uuid.uuid4()}"),
        created(caller, LEAST),
        created(caller, LEAST),
        created(colleague, LEAST, same),
    ]

    assert len({call["id"] for call in made}) == len(made) == len(stored(caller))


def test_a_provider_call_is_stored_once(caller: Caller, factory: Factory) -> None:
    body = {**LEAST, "vapi_call_id": f"call_{uuid.uuid4()}"}
    first = created(caller, body)

    for other in (caller, factory.caller("agent")):
        reply = other.post(PATH, {**body, "duration_seconds": 61})
        assert (reply.status_code, reply.json["code"]) == (409, "CONFLICT")
        assert first["id"] not in reply.text
        assert body["vapi_call_id"] not in reply.text


def test_a_viewer_may_not(factory: Factory, recorder: RequestRecorder) -> None:
    viewer = factory.caller("viewer")

    reply = viewer.post(PATH, LEAST)

    assert (reply.status_code, reply.json["code"]) == (403, "FORBIDDEN")
    assert recorder.last == ["GET user_org_roles"]
    assert viewer.post(PATH, {}).status_code == 400
    assert stored(viewer) == []
