"""Events as the voice provider sends them, written from its public schema; everybody and every number is made up."""

from datetime import datetime, timedelta
from typing import Any

STARTED = datetime.fromisoformat("2026-11-22T10:00:00+00:00")
CALLER = "+14155550142"
OURS = "+14155550199"
ASSISTANT = "asst-6f1c2a52"
PHONE_NUMBER_ID = "pn-6f1c2a52"
CALL = "call-6f1c2a52"

Json = dict[str, Any]


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def call(
    call_id: str = CALL, *, kind: str = "inboundPhoneCall", assistant: str | None = ASSISTANT, **more: Any
) -> Json:
    return {
        "id": call_id,
        "orgId": "8a8b1c9e-0000-4000-8000-000000000000",
        "createdAt": _iso(STARTED),
        "updatedAt": _iso(STARTED),
        "type": kind,
        "status": "in-progress",
        "phoneCallProvider": "twilio",
        "phoneCallTransport": "pstn",
        "phoneNumberId": PHONE_NUMBER_ID,
        "assistantId": assistant,
        "customer": {"number": CALLER},
        "metadata": {},
        **more,
    }


def envelope(kind: str, call_: Json | None = None, **more: Any) -> Json:
    call_ = call() if call_ is None else call_
    return {
        "message": {
            "timestamp": int(STARTED.timestamp() * 1000),
            "type": kind,
            "call": call_,
            "phoneNumber": {"id": PHONE_NUMBER_ID, "number": OURS, "provider": "twilio"},
            "customer": call_.get("customer"),
            **more,
        }
    }


def status_update(status: str, call_: Json | None = None, **more: Any) -> Json:
    return envelope("status-update", call_, status=status, **more)


def tool_calls(*calls: tuple[str, str, Json], call_: Json | None = None) -> Json:
    """Each call is (id, name, arguments)."""
    listed = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
        for id_, name, arguments in calls
    ]
    return envelope("tool-calls", call_, toolCallList=listed, toolCalls=listed)


def assistant_request(call_: Json | None = None) -> Json:
    return envelope("assistant-request", call_ if call_ is not None else call(assistant=None))


def report(call_: Json | None = None, *, reason: str = "customer-ended-call", seconds: int = 95, **more: Any) -> Json:
    ended = STARTED + timedelta(seconds=seconds)
    lines = [
        _line("system", "You are the receptionist of a clinic.", 0),
        _line("bot", "Thank you for calling. How can I help you today?", 1),
        _line("user", "Hello, my name is Maria Santos, I would like a facelift as soon as possible.", 5),
        {
            "role": "tool_calls",
            "message": "",
            "time": _ms(12),
            "secondsFromStart": 12.0,
            "toolCalls": [
                {"id": "call_1", "type": "function", "function": {"name": "check_availability", "arguments": "{}"}}
            ],
        },
        {
            "role": "tool_call_result",
            "name": "check_availability",
            "result": "Ten o'clock is free.",
            "toolCallId": "call_1",
            "time": _ms(13),
            "secondsFromStart": 13.0,
        },
        _line("bot", "Tuesday at ten is free. What is your e-mail address?", 15),
        _line("user", "It is maria.santos@example.com, and my number is 415 555 0142.", 20),
    ]
    spoken = "\n".join(f"{'AI' if x['role'] == 'bot' else 'User'}: {x['message']}" for x in lines if x.get("message"))
    return envelope(
        "end-of-call-report",
        call_,
        **{
            "startedAt": _iso(STARTED),
            "endedAt": _iso(ended),
            "endedReason": reason,
            "cost": 0.1234,
            "durationSeconds": float(seconds),
            "durationMs": seconds * 1000,
            "summary": "Maria Santos asked for a facelift.",
            "transcript": spoken,
            "recordingUrl": "https://storage.example.com/rec.wav",
            "stereoRecordingUrl": "https://storage.example.com/rec-stereo.wav",
            "analysis": {
                "summary": "Maria Santos asked for a facelift.",
                "structuredData": {"name": "Maria Santos"},
                "successEvaluation": "true",
            },
            "artifact": {
                "messages": lines,
                "transcript": spoken,
                "recordingUrl": "https://storage.example.com/rec.wav",
                "stereoRecordingUrl": "https://storage.example.com/rec-stereo.wav",
            },
            **more,
        },
    )


def _ms(seconds: float) -> float:
    return (STARTED.timestamp() + seconds) * 1000


def _line(role: str, text: str, seconds: float) -> Json:
    return {
        "role": role,
        "message": text,
        "time": _ms(seconds),
        "endTime": _ms(seconds + 2),
        "secondsFromStart": float(seconds),
        "duration": 2000,
    }
