"""Events as the handlers hand them to the database, and all that they leave there."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
PHONE = "+15551234567"
ALERT_PHONE = "+15550009999"
Event = dict[str, Any]
Rows = list[dict[str, Any]]
_numbers = itertools.count(1)

STATUSES = {"queued": 1, "ringing": 2, "in-progress": 3, "ended": 4}


def after(seconds: float) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat()


def new_call_id() -> str:
    return f"call-{next(_numbers)}-{datetime.now(UTC).timestamp()}"


def event(kind: str, rank: int, seconds: float, call: Event, **parts: Any) -> Event:
    return {
        "event_id": kind,
        "event_type": "end-of-call-report" if rank == 5 else "status-update",
        "rank": rank,
        "received_at": after(seconds),
        "attempts": 1,
        "call": call,
        "contact": {"phone": PHONE},
        "alert": None,
        **parts,
    }


def status(name: str, seconds: float, *, call_type: str = "inbound", **call: Any) -> Event:
    word = "completed" if name == "ended" else name
    values = {"call_type": call_type, "phone_number": PHONE, "status": word, **call}
    return event(f"status:{name}", STATUSES[name], seconds, values)


def report(seconds: float = 185, *, call_type: str = "inbound", alert: Event | None = None, **call: Any) -> Event:
    values = {
        "call_type": call_type,
        "phone_number": PHONE,
        "status": "completed",
        "started_at": after(2),
        "ended_at": after(182),
        "duration_seconds": 180,
        "caller_name": "Anna Smith",
        "ended_reason": "customer-ended-call",
        "cost_cents": 31,
        "transcript": [{"speaker": "agent", "text": "Good morning", "timestamp": 0}],
        "sentiment_score": 0.81,
        "sentiment_label": "positive",
        "tools_used": ["check_availability"],
        "lead_temp": "hot",
        "lead_score": 90,
        "financial_value": 400,
        "metadata": {"channel": "phone"},
        **call,
    }
    contact = {"phone": PHONE, "lead_status": "hot", "lead_score": 90, "service_interests": ["Botox"]}
    return event("end", 5, seconds, values, contact=contact, alert=alert)


def alert() -> Event:
    return {
        "lead_name": "Anna Smith",
        "lead_phone": PHONE,
        "service_interest": "Botox",
        "urgency_level": "high",
        "summary": "Wants Botox this week",
        "lead_score": 90,
        "text": {"to": ALERT_PHONE, "body": "Hot lead"},
    }


def apply(sql: psycopg.Connection[Any], org_id: str, vapi_call_id: str, happened: Event) -> dict[str, Any]:
    """Apply an event to the call with that id, and return what the function does."""
    sent = {
        **happened,
        "event_id": f"{happened['event_id']}:{vapi_call_id}",
        "call": {**happened["call"], "vapi_call_id": vapi_call_id},
    }
    row = sql.execute("select public.apply_call_event(%s, %s) as done", [org_id, Jsonb(sent)]).fetchone()
    assert row
    done: dict[str, Any] = row["done"]
    return done


_MADE = (
    "id",
    "org_id",
    "updated_at",
    "created_at",
    "vapi_call_id",
    "contact_id",
    "call_id",
    "message_id",
    "search_text",
)
_TABLES = (
    "call_logs", "calls", "contacts", "appointments", "hot_lead_alerts", "notifications", "messages", "message_outbox",
    "processed_webhook_events", "webhook_delivery_log",
)  # fmt: skip
# When a row was made here; of a call, created_at is when it began.
_CLOCKS = {"last_attempt_at", "completed_at", "next_attempt_at", "related_entity_id"}


def left_behind(sql: psycopg.Connection[Any], org_id: str) -> dict[str, Rows]:
    """Every row of an organisation without ids and clocks; what a row refers to is told as whether it does."""
    found: dict[str, Rows] = {}
    for table in _TABLES:
        rows = [
            row["found"]
            for row in sql.execute(f"select to_jsonb(t) as found from public.{table} as t where org_id = %s", [org_id])
        ]
        found[table] = sorted((_told(table, row) for row in rows), key=str)
    return found


def _told(table: str, row: dict[str, Any]) -> dict[str, Any]:
    if table in {"processed_webhook_events", "webhook_delivery_log"}:
        return {"event": row["event_id"].rpartition(":")[0], "status": row.get("status")}
    told = {key: value for key, value in row.items() if key not in _MADE and key not in _CLOCKS}
    told |= {key: row[key] is not None for key in ("contact_id", "call_id") if key in row}
    if table in {"call_logs", "calls"}:
        told["created_at"] = row["created_at"]
    if table == "notifications":
        told["metadata"] = sorted(row["metadata"])
    return told


def differences(one: dict[str, Rows], other: dict[str, Rows]) -> list[Any]:
    """What is not the same in both: (table, rows) or (table, column, value, value)."""
    found: list[Any] = []
    for table, rows in one.items():
        if len(rows) != len(other[table]):
            found.append((table, rows, other[table]))
            continue
        for ours, theirs in zip(rows, other[table], strict=True):
            found += [(table, name, ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]]
    return found


def only(sql: psycopg.Connection[Any], table: str, org_id: str) -> dict[str, Any]:
    """The organisation's one row in a table."""
    rows = sql.execute(f"select * from public.{table} where org_id = %s", [org_id]).fetchall()
    assert len(rows) == 1
    found: dict[str, Any] = rows[0]
    return found


def drift(sql: psycopg.Connection[Any], org_id: str) -> Rows:
    return sql.execute("select * from public.call_rollup_drift(%s)", [org_id]).fetchall()
