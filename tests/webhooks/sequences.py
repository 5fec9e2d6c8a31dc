"""Whole calls, as the events that the provider sends of them; written from its public schema."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.services.webhooks import events
from tests.services.webhooks.clinic import Clinic
from tests.services.webhooks.test_tools import BOOKING

Json = events.Json
Sequence = list[Json]


def _at(seconds: float, event: Json) -> Json:
    event["message"]["timestamp"] = int((events.STARTED + timedelta(seconds=seconds)).timestamp() * 1000)
    return event


def _silent_report(call: Json, reason: str, seconds: int = 0) -> Json:
    """A report of a call in which nobody spoke."""
    empty: dict[str, Any] = {
        "summary": "",
        "transcript": "",
        "recordingUrl": None,
        "stereoRecordingUrl": None,
        "analysis": {},
        "artifact": {"messages": [], "transcript": ""},
        "cost": 0.0,
    }
    return events.report(call, reason=reason, seconds=seconds, **empty)


def inbound_booked(here: Clinic) -> Sequence:
    call = here.call()
    booking = (f"tool-{here.call_id}", "book_appointment", BOOKING)
    return [
        _at(0, events.status_update("in-progress", call)),
        _at(30, events.tool_calls(booking, call_=call)),
        _at(95, events.status_update("ended", call, endedReason="customer-ended-call")),
        _at(99, events.report(call)),
    ]


def inbound_missed(here: Clinic) -> Sequence:
    call, reason = here.call(), "assistant-did-not-receive-customer-audio"
    return [
        _at(-2, events.status_update("ringing", call)),
        _at(0, events.status_update("in-progress", call)),
        _at(20, events.status_update("ended", call, endedReason=reason)),
        _at(22, _silent_report(call, reason, 20)),
    ]


def _outbound(here: Clinic) -> Json:
    return here.call(kind="outboundPhoneCall", customer={"number": events.CALLER, "name": "Maria Santos"})


def outbound_completed(here: Clinic) -> Sequence:
    call = _outbound(here)
    return [
        _at(-9, events.status_update("queued", call)),
        _at(-4, events.status_update("ringing", call)),
        _at(0, events.status_update("in-progress", call)),
        _at(95, events.status_update("ended", call, endedReason="assistant-ended-call")),
        _at(98, events.report(call, reason="assistant-ended-call")),
    ]


def outbound_voicemail(here: Clinic) -> Sequence:
    call = _outbound(here)
    return [
        _at(-4, events.status_update("ringing", call)),
        _at(6, events.status_update("ended", call, endedReason="voicemail")),
        _at(7, _silent_report(call, "voicemail", 6)),
    ]


def transferred(here: Clinic) -> Sequence:
    call, destination = here.call(), {"type": "number", "number": "+14155550111"}
    reason = "assistant-forwarded-call"
    return [
        _at(0, events.status_update("in-progress", call)),
        _at(60, events.status_update("forwarding", call, destination=destination)),
        _at(61, events.status_update("ended", call, endedReason=reason)),
        _at(65, events.report(call, reason=reason, seconds=61, destination=destination)),
    ]


def web_test(here: Clinic) -> Sequence:
    call = here.call(kind="webCall", customer=None)
    return [
        _at(0, events.status_update("in-progress", call)),
        _at(40, events.status_update("ended", call, endedReason="customer-ended-call")),
        _at(42, events.report(call, seconds=40)),
    ]


# With each, the row that it ends in: table, status, and whether the caller becomes a contact, an alert, a booking.
ALL: dict[Callable[[Clinic], Sequence], dict[str, Any]] = {
    inbound_booked: {"table": "call_logs", "status": "completed", "contact": 1, "alert": 1, "booking": 1},
    inbound_missed: {"table": "call_logs", "status": "missed", "contact": 1, "alert": 0, "booking": 0},
    outbound_completed: {"table": "calls", "status": "completed", "contact": 1, "alert": 1, "booking": 0},
    outbound_voicemail: {"table": "calls", "status": "missed", "contact": 1, "alert": 0, "booking": 0},
    transferred: {"table": "call_logs", "status": "transferred", "contact": 1, "alert": 1, "booking": 0},
    web_test: {"table": "call_logs", "status": "completed", "contact": 0, "alert": 0, "booking": 0},
}
