"""The voice provider's messages as they come over the wire: what is used of them, under the provider's own names.

Unknown members and unknown kinds are passed over; a member of the wrong kind is a `ValidationError`, or missing where
only whose a message is has to be found out (`LENIENT`). Most facts can stand in the message or in its call:
`envelope.py` looks in both.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.alias_generators import to_camel

LENIENT = {"lenient": True}
"""Validation context in which what is said of whose a message is may be of any kind, and is missing if it is wrong."""

_FIRST_YEAR, _LAST_YEAR = 1970, 2200


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _utc(moment: datetime) -> datetime:
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"must lie between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _missing_if_wrong(value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    try:
        return read(value)
    except ValidationError:
        if info.context is not LENIENT:
            raise
        return None


def _none_is_empty(value: Any) -> Any:
    return [] if value is None else value


def _opened(value: Any) -> Any:
    """Arguments come as an object or as its JSON text; a model that wrote no JSON gave no arguments."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value or "{}")
        except orjson.JSONDecodeError:
            value = {}
    return value if isinstance(value, dict) else {}


_OR_MISSING = WrapValidator(_missing_if_wrong)
Text = Annotated[str | None, BeforeValidator(_blank_is_none), _OR_MISSING]
Id = Annotated[str | None, Field(max_length=200), BeforeValidator(_blank_is_none), _OR_MISSING]
Moment = Annotated[Annotated[datetime, AfterValidator(_utc)] | None, BeforeValidator(_blank_is_none), _OR_MISSING]
"""ISO 8601, or seconds or milliseconds since 1970."""

Arguments = Annotated[dict[str, Any], BeforeValidator(_opened)]
Members = Annotated[dict[str, Any], BeforeValidator(lambda value: value if isinstance(value, dict) else {})]


class Part(BaseModel):
    """A piece of a message."""

    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True, frozen=True)


class Number(Part):
    """A phone number of ours; a transient one of Twilio has its number under a name of its own."""

    id: Id = None
    number: Text = None
    twilio_phone_number: Text = None


class Customer(Part):
    """The other party."""

    number: Text = None
    name: Text = None


class Destination(Part):
    """Where a call was forwarded to."""

    number: Text = None
    sip_uri: Text = None


class Function(Part):
    """What a tool call wants done."""

    name: Text = None
    arguments: Arguments = {}


class ToolUse(Part):
    """A tool call, in the notation of today or the one of before."""

    id: Id = None
    name: Text = None
    arguments: Arguments = {}
    parameters: Arguments = {}
    function: Function | None = None


class Line(Part):
    """A turn of the conversation, a tool call or its result."""

    role: str
    message: Text = None
    content: Any = None
    name: Text = None
    time: float | None = None
    seconds_from_start: float | None = None
    tool_calls: Annotated[list[ToolUse], BeforeValidator(_none_is_empty)] = []


class Recording(Part):
    """Where the sound of a call is, in the artifact's newer form."""

    stereo_url: Text = None
    mono: Annotated[dict[str, Any], BeforeValidator(lambda value: value or {})] = {}


class Artifact(Part):
    """What a call left behind."""

    transcript: Text = None
    recording_url: Text = None
    stereo_recording_url: Text = None
    recording: Recording | None = None
    messages: Annotated[list[Line], BeforeValidator(_none_is_empty)] = []


class Analysis(Part):
    """What the provider's own model makes of a call."""

    summary: Text = None
    structured_data: Members = {}


class Facts(Part):
    """What the end report says of a call, in the message, in the call, or in both."""

    started_at: Moment = None
    ended_at: Moment = None
    ended_reason: Text = None
    cost: float | None = None
    summary: Text = None
    transcript: Text = None
    recording_url: Text = None
    stereo_recording_url: Text = None
    duration_seconds: Annotated[float | None, Field(allow_inf_nan=False)] = None
    duration_ms: Annotated[float | None, Field(allow_inf_nan=False)] = None
    messages: Annotated[list[Line], BeforeValidator(_none_is_empty)] = []
    artifact: Artifact | None = None
    analysis: Analysis | None = None
    destination: Destination | None = None


class CallHead(Part):
    """What the provider's record of a call says of whose it is."""

    id: Id = None
    type: Text = None
    status: Text = None
    assistant_id: Id = None
    phone_number_id: Id = None
    phone_number: Annotated[Number | None, _OR_MISSING] = None
    customer: Annotated[Customer | None, _OR_MISSING] = None


class Call(Facts, CallHead):
    """The provider's record of a call."""

    forwarded_phone_number: Text = None


class Assistant(Part):
    """The assistant who speaks."""

    id: Id = None


class LegacyFunctionCall(Part):
    """A tool call as it came before tool calls had ids."""

    name: str
    parameters: Arguments = {}


class Head(Part):
    """What a message says of its kind and of whose it is; of one that is only acknowledged, all that is read."""

    type: Annotated[str, Field(min_length=1, max_length=100, strict=True)]
    timestamp: Moment = None
    call: Annotated[CallHead | None, _OR_MISSING] = None
    assistant: Annotated[Assistant | None, _OR_MISSING] = None
    phone_number: Annotated[Number | None, _OR_MISSING] = None
    customer: Annotated[Customer | None, _OR_MISSING] = None
    status: Text = None


class Message(Facts, Head):
    """What a status or a report says beyond that."""

    call: Annotated[Call | None, _OR_MISSING] = None


class ToolMessage(Head):
    """What the assistant wants done; of the conversation that comes along nothing is read."""

    tool_call_list: Annotated[list[ToolUse], BeforeValidator(_none_is_empty)] = []
    tool_calls: Annotated[list[ToolUse], BeforeValidator(_none_is_empty)] = []
    function_call: LegacyFunctionCall | None = None
