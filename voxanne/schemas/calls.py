"""Calls as the dashboard asks for them and reads them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from voxanne.pagination import CursorPagination, PageQuery
from voxanne.schemas.common import Instant, Moment, PhoneNumber, SearchText

CallType = Literal["inbound", "outbound"]
Status = Literal["queued", "ringing", "in-progress", "completed", "missed", "transferred", "failed"]
AppointmentStatus = Literal["pending", "scheduled", "confirmed", "in_progress", "completed", "cancelled", "no_show"]
SentimentLabel = Literal["positive", "neutral", "negative"]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class CallListQuery(PageQuery):
    """Paging, order and filters of the list; all work together."""

    sortBy: Literal["date", "duration", "name"] = Field("date", description="Newest, longest or A to Z first.")  # noqa: N815
    call_type: CallType | None = None
    status: Status | None = None
    search: SearchText | None = Field(None, description="Part of the caller's name or number.")
    date_filter: Literal["today", "week", "month"] | None = Field(
        None, description="In the organisation's time zone: since midnight, since midnight 7 days ago, this month."
    )
    startDate: Moment | None = Field(None, description="Inclusive; a day means its start where the organisation is.")  # noqa: N815
    endDate: Moment | None = Field(None, description="Inclusive; a day means all of it.")  # noqa: N815
    include_test: bool = Field(default=False, description="Show test calls, too.")
    cursor: str | None = Field(None, max_length=2000, description="`next_cursor` of the page before; replaces `page`.")


class CallSummaryRow(BaseModel):
    """One row of the list; no transcript."""

    id: str
    call_type: CallType
    call_direction: CallType
    phone_number: str
    caller_name: str
    call_date: datetime
    duration_seconds: int
    status: Status
    has_recording: bool
    has_transcript: bool
    recording_status: str | None
    recording_url: str | None
    recording_error: str | None
    sentiment_score: float | None
    sentiment_label: SentimentLabel | None
    sentiment_summary: str | None
    sentiment_urgency: Literal["High", "Medium", "Low"] | None
    outcome: str | None
    outcome_summary: str | None
    ended_reason: str | None
    cost_cents: int | None
    tools_used: list[str]
    lead_temp: str | None
    lead_score: int | None
    is_test_call: bool
    has_appointment: bool = Field(description="Whether one was made during the call; it may be cancelled by now.")
    appointment_id: str | None
    appointment_scheduled_at: datetime | None
    appointment_service_type: str | None
    appointment_status: AppointmentStatus | None


class CallPage(BaseModel):
    """One page of calls."""

    calls: list[CallSummaryRow]
    pagination: CursorPagination


class Segment(BaseModel):
    """One turn of a conversation; `timestamp` in milliseconds since 1970."""

    speaker: str
    text: str
    timestamp: float
    sentiment: str


class CallDetail(CallSummaryRow):
    """Everything about one call."""

    vapi_call_id: str | None
    contact_id: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    transcript: list[Segment]
    action_items: list[str]
    recording_storage_path: str | None
    transfer_to: str | None
    transfer_time: datetime | None
    transfer_reason: str | None
    notes: str | None
    financial_value: float | None
    procedure_intent: str | None


class NewSegment(BaseModel):
    """One turn of a conversation that is being stored."""

    speaker: Literal["caller", "voxanne"]
    text: str = Field(max_length=10_000)
    timestamp: float = Field(0, ge=0, le=1e15, allow_inf_nan=False)
    sentiment: str = Field("neutral", max_length=40)


class NewCall(BaseModel):
    """An outbound call to store."""

    phone_number: PhoneNumber
    caller_name: ShortText | None = None
    call_date: Instant
    duration_seconds: int = Field(ge=0, le=7 * 24 * 3600)
    status: Literal["completed", "missed", "transferred", "failed"]
    recording_url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2000)] | None = None
    transcript: list[NewSegment] | None = Field(None, max_length=2000)
    sentiment_score: float | None = Field(None, ge=0, le=1, allow_inf_nan=False)
    vapi_call_id: ShortText | None = None
    action_items: list[Annotated[str, StringConstraints(max_length=1000)]] | None = Field(None, max_length=100)


class CreatedCall(BaseModel):
    """The stored call."""

    id: str
    call: dict[str, Any]


class StatsQuery(BaseModel):
    """The window of the statistics; all time by default."""

    timeWindow: Literal["24h", "7d", "30d"] | None = None  # noqa: N815


class CallStats(BaseModel):
    """The numbers on top of the dashboard."""

    model_config = ConfigDict(extra="allow")

    totalCalls: int  # noqa: N815
    inboundCalls: int  # noqa: N815
    outboundCalls: int  # noqa: N815
    completedCalls: int  # noqa: N815
    callsToday: int  # noqa: N815
    avgDuration: int  # noqa: N815
    pipelineValue: float  # noqa: N815
    recentCalls: list[dict[str, Any]]  # noqa: N815


class CallSummary(BaseModel):
    """The numbers above the list of calls."""

    model_config = ConfigDict(extra="allow")

    total_calls: int
    completed_calls: int
    missed_calls: int
    average_duration: int
    average_sentiment: float
    calls_today: int
    calls_this_week: int
    calls_this_month: int


class RecordingLink(BaseModel):
    """Where a recording can be heard, for a while."""

    recording_url: str
    expires_in: int
    source: Literal["storage", "provider"]
