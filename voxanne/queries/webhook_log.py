"""Records of webhooks: dead letters, calls without a report, how long records are kept. Needs the service key."""

from datetime import datetime
from typing import cast

from postgrest import SyncPostgrestClient

from voxanne.database import Row, call_function
from voxanne.queries.results import call_row, call_rows, rows


def record_dead_letter(
    db: SyncPostgrestClient,
    org_id: str | None,
    *,
    source: str,
    event_id: str | None,
    event_type: str | None,
    payload: Row,
    reason: str,
    attempts: int,
    received_at: datetime,
) -> str | None:
    """Keep an event that cannot be applied, whole, and return the letter's id; the same event waits only once.

    Nothing is kept for an organisation that has been erased: None.
    """
    arguments = {
        "p_org_id": org_id,
        "p_source": source,
        "p_event_id": event_id,
        "p_event_type": event_type,
        "p_payload": payload,
        "p_reason": reason,
        "p_attempts": attempts,
        "p_received_at": received_at.isoformat(),
    }
    letter_id: str | None = call_function(db, "record_dead_letter", arguments)
    return letter_id


def dead_letters(
    db: SyncPostgrestClient,
    *,
    limit: int,
    org_id: str | None = None,
    ids: list[str] | None = None,
    after: Row | None = None,
) -> list[Row]:
    """Return letters that wait, oldest first, after the given one: all, an organisation's, or those with the ids.

    Rows of `id`, `org_id`, `source`, `event_id`, `event_type`, `payload`, `reason`, `attempts` and `received_at`.
    """
    place = {"p_after_received": after["received_at"], "p_after_id": after["id"]} if after else {}
    chosen = {"p_org_id": org_id, "p_ids": ids}
    return call_rows(db, "dead_letters_waiting", {"p_limit": limit, **chosen, **place})


def list_dead_letters(db: SyncPostgrestClient, org_id: str | None, *, limit: int) -> list[Row]:
    """Return the oldest letters that wait, of one organisation or of all, without what they say."""
    columns = "id,org_id,event_id,event_type,reason,attempts,received_at"
    query = db.from_("webhook_dead_letters").select(columns).is_("replayed_at", "null")
    query = query.eq("org_id", org_id) if org_id else query
    return rows(query.order("received_at").order("id").limit(limit))


def list_deliveries(
    db: SyncPostgrestClient, org_id: str, *, call_id: str | None, failed: bool, limit: int
) -> list[Row]:
    """Return the latest of an organisation's delivery log, of all events or of one call's.

    Rows of `event_id`, `event_type`, `status`, `attempts`, `received_at`, `completed_at` and `error_message`.
    """
    columns = "event_id,event_type,status,attempts,received_at,completed_at,error_message"
    query = db.from_("webhook_delivery_log").select(columns).eq("org_id", org_id)
    if call_id is not None:
        query = query.like("event_id", f"%:{call_id}%")
    if failed:
        query = query.neq("status", "completed")
    return rows(query.order("received_at", desc=True).order("id", desc=True).limit(limit))


def note_replay(db: SyncPostgrestClient, letter_id: str, reason: str) -> None:
    """Note that a dead letter was tried again in vain, and why."""
    call_function(db, "dead_letter_failed", {"p_id": letter_id, "p_reason": reason})


def mark_replayed(db: SyncPostgrestClient, letter_id: str) -> bool:
    """Note that a dead letter was applied after all; False if it was not waiting."""
    was_waiting: bool = call_function(db, "dead_letter_replayed", {"p_id": letter_id})
    return was_waiting


def prune(db: SyncPostgrestClient, before: datetime, *, limit: int = 5000) -> Row:
    """Delete records from before then, up to `limit` of each kind; returns how many, by table.

    The last week is always kept, so that repeated deliveries are recognised. Call it until all numbers are 0.
    """
    arguments = {"p_before": before.isoformat(), "p_limit": limit}
    return call_row(db, "prune_webhook_records", arguments)


def unfinished_calls(db: SyncPostgrestClient, before: datetime, *, limit: int, after: Row | None = None) -> list[Row]:
    """Return calls that began before then and whose report has not come, oldest first, after the given one.

    Rows of `id`, `org_id`, `vapi_call_id`, `call_type`, `status`, `event_rank` and `began`.
    """
    place = {"p_after_began": after["began"], "p_after_id": after["id"]} if after else {}
    arguments = {"p_before": before.isoformat(), "p_limit": limit, **place}
    return call_rows(db, "unfinished_calls", arguments)


def unknown_calls(db: SyncPostgrestClient, vapi_call_ids: list[str]) -> list[str]:
    """Return those of the provider's calls that no organisation has a row of, deleted ones included."""
    return cast(list[str], call_function(db, "unknown_calls", {"p_vapi_call_ids": vapi_call_ids}))
