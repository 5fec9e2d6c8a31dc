"""A valid row of every table, so that rules which hold for all tables can be tried on all of them."""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

ROLES = ("viewer", "agent", "manager", "admin", "owner")
_numbers = itertools.count(1)


@dataclass
class Clinic:
    """An organisation with a member in every role, and the key of one row in each table."""

    org_id: str
    users: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Any] = field(default_factory=dict)

    def who(self, role: str) -> tuple[str | None, str | None, str]:
        return (self.users[role], self.org_id, "authenticated")


def number() -> str:
    return f"+4420{next(_numbers):08d}"


def word() -> str:
    return f"word-{next(_numbers)}"


def new_user(db: psycopg.Connection, app_data: dict[str, Any] | None = None, **user_data: Any) -> str:
    user_id = str(uuid.uuid4())
    db.execute(
        "insert into auth.users (id, email, raw_app_meta_data, raw_user_meta_data) values (%s, %s, %s, %s)",
        [user_id, f"{word()}-{user_id[:8]}@clinic.example", Jsonb(app_data or {}), Jsonb(user_data)],
    )
    return user_id


def _call(clinic: Clinic) -> dict[str, Any]:
    return {"vapi_call_id": word(), "contact_id": clinic.rows.get("contacts"), "phone_number": number()}


def _event(_clinic: Clinic) -> dict[str, Any]:
    return {"event_id": word(), "event_type": "end-of-call-report"}


def _unique(column: str, **more: Any) -> Callable[[Clinic], dict[str, Any]]:
    return lambda _clinic: {column: word(), **more}


# In an order in which each row finds those it refers to. Values that must differ are made anew each time.
SAMPLES: dict[str, Callable[[Clinic], dict[str, Any]]] = {
    "contacts": lambda _: {"name": "Anna Smith", "phone": number()},
    "agents": lambda _: {"role": "inbound", "name": "Receptionist"},
    "call_logs": _call,
    "calls": _call,
    "appointments": lambda clinic: {
        "contact_id": clinic.rows.get("contacts"),
        "service_type": "Botox",
        "scheduled_at": "2030-01-01T09:00Z",
        "status": "cancelled",
    },
    "messages": lambda clinic: {
        "contact_id": clinic.rows.get("contacts"),
        "appointment_id": clinic.rows.get("appointments"),
        "method": "sms",
        "recipient": number(),
        "content": "See you tomorrow",
    },
    "sms_message_tracking": lambda clinic: {
        "message_sid": word(),
        "message_id": clinic.rows.get("messages"),
        "status": "sent",
    },
    "message_outbox": lambda clinic: {
        "message_id": clinic.rows.get("messages"),
        "purpose": "hot_lead_alert",
        "recipient": number(),
        "content": "Hot lead",
    },
    "follow_up_tasks": lambda clinic: {"task_type": "call_back", "contact_id": clinic.rows.get("contacts")},
    "notifications": lambda _: {"type": "missed_call", "title": "Missed call", "message": "from Anna"},
    "hot_lead_alerts": lambda clinic: {
        "call_id": str(uuid.uuid4()),
        "lead_name": "Anna",
        "contact_id": clinic.rows.get("contacts"),
    },
    "services": lambda _: {"name": "Botox", "price": 400, "keywords": ["botox"]},
    "service_price_history": lambda clinic: {
        "service_id": clinic.rows.get("services") or str(uuid.uuid4()),
        "service_name": "Botox",
        "new_price": 400,
    },
    "inbound_agent_config": _unique("system_prompt"),
    "outbound_agent_config": _unique("system_prompt"),
    "assistant_org_mapping": _unique("vapi_assistant_id", assistant_role="inbound"),
    "integration_settings": _unique("vapi_public_key"),
    "integrations": lambda _: {"provider": "vapi"},
    "org_credentials": lambda _: {"provider": "vapi", "encrypted_config": "v1:sealed"},
    "phone_number_mapping": lambda _: {"inbound_phone_number": number()},
    "escalation_rules": lambda clinic: {
        "name": "Human, please",
        "trigger_type": "ai_request",
        "transfer_number": number(),
        "agent_id": clinic.rows.get("agents"),
    },
    "transfer_queue": lambda clinic: {"to_number": number(), "escalation_rule_id": clinic.rows.get("escalation_rules")},
    "call_tracking": lambda clinic: {"vapi_call_id": word(), "agent_id": clinic.rows.get("agents")},
    "call_transcripts": lambda clinic: {
        "call_id": clinic.rows.get("call_tracking"),
        "speaker": "customer",
        "text": "Hello",
    },
    "processed_webhook_events": _event,
    "webhook_delivery_log": _event,
    "webhook_dead_letters": lambda _: {"source": "vapi", "payload": {}, "reason": "no such call"},
    "audit_logs": lambda clinic: {"action": "agent.deleted", "user_id": clinic.users["owner"]},
    "team_invitations": lambda _: {"email": f"{word()}@guest.example", "role": "agent"},
}


def sample(clinic: Clinic, table: str, **changed: Any) -> dict[str, Any]:
    return {"org_id": clinic.org_id, **SAMPLES[table](clinic), **changed}


def insertion(table: str, values: dict[str, Any]) -> tuple[sql.Composed, list[Any]]:
    """Return the statement that inserts a row, and its parameters."""
    adapted = [Jsonb(value) if isinstance(value, dict) else value for value in values.values()]
    statement = sql.SQL("insert into public.{} ({}) values ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )
    return statement, adapted


def insert(db: psycopg.Connection, table: str, values: dict[str, Any]) -> Any:
    """Insert a row and return its id."""
    statement, adapted = insertion(table, values)
    found = db.execute(statement + sql.SQL(" returning id"), adapted).fetchone()
    assert found
    return found[0]


def new_clinic(db: psycopg.Connection, **values: Any) -> Clinic:
    clinic = Clinic(str(insert(db, "organizations", {"name": f"Clinic {word()}", **values})))
    for role in ROLES:
        clinic.users[role] = new_user(db, {"org_id": clinic.org_id, "role": role})
    return clinic


def full_clinic(db: psycopg.Connection) -> Clinic:
    """Return an organisation that has a row in every table that is there yet."""
    clinic = new_clinic(db)
    present = {name for (name,) in db.execute("select tablename from pg_tables where schemaname = 'public'")}
    for table in [table for table in SAMPLES if table in present]:
        clinic.rows[table] = insert(db, table, sample(clinic, table))
    for user_id in clinic.users.values():
        db.execute("insert into public.user_settings (user_id) values (%s)", [user_id])
    return clinic
