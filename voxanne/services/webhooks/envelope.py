"""The voice provider's events in one form, whatever the message has where.

    event = parse(payload)

Every fact is taken from the message first and from its call second, so `{"message": {"type": "end-of-call-report",
"call": <the provider's record>}}` is as good as a report: by that a call is closed whose report never came.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, cast

import orjson

from voxanne.services.webhooks.wire import (
    LENIENT,
    Artifact,
    Call,
    CallHead,
    Facts,
    Head,
    Line,
    Message,
    ToolMessage,
    ToolUse,
)

ASSISTANT_REQUEST = "assistant-request"
STATUS_UPDATE = "status-update"
END_REPORT = "end-of-call-report"
TOOL_CALLS = "tool-calls"
FUNCTION_CALL = "function-call"
"""Tool calls as they came before they had ids; parsed as one tool call whose id is made of its content."""

KNOWN = {
    ASSISTANT_REQUEST, STATUS_UPDATE, END_REPORT, TOOL_CALLS, FUNCTION_CALL, "transcript", "hang",
    "conversation-update", "speech-update", "model-output", "user-interrupted", "transfer-update",
    "transfer-destination-request", "voice-input", "phone-call-control", "knowledge-base-request", "language-changed",
}  # fmt: skip

Role = Literal["user", "assistant", "tool", "system"]
_ROLES: dict[str, Role] = {
    "user": "user",
    "bot": "assistant",
    "assistant": "assistant",
    "tool_calls": "tool",
    "tool_call_result": "tool",
    "tool": "tool",
    "function": "tool",
    "system": "system",
}
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said, and how many seconds after the call's start, None if that is not known."""

    role: Role
    text: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the assistant wants done; `arguments` are a language model's and may be anything."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One event; times are aware and in UTC, numbers are as the provider wrote them, `cost` is in dollars.

    Of a kind without effects only `type`, `occurred_at`, `status` and what names call, assistant and numbers are there.
    """

    type: str
    call_id: str | None = None
    call_type: str | None = None
    assistant_id: str | None = None
    phone_number_id: str | None = None
    our_number: str | None = None
    customer_number: str | None = None
    customer_name: str | None = None
    status: str | None = None
    occurred_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_seconds: int | None = None
    ended_reason: str | None = None
    cost: float | None = None
    recording_url: str | None = None
    transcript: str = ""
    messages: tuple[Turn, ...] = ()
    summary: str | None = None
    structured: dict[str, Any] = field(default_factory=dict)
    tool_names: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    transfer_to: str | None = None

    @property
    def event_id(self) -> str | None:
        """The ledger's key, made of the content as the provider sends none; None for what is not stored.

        An event with several tool calls is named after the first; each of them has its own key in the ledger.
        """
        if self.call_id is None:
            return None
        if self.type == STATUS_UPDATE:
            return f"status:{self.call_id}:{self.status}"
        if self.type == END_REPORT:
            return f"end:{self.call_id}"
        return f"tool:{self.call_id}:{self.tool_calls[0].id}" if self.tool_calls else None


def head(payload: dict[str, Any]) -> Event:
    """Read of what kind an event is and whose, and nothing else; raises, as `parse` does, for what has no kind.

    What else is wrong is missing here: an event that can't be applied is still to be known as somebody's, and kept.
    """
    return Event(**_whose(Head.model_validate(payload.get("message"), context=LENIENT)))


def parse(payload: dict[str, Any]) -> Event:
    """Read an event; raises pydantic's ValidationError, in whose text a patient's data may stand."""
    content = payload.get("message")
    kind = content.get("type") if isinstance(content, dict) else None
    if kind in (TOOL_CALLS, FUNCTION_CALL):
        # Somebody waits on the line: what is needed for no answer may be anything.
        asked = ToolMessage.model_validate(content, context=LENIENT)
        return Event(**_whose(asked), tool_calls=tuple(_tool_calls(asked)))
    if kind not in (STATUS_UPDATE, END_REPORT):
        return head(payload)
    message = Message.model_validate(content)
    return Event(**_whose(message), **_facts(message, message.call or Call()))


def _whose(message: Head) -> dict[str, Any]:
    call = message.call or CallHead()
    ours = [number for number in (message.phone_number, call.phone_number) if number]
    others = [customer for customer in (message.customer, call.customer) if customer]
    return {
        "type": message.type,
        "call_id": call.id,
        "call_type": call.type,
        "assistant_id": call.assistant_id or (message.assistant.id if message.assistant else None),
        "phone_number_id": _first([call.phone_number_id, *(number.id for number in ours)]),
        "our_number": _first(number.number or number.twilio_phone_number for number in ours),
        "customer_number": _first(customer.number for customer in others),
        "customer_name": _first(customer.name for customer in others),
        "status": message.status or call.status,
        "occurred_at": message.timestamp,
    }


def _facts(message: Message, call: Call) -> dict[str, Any]:
    sources: tuple[Facts, ...] = (message, call)
    artifacts = [source.artifact for source in sources if source.artifact]
    analyses = [source.analysis for source in sources if source.analysis]
    started = _first(source.started_at for source in sources)
    ended = _first(source.ended_at for source in sources)
    holders: tuple[Artifact | Facts, ...] = (*artifacts, *sources)
    lines = next((holder.messages for holder in holders if holder.messages), [])
    return {
        "started_at": started,
        "ended_at": ended,
        "duration_seconds": _duration(sources, started, ended),
        "ended_reason": _first(source.ended_reason for source in sources),
        "cost": _first(source.cost for source in sources),
        "recording_url": _first(_recordings(artifacts, sources)),
        "transcript": _first(holder.transcript for holder in holders) or "",
        "messages": tuple(_turns(lines, started)),
        "summary": _first([*(one.summary for one in analyses), *(source.summary for source in sources)]),
        "structured": next((one.structured_data for one in analyses if one.structured_data), {}),
        "tool_names": _tool_names(lines),
        "transfer_to": _transfer(message, call, lines),
    }


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _duration(sources: Iterable[Facts], started: datetime | None, ended: datetime | None) -> int | None:
    seconds: float | None = _first(source.duration_seconds for source in sources)
    if seconds is None:
        milliseconds: float | None = _first(source.duration_ms for source in sources)
        seconds = None if milliseconds is None else milliseconds / 1000
    if seconds is None and started and ended:
        seconds = (ended - started) / timedelta(seconds=1)
    return None if seconds is None else max(0, round(seconds))


def _recordings(artifacts: list[Artifact], sources: Iterable[Facts]) -> Iterator[str | None]:
    for artifact in artifacts:
        yield artifact.recording_url
        if artifact.recording:
            mono = artifact.recording.mono.get("combinedUrl")
            yield mono if isinstance(mono, str) else None
            yield artifact.recording.stereo_url
        yield artifact.stereo_recording_url
    for source in sources:
        yield source.recording_url
        yield source.stereo_recording_url


def _turns(lines: list[Line], started: datetime | None) -> Iterator[Turn]:
    for line in lines:
        role = _ROLES.get(line.role)
        text = line.message or (line.content if isinstance(line.content, str) else None) or ""
        if role is not None and text.strip():
            yield Turn(role, text, _seconds(line, started))


def _seconds(line: Line, started: datetime | None) -> float | None:
    if line.seconds_from_start is not None:
        return max(0.0, line.seconds_from_start)
    if line.time is None or started is None:
        return None
    return max(0.0, line.time / 1000 - started.timestamp())


def _tool_names(lines: list[Line]) -> tuple[str, ...]:
    named = (_named(use) for line in lines for use in line.tool_calls)
    return tuple(dict.fromkeys(name[:_LONGEST_NAME] for name in named if name))


def _transfer(message: Message, call: Call, lines: list[Line]) -> str | None:
    destinations = [source.destination for source in (message, call) if source.destination]
    told = [where.number or where.sip_uri for where in destinations]
    asked = [_arguments(use).get("destination") for line in lines for use in line.tool_calls if _is_transfer(use)]
    return cast(
        str | None, _first([*told, call.forwarded_phone_number, *(x for x in asked if isinstance(x, str) and x)])
    )


def _is_transfer(use: ToolUse) -> bool:
    return (_named(use) or "").startswith("transferCall")


def _tool_calls(message: ToolMessage) -> Iterator[ToolCall]:
    if legacy := message.function_call:
        yield ToolCall(_made_up_id(message, legacy.name, legacy.parameters), legacy.name, legacy.parameters)
    for use in message.tool_call_list or message.tool_calls:
        name, arguments = _named(use) or "", _arguments(use)
        yield ToolCall(use.id or _made_up_id(message, name, arguments), name, arguments)


def _named(use: ToolUse) -> str | None:
    return (use.function.name if use.function else None) or use.name


def _arguments(use: ToolUse) -> dict[str, Any]:
    return (use.function.arguments if use.function else None) or use.arguments or use.parameters


def _made_up_id(message: ToolMessage, name: str, arguments: dict[str, Any]) -> str:
    """Give the same request in the same call the same id, so that a repeat is known as one."""
    call_id = message.call.id if message.call else None
    content = orjson.dumps([call_id, name, arguments], option=orjson.OPT_SORT_KEYS)
    return f"made-{hashlib.sha256(content).hexdigest()[:40]}"
