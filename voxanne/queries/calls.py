"""Calls: inbound ones (`call_logs`), outbound ones (`calls`), and the view `calls_feed` over both."""

from datetime import datetime

from postgrest import SyncPostgrestClient

from voxanne.database import Row, call_function
from voxanne.queries.results import call_row, first, rows

FEED = "calls_feed"
LIST_COLUMNS = (
    "id,call_type,phone_number,caller_name,call_date,duration_seconds,status,has_recording,has_transcript,"
    "recording_status,recording_error,sentiment_score,sentiment_label,sentiment_summary,sentiment_urgency,"
    "outcome,outcome_summary,ended_reason,cost_cents,tools_used,lead_temp,lead_score,is_test_call"
)
_ALL_COLUMNS = (
    f"{LIST_COLUMNS},vapi_call_id,contact_id,created_at,started_at,ended_at,transcript,action_items,"
    "recording_storage_path,transfer_to,transfer_time,transfer_reason,notes,financial_value,procedure_intent"
)
DETAIL_COLUMNS = f"{_ALL_COLUMNS},appointment"
STORED_COLUMNS = f"{_ALL_COLUMNS},org_id,recording_url"
RECORDING_COLUMNS = "id,recording_storage_path,recording_url"


def get_call(db: SyncPostgrestClient, org_id: str, call_id: str, columns: str = DETAIL_COLUMNS) -> Row | None:
    """Return one call of either direction, or None."""
    return first(db.from_(FEED).select(columns).eq("org_id", org_id).eq("id", call_id).limit(1))


def create_outbound_call(db: SyncPostgrestClient, org_id: str, values: Row) -> Row:
    """Insert an outbound call and return its row."""
    return rows(db.from_("calls").insert({**values, "org_id": org_id}).select(STORED_COLUMNS))[0]


def delete_call(db: SyncPostgrestClient, org_id: str, call_id: str) -> bool:
    """Mark a call of either direction as deleted; False if the organisation never had it."""
    found: bool = call_function(db, "delete_call", {"p_org_id": org_id, "p_call_id": call_id})
    return found


def get_stats(db: SyncPostgrestClient, org_id: str, since: datetime | None) -> Row:
    """Return the numbers of `schemas.calls.CallStats`, and `version`.

    Counts calls from `since` on. Today's, the pipeline's 30 days and the five newest calls do not depend on it.
    """
    return call_row(db, "call_stats", {"p_org_id": org_id, "p_since": since.isoformat() if since else None})


def get_version(db: SyncPostgrestClient, org_id: str) -> int:
    """Return a number that grows with every change of calls, contacts, appointments, hot leads and the time zone."""
    version: int = call_function(db, "call_version", {"p_org_id": org_id})
    return version


def get_summary(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return the numbers of `schemas.calls.CallSummary`, and `version`."""
    return call_row(db, "call_summary", {"p_org_id": org_id})
