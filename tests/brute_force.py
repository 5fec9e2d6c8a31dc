"""Calls as tests put them in, and what the dashboard must say about them: worked out in Python, apart from the program.

Whether a call lies in a day is asked of the call's own local date, so no instant of midnight is ever computed here.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import psycopg

TABLES = {"inbound": ("public.call_logs", "created_at"), "outbound": ("public.calls", "call_date")}


@dataclass(frozen=True)
class StoredCall:
    id: str
    call_type: str
    at: datetime
    caller_name: str | None = None
    phone_number: str | None = None
    to_number: str | None = None
    status: str = "completed"
    started_at: datetime | None = None
    duration_seconds: int | None = None
    sentiment_score: Decimal | None = None
    financial_value: Decimal = Decimal(0)
    is_test_call: bool = False
    deleted_at: datetime | None = None
    lead_temp: str | None = None
    booking_confirmed: bool = False

    @property
    def counts(self) -> bool:
        return self.deleted_at is None and not self.is_test_call

    @property
    def began(self) -> datetime:
        return self.started_at or self.at

    @property
    def shown_name(self) -> str:
        return (self.caller_name or "").strip() or "Unknown"

    @property
    def trimmed_name(self) -> str:
        return (self.caller_name or "").strip(" ") or "Unknown"

    def day(self, zone: ZoneInfo) -> date:
        return self.at.astimezone(zone).date()


@dataclass(frozen=True)
class Bound:
    """A start or an end as it is written in a query: a day, or an instant."""

    text: str
    means: date | datetime

    def reached_by(self, call: StoredCall, zone: ZoneInfo) -> bool:
        return call.at >= self.means if isinstance(self.means, datetime) else call.day(zone) >= self.means

    def not_passed_by(self, call: StoredCall, zone: ZoneInfo) -> bool:
        return call.at <= self.means if isinstance(self.means, datetime) else call.day(zone) <= self.means


def newest_first(call: StoredCall, moment: datetime) -> tuple[timedelta, int]:
    return datetime.max.replace(tzinfo=UTC) - moment, -uuid.UUID(call.id).int


ORDERS = {
    "date": lambda call: newest_first(call, call.at),
    "duration": lambda call: (-(call.duration_seconds or 0), newest_first(call, call.at)),
    "name": lambda call: (call.trimmed_name.lower().encode(), newest_first(call, call.at)),
}


def store(sql: psycopg.Connection, org_id: str, calls: list[StoredCall]) -> None:
    for call_type, (table, moment) in TABLES.items():
        rows = [{**vars(call), "org_id": org_id, moment: call.at} for call in calls if call.call_type == call_type]
        names = [name for name in (*StoredCall.__dataclass_fields__, "org_id", moment) if name != "at"]
        holes = ", ".join(f"%({name})s" for name in names)
        sql.cursor().executemany(f"insert into {table} ({', '.join(names)}) values ({holes})", rows)


def forget(sql: psycopg.Connection, org_id: str) -> None:
    for table, _ in TABLES.values():
        sql.execute(f"delete from {table} where org_id = %s", [org_id])


def since(period: str, call: StoredCall, zone: ZoneInfo, now: datetime) -> bool:
    today = now.astimezone(zone).date()
    first = {"today": today, "week": today - timedelta(days=7), "month": today.replace(day=1)}[period]
    return call.day(zone) >= first


def rounded(numbers: list[int] | list[Decimal], digits: str) -> Decimal:
    """The mean, halves away from zero as Postgres rounds; 0 for none."""
    if not numbers:
        return Decimal(0)
    mean = sum(map(Fraction, numbers), Fraction(0)) / len(numbers)
    return int(mean / Fraction(Decimal(digits)) + Fraction(1, 2)) * Decimal(digits)


def completed_lengths(calls: list[StoredCall]) -> list[int]:
    lengths = [call.duration_seconds for call in calls if call.status == "completed"]
    return [length for length in lengths if length is not None]


def summary(calls: list[StoredCall], zone: ZoneInfo, now: datetime) -> dict[str, float]:
    counted = [call for call in calls if call.counts]
    past = [call for call in counted if call.day(zone) <= now.astimezone(zone).date()]
    lengths = completed_lengths(counted)
    scores = [call.sentiment_score for call in counted if call.sentiment_score is not None]
    return {
        "total_calls": len(counted),
        "completed_calls": sum(call.status == "completed" for call in counted),
        "missed_calls": sum(call.status == "missed" for call in counted),
        "average_duration": int(rounded(lengths, "1")),
        "average_sentiment": float(rounded(scores, "0.01")),
        "calls_today": sum(since("today", call, zone, now) for call in past),
        "calls_this_week": sum(since("week", call, zone, now) for call in past),
        "calls_this_month": sum(since("month", call, zone, now) for call in past),
    }


def stats(calls: list[StoredCall], zone: ZoneInfo, now: datetime, window: timedelta | None) -> dict[str, float]:
    counted = [call for call in calls if call.counts]
    within = [call for call in counted if window is None or call.at >= now - window]
    lengths = completed_lengths(within)
    return {
        "totalCalls": len(within),
        "inboundCalls": sum(call.call_type == "inbound" for call in within),
        "outboundCalls": sum(call.call_type == "outbound" for call in within),
        "completedCalls": sum(call.status == "completed" for call in within),
        "callsToday": sum(call.day(zone) == now.astimezone(zone).date() for call in counted),
        "avgDuration": int(rounded(lengths, "1")),
        "pipelineValue": float(sum(call.financial_value for call in counted if call.at >= now - timedelta(days=30))),
    }


def pulse(calls: list[StoredCall], bookings: list[str]) -> dict[str, float]:
    """`bookings` are the statuses of appointments that are not deleted."""
    counted = [call for call in calls if call.counts]
    inbound = sum(call.call_type == "inbound" for call in counted)
    booked = sum(call.booking_confirmed for call in counted)
    scores = [call.sentiment_score for call in counted if call.sentiment_score is not None]
    return {
        "total_calls": len(counted),
        "inbound_calls": inbound,
        "outbound_calls": len(counted) - inbound,
        "avg_duration_seconds": int(rounded(completed_lengths(counted), "1")),
        "success_rate": min(100.0, float(rounded([100 * booked] + [0] * (inbound - 1), "0.1"))) if inbound else 0,
        "pipeline_value": int(rounded([sum(call.financial_value for call in counted)], "1")),
        "hot_leads_count": sum(call.lead_temp == "hot" for call in counted),
        "appointments_booked": sum(status != "cancelled" for status in bookings),
        "avg_sentiment": float(rounded(scores, "0.01")),
    }


def recent(calls: list[StoredCall]) -> list[StoredCall]:
    counted = [call for call in calls if call.counts]
    return sorted(counted, key=lambda call: newest_first(call, call.began))[:5]
