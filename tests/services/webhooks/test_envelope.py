import pytest
from pydantic import ValidationError

from tests.services.webhooks import events
from voxanne.services.webhooks.envelope import Turn, parse


def test_a_report_is_read_whole():
    event = parse(events.report())

    assert (event.type, event.call_id, event.call_type) == ("end-of-call-report", events.CALL, "inboundPhoneCall")
    assert event.event_id == f"end:{events.CALL}"
    assert (event.assistant_id, event.phone_number_id) == (events.ASSISTANT, events.PHONE_NUMBER_ID)
    assert (event.our_number, event.customer_number) == (events.OURS, events.CALLER)
    assert event.started_at == events.STARTED
    assert (event.ended_at - event.started_at).total_seconds() == event.duration_seconds == 95
    assert (event.ended_reason, event.cost) == ("customer-ended-call", 0.1234)
    assert event.recording_url == "https://storage.example.com/rec.wav"
    assert event.summary == "Maria Santos asked for a facelift."
    assert event.structured == {"name": "Maria Santos"}
    assert event.tool_names == ("check_availability",)
    assert [turn.role for turn in event.messages] == ["system", "assistant", "user", "assistant", "user"]
    assert event.messages[1] == Turn("assistant", "Thank you for calling. How can I help you today?", 1.0)


def test_a_record_of_the_call_is_as_good_as_a_report():
    message = events.report()["message"]
    names = ("startedAt", "endedAt", "endedReason", "cost", "artifact", "analysis")
    record = message["call"] | {"phoneNumber": message["phoneNumber"]} | {name: message[name] for name in names}

    event = parse({"message": {"type": "end-of-call-report", "call": record}})

    whole = parse(events.report())
    for name in (
        "event_id",
        "messages",
        "transcript",
        "summary",
        "structured",
        "cost",
        "duration_seconds",
        "our_number",
    ):
        assert getattr(event, name) == getattr(whole, name), name
    assert event.recording_url == whole.recording_url


@pytest.mark.parametrize("arguments", [{"date": "2026-11-24"}, '{"date": "2026-11-24"}'])
def test_tool_calls_are_read_in_every_notation(arguments):
    of_today = events.tool_calls(("call_1", "check_availability", arguments))
    flat = events.envelope(
        "tool-calls", toolCallList=[{"id": "call_1", "name": "check_availability", "arguments": arguments}]
    )
    newest = events.envelope(
        "tool-calls", toolCallList=[{"id": "call_1", "name": "check_availability", "parameters": arguments}]
    )

    for payload in (of_today, flat, newest):
        event = parse(payload)
        assert event.event_id == f"tool:{event.call_id}:call_1"
        (use,) = event.tool_calls
        assert (use.id, use.name, use.arguments) == ("call_1", "check_availability", {"date": "2026-11-24"})


@pytest.mark.parametrize("arguments", ["no json", "[1]", None, 7, "null", ""])
def test_arguments_that_are_none_are_empty(arguments):
    (use,) = parse(events.tool_calls(("call_1", "check_availability", arguments))).tool_calls
    assert use.arguments == {}


def test_a_call_without_an_id_gets_one_made_of_its_content():
    def first(arguments, call_id="a"):
        payload = events.envelope(
            "function-call", events.call(call_id), functionCall={"name": "book", "parameters": arguments}
        )
        return parse(payload).tool_calls[0].id

    assert first({"a": 1, "b": 2}) == first({"b": 2, "a": 1})
    assert len({first({"a": 1}), first({"a": 2}), first({"a": 1}, "b")}) == 3


def test_times_are_read_in_seconds_milliseconds_and_words_and_are_utc():
    stamps = (1763805600, 1763805600000, "2025-11-22T10:00:00Z", "2025-11-22T10:00:00", "2025-11-22T11:00:00+01:00")
    read = {parse(events.report(startedAt=stamp, endedAt=None)).started_at for stamp in stamps}
    assert len(read) == 1
    assert read.pop().isoformat() == "2025-11-22T10:00:00+00:00"


def test_a_kind_without_effects_is_read_no_further_than_whose_it_is():
    event = parse(events.envelope("conversation-update", messages="not even a list", startedAt="nonsense"))
    assert (event.call_id, event.assistant_id, event.event_id) == (events.CALL, events.ASSISTANT, None)


def test_what_is_not_known_is_passed_over():
    payload = events.report(somethingNew={"a": [1]})
    payload["message"]["artifact"]["messages"].append({"role": "martian", "message": "?"})
    payload["message"]["call"]["type"] = "vapi.websocketCall"
    event = parse(payload)
    assert event.call_type == "vapi.websocketCall"
    assert "?" not in [turn.text for turn in event.messages]


def test_the_payloads_metadata_is_not_read():
    payload = events.status_update("ended")
    payload["message"]["call"]["metadata"] = {"org_id": "x", "assistantId": "other", "tenantId": "y"}
    assert parse(payload) == parse(events.status_update("ended"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"destination": {"type": "number", "number": "+14155550111"}}, "+14155550111"),
        ({"destination": {"type": "sip", "sipUri": "sip:desk@example.com"}}, "sip:desk@example.com"),
        ({}, None),
    ],
)
def test_a_transfer_names_its_destination(given, expected):
    assert parse(events.report(**given)).transfer_to == expected


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"message": None},
        {"message": []},
        {"message": {}},
        {"message": {"type": ""}},
        {"message": {"type": 7}},
        {"message": {"type": []}},
        {"message": {"type": "status-update", "call": "x"}},
        {"message": {"type": "status-update", "call": {"id": "x" * 201}}},
        {"message": {"type": "end-of-call-report", "startedAt": "yesterday"}},
        {"message": {"type": "end-of-call-report", "startedAt": 1e300}},
        {"message": {"type": "end-of-call-report", "startedAt": "0001-01-01T00:00:00+14:00"}},
        {"message": {"type": "end-of-call-report", "artifact": {"messages": [7]}}},
        {"message": {"type": "end-of-call-report", "cost": "cheap"}},
        {"message": {"type": "tool-calls", "toolCallList": {"id": "x"}}},
    ],
)
def test_a_wrong_shape_is_refused(payload):
    with pytest.raises(ValidationError):
        parse(payload)
