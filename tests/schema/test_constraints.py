"""Bad data is refused, whoever brings it."""

import uuid
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from tests.schema.rows import Clinic, insert, new_clinic, sample

CHECK, UNIQUE, FOREIGN, OVERLAP, NULL = (
    errors.CheckViolation,
    errors.UniqueViolation,
    errors.ForeignKeyViolation,
    errors.ExclusionViolation,
    errors.NotNullViolation,
)
NOT_E164 = ["", "5551234567", "+05551234567", "+1 555 123", "Unknown", "+1234567890123456"]
CALLS: list[tuple[str, Any]] = [
    *(("phone_number", value) for value in NOT_E164),
    ("status", "active"),
    ("status", None),
    ("duration_seconds", -1),
    ("cost_cents", -1),
    ("financial_value", -1),
    ("sentiment_score", 1.01),
    ("sentiment_score", -0.01),
    ("sentiment_label", "Positive"),
    ("sentiment_urgency", "high"),
    ("recording_status", "lost"),
    ("lead_temp", "cool"),
    ("lead_score", 101),
    ("transcript", {"text": "not a list"}),
    ("action_items", {}),
    ("metadata", Jsonb([])),
    ("tools_used", [" "]),
    ("is_test_call", None),
    ("caller_name", "x" * 201),
]
OTHERS: list[tuple[str, str, Any]] = [
    *(("contacts", "phone", value) for value in NOT_E164),
    *(("phone_number_mapping", "inbound_phone_number", value) for value in NOT_E164),
    *(("escalation_rules", "transfer_number", value) for value in NOT_E164),
    ("contacts", "name", " "),
    ("contacts", "email", "nobody"),
    ("contacts", "lead_status", "new"),
    ("contacts", "pipeline_status", "hot"),
    ("contacts", "lead_score", -1),
    ("contacts", "service_interests", [""]),
    ("appointments", "service_type", ""),
    ("appointments", "duration_minutes", 0),
    ("appointments", "status", "done"),
    ("appointments", "scheduled_at", "infinity"),
    ("messages", "recipient", "anna@clinic.example"),
    ("messages", "method", "fax"),
    ("services", "name", ""),
    ("services", "price", -1),
    ("services", "price", "NaN"),
    ("services", "keywords", ["botox", ""]),
    ("agents", "role", "assistant"),
    ("agents", "max_call_duration", 59),
    ("agents", "language", "english"),
    ("escalation_rules", "trigger_type", "never"),
    ("escalation_rules", "priority", -1),
    ("notifications", "type", "sms"),
    ("hot_lead_alerts", "lead_score", 101),
    ("call_transcripts", "speaker", "robot"),
    ("org_credentials", "provider", "facebook"),
    ("org_credentials", "encrypted_config", ""),
]


@pytest.fixture
def clinic(db: psycopg.Connection) -> Clinic:
    return new_clinic(db)


@pytest.mark.parametrize("table", ["call_logs", "calls"])
@pytest.mark.parametrize(("column", "value"), CALLS)
def test_a_call_is_refused(db: psycopg.Connection, clinic: Clinic, table: str, column: str, value: Any) -> None:
    with pytest.raises((CHECK, NULL)) as refusal:
        insert(db, table, sample(clinic, table, **{column: value}))
    assert refusal.value.diag.constraint_name or refusal.value.diag.column_name == column


@pytest.mark.parametrize(("table", "column", "value"), OTHERS)
def test_a_row_is_refused(db: psycopg.Connection, ours: Clinic, table: str, column: str, value: Any) -> None:
    db.execute(f"delete from public.{table} where org_id = %s", [ours.org_id])
    with pytest.raises(CHECK):
        insert(db, table, sample(ours, table, **{column: value}))


@pytest.mark.parametrize("table", ["call_logs", "calls"])
def test_a_withheld_number_and_an_unfinished_call_can_be_kept(
    db: psycopg.Connection, clinic: Clinic, table: str
) -> None:
    nothing = ("phone_number", "caller_name", "duration_seconds", "transcript", "ended_at", "vapi_call_id")
    assert insert(db, table, sample(clinic, table, **dict.fromkeys(nothing)))


@pytest.mark.parametrize(("table", "call_type"), [("call_logs", "outbound"), ("calls", "inbound")])
def test_each_table_keeps_its_direction(db: psycopg.Connection, clinic: Clinic, table: str, call_type: str) -> None:
    with pytest.raises(CHECK):
        insert(db, table, sample(clinic, table, call_type=call_type))


