"""The dashboard's home page as it reads it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from voxanne.schemas.calls import CallType, SentimentLabel, Status


class Pulse(BaseModel):
    """The numbers of all time; never null."""

    org_id: str
    total_calls: int
    inbound_calls: int
    outbound_calls: int
    avg_duration_seconds: int = Field(description="Of completed calls.")
    success_rate: float = Field(
        ge=0, le=100, description="Calls that led to a booking, as a percentage of inbound ones."
    )
    pipeline_value: int
    hot_leads_count: int
    appointments_booked: int = Field(description="All but cancelled ones.")
    avg_sentiment: float = Field(ge=0, le=1)


class Lead(BaseModel):
    """A call that found a lead."""

    id: str
    contact_id: str | None
    contact_name: str
    patient_name: str
    phone_number: str
    created_at: datetime
    formatted_date: str = Field(description="In the organisation's time zone.")
    duration: int
    direction: CallType
    status: Status
    sentiment_score: float | None
    last_call_summary: str | None
    lead_temp: Literal["hot", "warm", "cold"]
    procedure_intent: str | None
    financial_value: float
    recommended_action: str
    is_booked: bool


class Leads(BaseModel):
    """The 100 newest hot leads, then as many warm ones, then 50 cold ones."""

    leads: list[Lead]


class ActivityMetadata(BaseModel):
    """What a kind of event tells about itself; of the other kinds' fields it has none."""

    caller_name: str | None = None
    call_direction: CallType | None = None
    duration_seconds: int | None = None
    sentiment: SentimentLabel | None = None
    sentiment_label: SentimentLabel | None = None
    sentiment_summary: str | None = None
    sentiment_urgency: Literal["High", "Medium", "Low"] | None = None
    lead_name: str | None = None
    lead_phone: str | None = None
    service_interest: str | None = None
    lead_score: int | None = None
    call_id: str | None = None
    customer_name: str | None = None
    scheduled_at: datetime | None = None
    contact_phone: str | None = None
    service_type: str | None = None


class Event(BaseModel):
    """A call, a hot lead, or a booking at the time when it was made."""

    id: str
    type: Literal["call_completed", "hot_lead_detected", "appointment_booked"]
    timestamp: datetime
    summary: str
    metadata: ActivityMetadata


class RecentActivity(BaseModel):
    """The ten newest events, of ten calls, five hot leads and five bookings at the most."""

    events: list[Event]
