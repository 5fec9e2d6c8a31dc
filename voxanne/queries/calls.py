"""Calls: inbound ones (`call_logs`), outbound ones (`calls`), and the feed view over both."""

from datetime import datetime
from typing import Any, cast

from postgrest import SyncPostgrestClient

from voxanne.database import Row

FEED = "calls_feed"
LIST_COLUMNS = (
    "id,call_type,phone_number,caller_name,call_date,duration_seconds,status,has_recording,has_transcript,"
    "recording_status,recording_error,sentiment_score,sentiment_label,sentiment_summary,sentiment_urgency,"
    "outcome,outcome_summary,ended_reason,cost_cents,tools_used,lead_temp,lead_score,is_test_call"
)
DETAIL_COLUMNS = (
    f"{LIST_COLUMNS},vapi_call_id,contact_id,created_at,started_at,ended_at,transcript,action_items,"
    "recording_storage_path,transfer_to,transfer_time,transfer_reason,notes,financial_value,procedure_intent"
)
STORED_COLUMNS = f"{DETAIL_COLUMNS},org_id,recording_url"
RECORDING_COLUMNS = "id,recording_storage_path,recording_url"


def get_call(db: SyncPostgrestClient, org_id: str, call_id: str, columns: str = DETAIL_COLUMNS) -> Row | None:
    """Return one call of either direction, or None."""
    rows = db.from_(FEED).select(columns).eq("org_id", org_id).eq("id", call_id).limit(1).execute().data
    return cast(Row, rows[0]) if rows else None


def create_outbound_call(db: SyncPostgrestClient, org_id: str, values: Row) -> Row:
    """Insert an outbound call and return its row."""
    query = db.from_("calls").insert({**values, "org_id": org_id}).select(STORED_COLUMNS)
    return cast(Row, query.execute().data[0])


def delete_call(db: SyncPostgrestClient, org_id: str, call_id: str) -> bool:
    """Mark a call of either direction as deleted; False if the organisation never had it."""
    return cast(bool, db.rpc("delete_call", {"p_org_id": org_id, "p_call_id": call_id}).execute().data)


def get_stats(db: SyncPostgrestClient, org_id: str, since: datetime | None) -> Row:
    """Return the numbers of http.md 2.2 and their `version`; `since` limits all that has no window of its own."""
    parameters = {"p_org_id": org_id, "p_since": since.isoformat() if since else None}
    return cast(Row, db.rpc("call_stats", cast(Any, parameters)).execute().data)


def get_version(db: SyncPostgrestClient, org_id: str) -> int:
    """Return a number that grows with every change of calls, contacts, appointments, hot leads and the time zone."""
    return cast(int, db.rpc("call_version", {"p_org_id": org_id}).execute().data)


def get_summary(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return the numbers of http.md 2.3 and their `version`."""
    return cast(Row, db.rpc("call_summary", {"p_org_id": org_id}).execute().data)