@pytest.mark.parametrize("table", ["call_logs", "calls"])
def test_a_call_ends_after_it_starts(db: psycopg.Connection, clinic: Clinic, table: str) -> None:
    with pytest.raises(CHECK):
        insert(db, table, sample(clinic, table, started_at="2026-01-01T10:00Z", ended_at="2026-01-01T09:59Z"))


@pytest.mark.parametrize("table", ["call_logs", "calls"])
def test_a_provider_call_is_one_row(db: psycopg.Connection, ours: Clinic, table: str) -> None:
    row = sample(ours, table)
    insert(db, table, row)
    with pytest.raises(UNIQUE):
        insert(db, table, {**sample(ours, table), "vapi_call_id": row["vapi_call_id"]})


FOREIGN_KEYS = """
    select conrelid::regclass::text, column_name.attname
    from pg_constraint
    cross join lateral unnest(conkey) as key (number)
    join pg_attribute as column_name on column_name.attrelid = conrelid and column_name.attnum = key.number
    where contype = 'f' and connamespace = 'public'::regnamespace and confrelid <> 'public.organizations'::regclass
      and array_length(conkey, 1) = 2 and column_name.attname <> 'org_id'
"""


def test_no_row_refers_to_another_organisation(db: psycopg.Connection, ours: Clinic, theirs: Clinic) -> None:
    """Every reference between two tables of an organisation, taken from the catalog."""
    references = db.execute(FOREIGN_KEYS).fetchall()
    assert len(references) >= 16
    for table, column in references:
        target = theirs.users["agent"] if "user" in column else theirs.rows[_parent(db, table, column)]
        with pytest.raises(FOREIGN), db.transaction():
            db.execute(f"update public.{table} set {column} = %s where org_id = %s", [target, ours.org_id])


def _parent(db: psycopg.Connection, table: str, column: str) -> str:
    query = """
        select confrelid::regclass::text
        from pg_constraint join pg_attribute on attrelid = conrelid and attnum = any(conkey)
        where contype = 'f' and conrelid = %s::regclass and attname = %s
    """
    parents = db.execute(query, [f"public.{table}", column]).fetchall()
    assert len(parents) == 1
    return str(parents[0][0])


def test_references_within_a_tenant_carry_the_organisation(db: psycopg.Connection) -> None:
    """A key of one column to another tenant table would let rows of two organisations meet."""
    single = """
        select conrelid::regclass::text, conname from pg_constraint
        where contype = 'f' and connamespace = 'public'::regnamespace and array_length(conkey, 1) = 1
          and confrelid not in ('public.organizations'::regclass, 'auth.users'::regclass)
    """
    assert db.execute(single).fetchall() == []


def test_a_deleted_contact_leaves_its_history(db: psycopg.Connection, ours: Clinic) -> None:
    db.execute("delete from public.contacts where id = %s", [ours.rows["contacts"]])
    for table in ("call_logs", "calls", "appointments", "messages", "hot_lead_alerts"):
        query = f"select org_id::text, contact_id from public.{table} where org_id = %s"
        assert db.execute(query, [ours.org_id]).fetchall() == [(ours.org_id, None)]


@pytest.mark.parametrize("column", ["inbound_phone_number", "vapi_phone_number_id"])
def test_a_number_in_use_has_one_owner(db: psycopg.Connection, ours: Clinic, theirs: Clinic, column: str) -> None:
    taken = {"inbound_phone_number": "+442079460000", "vapi_phone_number_id": "number-1"}
    first = insert(db, "phone_number_mapping", sample(ours, "phone_number_mapping", **taken))
    rival = sample(theirs, "phone_number_mapping", **{column: taken[column]})
    with pytest.raises(UNIQUE), db.transaction():
        insert(db, "phone_number_mapping", rival)
    db.execute("update public.phone_number_mapping set is_active = false where id = %s", [first])
    assert insert(db, "phone_number_mapping", rival)


def book(db: psycopg.Connection, clinic: Clinic, at: str, minutes: int = 30, **values: Any) -> Any:
    slot = {"scheduled_at": f"2030-03-31T{at}Z", "duration_minutes": minutes, "status": "confirmed"}
    return insert(db, "appointments", sample(clinic, "appointments", **{**slot, **values}))


