"""Calls: inbound ones (`call_logs`), outbound ones (`calls`), and the feed view over both."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from postgrest import SyncPostgrestClient
from postgrest.types import CountMethod

from voxanne.database import Row
from voxanne.pagination import Slice, fetch_slice

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

# Each order ends with the date and the id, so that ties keep their place from page to page.
ORDERS: dict[str, tuple[tuple[str, bool], ...]] = {
    "date": (("call_date", True), ("id", True)),
    "duration": (("sort_duration", True), ("call_date", True), ("id", True)),
    "name": (("sort_name", False), ("call_date", True), ("id", True)),
}


@dataclass(frozen=True)
class CallFilter:
    """What a list of calls is narrowed to; None means not at all. Times are inclusive."""

    call_type: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str | None = None
    include_test: bool = False


def list_calls(
    db: SyncPostgrestClient, org_id: str, narrowed: CallFilter, *, sort: str, offset: int, limit: int
) -> Slice:
    """Return one page of the feed with its total; `sort` is a key of `ORDERS`."""

    def build() -> Any:
        query: Any = db.from_(FEED).select(LIST_COLUMNS, count=CountMethod.exact).eq("org_id", org_id)
        for column, descending in ORDERS[sort]:
            query = query.order(column, desc=descending)
        return _narrow(query, narrowed)

    return fetch_slice(build, offset, limit)


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
    """Return the numbers of http.md 2.2; `since` limits all that has no window of its own."""
    parameters = {"p_org_id": org_id, "p_since": since.isoformat() if since else None}
    return cast(Row, db.rpc("call_stats", cast(Any, parameters)).execute().data)


def get_summary(db: SyncPostgrestClient, org_id: str) -> Row:
    """Return the numbers of http.md 2.3."""
    return cast(Row, db.rpc("call_summary", {"p_org_id": org_id}).execute().data)


def _narrow(query: Any, narrowed: CallFilter) -> Any:
    if not narrowed.include_test:
        query = query.eq("is_test_call", "false")
    if narrowed.call_type:
        query = query.eq("call_type", narrowed.call_type)
    if narrowed.status:
        query = query.eq("status", narrowed.status)
    if narrowed.since:
        query = query.gte("call_date", narrowed.since.isoformat())
    if narrowed.until:
        query = query.lte("call_date", narrowed.until.isoformat())
    if narrowed.search:
        # A pattern, not ilike: PostgREST turns every * of an ilike into %, and nothing escapes it.
        query = query.filter("search_text", "imatch", literal_pattern(narrowed.search))
    return query


def literal_pattern(text: str) -> str:
    """Return a Postgres regular expression that matches just this text.

    Only the characters that mean something are escaped: a backslash before a letter would mean something itself.
    """
    return re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", text)
