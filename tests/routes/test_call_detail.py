"""GET /api/calls-dashboard/:id."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder

PATH = "/api/calls-dashboard"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
BOTH = pytest.mark.parametrize("call_type", ["inbound", "outbound"])
LIST_FIELDS = {
    "id", "phone_number", "caller_name", "call_date", "duration_seconds", "status", "has_recording", "has_transcript",
    "sentiment_score", "sentiment_label", "sentiment_summary", "sentiment_urgency", "call_type", "call_direction",
    "recording_status", "recording_url", "recording_error", "outcome", "outcome_summary", "cost_cents",
    "ended_reason", "tools_used",
}  # fmt: skip
DETAIL_FIELDS = {
    "transcript", "action_items", "vapi_call_id", "created_at", "recording_storage_path", "transfer_to",
    "transfer_time", "transfer_reason",
}  # fmt: skip


def detail(caller: Caller, call_id: str) -> dict[str, Any]:
    reply = caller.get(f"{PATH}/{call_id}")
    assert reply.status_code == 200, reply.json
    return reply.json


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller("viewer")


@BOTH
def test_a_call_of_either_type_is_told_in_full(factory: Factory, recorder: RequestRecorder, call_type: str) -> None:
    caller = factory.caller("viewer")
    stored = {
        "caller_name": "Anna Demopoulos",
        "phone_number": "+442071234567",
        "status": "transferred",
        "duration_seconds": 95,
        "sentiment_score": 0.85,
        "sentiment_label": "positive",
        "sentiment_summary": "Glad",
        "sentiment_urgency": "Low",
        "action_items": ["Call back", "Send prices"],
        "outcome": "booked",
        "outcome_summary": "Botox on Friday",
        "ended_reason": "assistant-forwarded-call",
        "cost_cents": 42,
        "tools_used": ["check_availability"],
        "transfer_to": "+442071234000",
        "transfer_reason": "asked for a doctor",
        "notes": "prefers mornings",
        "financial_value": 400.5,
        "vapi_call_id": f"vapi-{call_type}-detail",
    }
    call_id = factory.call(caller.org_id, call_type, at=NOON, transfer_time=NOON, started_at=NOON, **stored)

    call = detail(caller, call_id)

    assert recorder.last == ["GET calls_feed"]
    assert {name: call[name] for name in stored} == stored
    assert (call["id"], call["call_type"], call["call_direction"]) == (call_id, call_type, call_type)
    assert set(call) >= LIST_FIELDS | DETAIL_FIELDS
    assert {datetime.fromisoformat(call[name]) for name in ("call_date", "transfer_time", "started_at")} == {NOON}
    assert datetime.fromisoformat(call["created_at"]).tzinfo


@BOTH
def test_what_is_not_known_has_the_shape_that_pages_expect(factory: Factory, call_type: str) -> None:
    caller = factory.caller("viewer")

    call = detail(caller, factory.call(caller.org_id, call_type, phone_number=None, caller_name="  "))

    assert (call["caller_name"], call["phone_number"], call["duration_seconds"]) == ("Unknown", "Unknown", 0)
    assert (call["transcript"], call["action_items"], call["tools_used"]) == ([], [], [])
    assert (call["has_transcript"], call["has_recording"]) == (False, False)
    assert {call[name] for name in ("recording_url", "sentiment_score", "transfer_to", "started_at")} == {None}


TURN = {"speaker": "voxanne", "text": "Hello", "timestamp": 1773144000000, "sentiment": "positive"}
BARE = {"speaker": "caller", "text": "", "timestamp": 0, "sentiment": "neutral"}
TRANSCRIPTS = {
    "none": (None, []),
    "empty": ([], []),
    "in full": ([TURN], [TURN]),
    "left out": ([{"text": "Hi"}, {}], [{**BARE, "text": "Hi"}, BARE]),
    "null": ([dict.fromkeys(TURN)], [BARE]),
    "bare sentences": (["Hi", "Hello"], [{**BARE, "text": "Hi"}, {**BARE, "text": "Hello"}]),
    "no turns at all": ([None, 7, True, ["Hi"]], []),
    "numbers for words": ([{**TURN, "text": 12, "speaker": 1}], [{**TURN, "text": "12", "speaker": "1"}]),
    "fractions of a second": ([{**TURN, "timestamp": 1.25}], [{**TURN, "timestamp": 1.25}]),
    "times that are none": (
        [{**TURN, "timestamp": stamp} for stamp in ("soon", -1, True, [], 10**400)],
        [{**TURN, "timestamp": 0}] * 5,
    ),
}


@pytest.mark.parametrize(("stored", "shown"), TRANSCRIPTS.values(), ids=TRANSCRIPTS)
def test_a_transcript_is_segments_whatever_was_stored(
    factory: Factory, caller: Caller, stored: Any, shown: list[dict[str, Any]]
) -> None:
    values = {} if stored is None else {"transcript": stored}

    call = detail(caller, factory.call(caller.org_id, **values))

    assert call["transcript"] == shown
    assert call["has_transcript"] is bool(stored)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ([], []),
        (["Call back"], ["Call back"]),
        (["Call back", None, "  ", 7, {"text": "Rückruf"}], ["Call back", "7", '{"text": "Rückruf"}']),
    ],
)
def test_action_items_are_sentences(factory: Factory, caller: Caller, stored: list[Any], shown: list[str]) -> None:
    assert detail(caller, factory.call(caller.org_id, action_items=stored))["action_items"] == shown


def test_a_test_call_can_be_opened(factory: Factory, caller: Caller) -> None:
    assert detail(caller, factory.call(caller.org_id, is_test_call=True))["is_test_call"] is True


@BOTH
def test_a_deleted_call_is_not_found(factory: Factory, caller: Caller, call_type: str) -> None:
    reply = caller.get(f"{PATH}/{factory.call(caller.org_id, call_type, deleted_at=NOON)}")

    assert (reply.status_code, reply.json["code"]) == (404, "CALL_NOT_FOUND")


@BOTH
def test_a_call_of_another_organisation_is_not_found(
    factory: Factory, recorder: RequestRecorder, caller: Caller, call_type: str
) -> None:
    foreign = factory.call(factory.org(), call_type, caller_name="Somebody else")

    for path in (f"{PATH}/{foreign}", f"{PATH}/{foreign}/recording-url"):
        reply = caller.get(path)
        assert (reply.status_code, reply.json["code"]) == (404, "CALL_NOT_FOUND")
        assert "Somebody" not in reply.text
        assert recorder.last == ["GET calls_feed"]