@pytest.mark.parametrize(("at", "minutes"), [("09:00", 30), ("09:29", 30), ("08:31", 30), ("08:00", 120), ("09:10", 5)])
def test_overlapping_appointments_are_refused(db: psycopg.Connection, clinic: Clinic, at: str, minutes: int) -> None:
    book(db, clinic, "09:00")
    with pytest.raises(OVERLAP) as refusal:
        book(db, clinic, at, minutes)
    assert refusal.value.diag.constraint_name == "appointments_no_overlap"


def test_appointments_may_touch_and_dead_ones_do_not_count(
    db: psycopg.Connection, clinic: Clinic, theirs: Clinic
) -> None:
    first = book(db, clinic, "09:00")
    assert book(db, clinic, "09:30")
    assert book(db, clinic, "08:30")
    assert book(db, theirs, "09:00")
    for status in ("cancelled", "completed", "no_show"):
        assert book(db, clinic, "09:00", status=status)
    db.execute("update public.appointments set deleted_at = now() where id = %s", [first])
    again = book(db, clinic, "09:00", status="scheduled")
    with pytest.raises(OVERLAP):
        db.execute("update public.appointments set deleted_at = null where id = %s", [first])
    assert again


@pytest.mark.parametrize(
    ("given", "status", "is_read"),
    [
        ({}, "unread", False),
        ({"is_read": True}, "read", True),
        ({"status": "read"}, "read", True),
        ({"status": "archived"}, "archived", True),
    ],
)
def test_a_notification_agrees_with_itself(
    db: psycopg.Connection, clinic: Clinic, given: dict[str, Any], status: str, is_read: bool
) -> None:
    inserted = insert(db, "notifications", sample(clinic, "notifications", **given))
    updated = insert(db, "notifications", sample(clinic, "notifications"))
    for column, value in given.items():
        db.execute(f"update public.notifications set {column} = %s where id = %s", [value, updated])
    query = "select status, is_read, read_at is not null from public.notifications where id = any(%s)"
    assert db.execute(query, [[inserted, updated]]).fetchall() == [(status, is_read, is_read)] * 2


def test_a_notification_can_become_unread_again(db: psycopg.Connection, clinic: Clinic) -> None:
    row = insert(db, "notifications", sample(clinic, "notifications", is_read=True))
    query = "update public.notifications set is_read = false where id = %s returning status, read_at"
    assert db.execute(query, [row]).fetchone() == ("unread", None)


def test_each_price_is_remembered_even_of_a_service_that_is_gone(db: psycopg.Connection, clinic: Clinic) -> None:
    service = insert(db, "services", sample(clinic, "services", price=400))
    for change in ("price = 450", "name = 'Botox, large'", "price = 450"):
        db.execute(f"update public.services set {change} where id = %s", [service])
    db.execute("delete from public.services where id = %s", [service])
    history = "select old_price, new_price from public.service_price_history where service_id = %s order by new_price"
    assert db.execute(history, [service]).fetchall() == [(None, 400), (400, 450)]


def test_an_event_is_entered_once_for_each_organisation(db: psycopg.Connection, ours: Clinic, theirs: Clinic) -> None:
    event = {"event_id": f"end-of-call-report:{uuid.uuid4()}", "event_type": "end-of-call-report"}
    insert(db, "processed_webhook_events", {"org_id": ours.org_id, **event})
    insert(db, "processed_webhook_events", {"org_id": theirs.org_id, **event})
    with pytest.raises(UNIQUE):
        insert(db, "processed_webhook_events", {"org_id": ours.org_id, **event})


@pytest.mark.parametrize("table", ["call_logs", "contacts", "services", "organizations"])
def test_updated_at_moves(db: psycopg.Connection, ours: Clinic, table: str) -> None:
    key = ours.org_id if table == "organizations" else ours.rows[table]
    backdated = f"update public.{table} set updated_at = '2020-01-01' where id = %s returning updated_at = now()"
    assert db.execute(backdated, [key]).fetchone() == (True,)


def test_a_deleted_organisation_takes_all_its_rows_along(db: psycopg.Connection, ours: Clinic, theirs: Clinic) -> None:
    db.execute("delete from public.organizations where id = %s", [ours.org_id])
    for table, row in ours.rows.items():
        assert db.execute(f"select from public.{table} where id = %s", [row]).fetchall() == []
        assert len(db.execute(f"select from public.{table} where id = %s", [theirs.rows[table]]).fetchall()) == 1
