"""What one event of a call changes, and that events at the same moment leave one row, contact, alert and text."""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.blocked import wait_until_blocked
from tests.factories import Factory
from tests.schema.call_events import (
    ALERT_PHONE,
    BEGAN,
    PHONE,
    Event,
    after,
    alert,
    apply,
    drift,
    event,
    left_behind,
    new_call_id,
    only,
    report,
    status,
)

Sql = psycopg.Connection[Any]
APPLY = "select public.apply_call_event(%s, %s)"


def test_a_report_alone_makes_the_row(factory: Factory, sql: Sql) -> None:
    org_id = factory.org()
    done = apply(sql, org_id, new_call_id(), report(alert=alert()))
    call = only(sql, "call_logs", org_id)
    assert (call["status"], call["duration_seconds"], call["cost_cents"]) == ("completed", 180, 31)
    assert call["created_at"].isoformat() == call["started_at"].isoformat() == after(2)
    assert call["event_rank"] == 5
    contact = only(sql, "contacts", org_id)
    assert (contact["name"], contact["phone"], contact["lead_score"]) == ("Anna Smith", PHONE, 90)
    assert (contact["lead_status"], contact["pipeline_status"]) == ("hot", "new")
    assert contact["last_contacted_at"].isoformat() == after(182)
    text = only(sql, "messages", org_id)
    assert (text["recipient"], text["status"], text["contact_id"]) == (ALERT_PHONE, "pending", None)
    assert done == {
        "duplicate": False,
        "applied": True,
        "call_id": str(call["id"]),
        "call_type": "inbound",
        "contact_id": str(contact["id"]),
        "contact_changed": True,
        "alert_id": str(only(sql, "hot_lead_alerts", org_id)["id"]),
        "message_id": str(text["id"]),
        "contact_stats": sql.execute("select public.contact_stats(%s) as now", [org_id]).fetchone()["now"],
    }
    assert done["contact_stats"]["hot_leads"] == 1
    assert only(sql, "notifications", org_id)["type"] == "hot_lead"


def test_a_repeated_event_changes_nothing(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    first = apply(sql, org_id, call_id, report(alert=alert()))
    touched = only(sql, "call_logs", org_id)["updated_at"]
    again = apply(sql, org_id, call_id, report(alert=alert(), cost_cents=99))
    assert again == {
        **first, "duplicate": True, "applied": False, "contact_changed": False, "alert_id": None, "message_id": None,
    }  # fmt: skip
    assert only(sql, "call_logs", org_id)["updated_at"] == touched


def test_a_late_start_changes_nothing(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    apply(sql, org_id, call_id, report())
    before = left_behind(sql, org_id)
    done = apply(sql, org_id, call_id, status("in-progress", 900, started_at=after(3), caller_name="Somebody"))
    now = left_behind(sql, org_id)
    assert not done["duplicate"]
    assert {table: rows for table, rows in now.items() if rows != before[table]}.keys() == {
        "processed_webhook_events", "webhook_delivery_log",
    }  # fmt: skip


def test_without_a_ledger_a_repeated_report_still_tells_nobody_twice(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    apply(sql, org_id, call_id, status("in-progress", 3))
    apply(sql, org_id, call_id, report(alert=alert()))
    before = left_behind(sql, org_id)
    sql.execute("delete from public.processed_webhook_events where org_id = %s", [org_id])
    assert apply(sql, org_id, call_id, report(alert=alert()))["alert_id"] is None
    now = left_behind(sql, org_id)
    assert {**now, "processed_webhook_events": []} == {**before, "processed_webhook_events": []}


def test_a_call_stays_in_its_table(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    apply(sql, org_id, call_id, status("queued", 0, call_type="outbound"))
    assert apply(sql, org_id, call_id, report(call_type="inbound"))["call_type"] == "outbound"
    assert only(sql, "calls", org_id)["status"] == "completed"
    assert left_behind(sql, org_id)["call_logs"] == []


def test_a_deleted_call_stays_deleted_and_alerts_nobody(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    done = apply(sql, org_id, call_id, status("in-progress", 3))
    sql.execute("update public.call_logs set deleted_at = now() where id = %s", [done["call_id"]])
    assert apply(sql, org_id, call_id, report(alert=alert()))["alert_id"] is None
    call = only(sql, "call_logs", org_id)
    assert call["deleted_at"] is not None
    assert call["status"] == "completed"
    rows = left_behind(sql, org_id)
    assert not rows["messages"]
    assert not rows["notifications"]
    assert drift(sql, org_id) == []


def test_a_deleted_contact_is_not_added_again(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    apply(sql, org_id, call_id, status("in-progress", 3))
    sql.execute("delete from public.contacts where org_id = %s", [org_id])
    assert apply(sql, org_id, call_id, report())["contact_id"] is None
    assert left_behind(sql, org_id)["contacts"] == []


def test_the_call_of_another_organisation_is_refused(factory: Factory, sql: Sql) -> None:
    ours, theirs, call_id = factory.org(), factory.org(), new_call_id()
    apply(sql, theirs, call_id, status("in-progress", 3))
    with pytest.raises(psycopg.DatabaseError) as refused:
        apply(sql, ours, call_id, report(alert=alert()))
    assert refused.value.sqlstate == "VX001"
    assert all(rows == [] for rows in left_behind(sql, ours).values())
    assert only(sql, "call_logs", theirs)["status"] == "in-progress"


def test_an_event_without_a_call_is_refused(factory: Factory, sql: Sql) -> None:
    org_id = factory.org()
    for broken in ({}, {"call": None}, {"call": {"vapi_call_id": ""}}, {"call": {"vapi_call_id": "x" * 201}}):
        with pytest.raises(psycopg.DatabaseError) as refused:
            sql.execute(APPLY, [org_id, Jsonb({"event_id": "e", "event_type": "t", **broken})])
        assert refused.value.sqlstate == "22023"


@pytest.mark.parametrize(
    ("column", "given", "kept"),
    [
        ("caller_name", "x" * 300, "x" * 200),
        ("caller_name", 7, None),
        ("phone_number", "anonymous", None),
        ("from_number", "x" * 101, "x" * 100),
        ("status", "exploded", "queued"),
        ("cost_cents", -5, 0),
        ("cost_cents", 1e15, 2147483647),
        ("duration_seconds", -1, 0),
        ("duration_seconds", 12.6, 13),
        ("sentiment_score", 7, 1),
        ("sentiment_label", "Reassured", None),
        ("lead_score", 1000, 100),
        ("financial_value", 1e12, 9999999999.99),
        ("tools_used", ["", "a", " "], ["a"]),
        ("tools_used", "a", []),
        ("transcript", {"text": "no list"}, None),
        ("started_at", "infinity", None),
        ("started_at", "yesterday", None),
        ("recording_status", "lost", None),
        ("metadata", [], {}),
    ],
)
def test_bad_values_lose_no_event(factory: Factory, sql: Sql, column: str, given: Any, kept: Any) -> None:
    org_id = factory.org()
    call = {"call_type": "inbound", column: given}
    apply(sql, org_id, new_call_id(), event("status:queued", 1, 0, call, contact={"phone": "withheld"}))
    stored = only(sql, "call_logs", org_id)[column]
    assert (float(stored) if isinstance(kept, float) else stored) == kept
    assert left_behind(sql, org_id)["contacts"] == []


def test_an_end_before_its_start_is_kept_as_far_as_it_can_be(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    apply(sql, org_id, call_id, status("ended", 10, started_at=after(20), ended_at=after(10)))
    assert only(sql, "call_logs", org_id)["ended_at"].isoformat() == after(20)
    apply(sql, org_id, call_id, report(started_at=after(0), ended_at=None, duration_seconds=None))
    call = only(sql, "call_logs", org_id)
    assert (call["ended_at"].isoformat(), call["duration_seconds"]) == (after(10), 10)


def test_a_later_end_that_lies_before_the_start_as_well(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    apply(sql, org_id, call_id, status("queued", 0, ended_at=after(175)))
    apply(sql, org_id, call_id, status("ringing", 1, started_at=after(207)))
    apply(sql, org_id, call_id, status("ended", 183, ended_at=after(14)))
    assert only(sql, "call_logs", org_id)["ended_at"].isoformat() == after(207)


def test_metadata_is_added_to(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    factory.insert("calls", org_id=org_id, vapi_call_id=call_id, metadata={"channel": "console"}, is_test_call=True)
    done = apply(sql, org_id, call_id, report(call_type="outbound", metadata={"channel": "phone", "cost": 3}))
    call = only(sql, "calls", org_id)
    assert call["metadata"] == {"channel": "console", "cost": 3}
    assert call["is_test_call"]
    assert done["contact_id"] is None
    assert left_behind(sql, org_id)["contacts"] == []


@pytest.mark.parametrize(
    ("call_type", "outcome", "was", "becomes"),
    [
        ("inbound", "completed", "new", "lost"),
        ("inbound", "completed", "contacted", "lost"),
        ("inbound", "completed", "qualified", "qualified"),
        ("inbound", "missed", "new", "new"),
        ("outbound", "completed", "new", "contacted"),
        ("outbound", "completed", "lost", "contacted"),
        ("outbound", "failed", "new", "new"),
        ("outbound", "completed", "converted", "converted"),
    ],
)
def test_where_a_contact_stands_after_a_call(
    factory: Factory, sql: Sql, call_type: str, outcome: str, *, was: str, becomes: str
) -> None:
    org_id = factory.org()
    factory.insert("contacts", org_id=org_id, phone=PHONE, name="Anna", pipeline_status=was)
    apply(sql, org_id, new_call_id(), report(call_type=call_type, status=outcome))
    contact = only(sql, "contacts", org_id)
    assert (contact["pipeline_status"], contact["name"]) == (becomes, "Anna")


@pytest.mark.parametrize("was", ["new", "lost", "converted"])
def test_a_booking_made_during_the_call_is_the_calls(factory: Factory, sql: Sql, was: str) -> None:
    org_id = factory.org()
    contact = factory.insert("contacts", org_id=org_id, phone=PHONE, name="Anna", pipeline_status=was)
    booked = {"org_id": org_id, "service_type": "Botox", "status": "confirmed"}
    by_contact = factory.insert(
        "appointments", **booked, contact_id=contact, created_at=after(60), scheduled_at="2026-12-01T09:00Z"
    )
    by_number = factory.insert(
        "appointments", **booked, contact_phone=PHONE, created_at=after(61), scheduled_at="2026-12-01T11:00Z"
    )
    others = [
        {"contact_id": contact, "created_at": after(-60)},
        {"contact_id": contact, "created_at": after(5000)},
        {"contact_id": contact, "created_at": after(60), "status": "cancelled"},
        {"contact_id": contact, "created_at": after(60), "deleted_at": BEGAN},
        {"contact_phone": "+15557654321", "created_at": after(60)},
    ]
    for n, other in enumerate(others):
        factory.insert("appointments", **{**booked, **other}, scheduled_at=f"2026-12-02T{10 + n}:00Z")
    done = apply(sql, org_id, new_call_id(), report())
    linked = sql.execute("select id from public.appointments where call_id = %s", [done["call_id"]]).fetchall()
    assert {str(row["id"]) for row in linked} == {by_contact, by_number}
    assert only(sql, "call_logs", org_id)["booking_confirmed"]
    assert only(sql, "contacts", org_id)["pipeline_status"] == ("converted" if was == "converted" else "booked")


def test_an_event_is_logged_with_its_attempts(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    failed = "select public.log_delivery_failure(%s, %s, 'end-of-call-report', now(), 2, 'away')"
    sql.execute(failed, [org_id, f"end:{call_id}"])
    assert only(sql, "webhook_delivery_log", org_id)["status"] == "failed"
    apply(sql, org_id, call_id, {**report(), "attempts": 3})
    logged = only(sql, "webhook_delivery_log", org_id)
    assert (logged["status"], logged["attempts"], logged["error_message"]) == ("completed", 3, None)
    sql.execute(failed, [org_id, f"end:{call_id}"])
    assert only(sql, "webhook_delivery_log", org_id)["status"] == "completed"


def undeterred(do: Callable[[], Any]) -> Any:
    """Do it, and twice again after a deadlock: the program does it once, on a machine that is less busy."""
    for _ in range(2):
        with suppress(psycopg.errors.DeadlockDetected):
            return do()
    return do()


def applied(org_id: str, call_id: str, happened: Event, own: Sql) -> dict[str, Any]:
    return undeterred(lambda: apply(own, org_id, call_id, happened))


def ran(statement: str, value: Any, own: Sql) -> None:
    undeterred(lambda: own.execute(statement, [value]))


def at_once(jobs: Sequence[Callable[[Sql], Any]]) -> list[Any]:
    """Run each on a connection of its own, all at the same moment; returns what they return or raise."""
    barrier, ends = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(place: int) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row) as own:
            barrier.wait()
            try:
                ends[place] = jobs[place](own)
            except psycopg.Error as error:
                ends[place] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not [end for end in ends if isinstance(end, Exception)]
    return ends


def test_all_events_of_a_call_at_once(factory: Factory, sql: Sql) -> None:
    for _ in range(8):
        org_id, call_id = factory.org(), new_call_id()
        events = [status("queued", 0), status("ringing", 1), status("in-progress", 3), status("ended", 183)]
        events += [report(alert=alert())] * 3
        ends = at_once([partial(applied, org_id, call_id, one) for one in events])
        rows = left_behind(sql, org_id)
        assert {table: len(rows[table]) for table in ("call_logs", "contacts", "hot_lead_alerts", "messages")} == {
            "call_logs": 1, "contacts": 1, "hot_lead_alerts": 1, "messages": 1,
        }  # fmt: skip
        assert sum(end["duplicate"] for end in ends) == 2
        assert rows["call_logs"][0]["status"] == "completed"
        assert drift(sql, org_id) == []


def test_the_first_calls_of_a_number_at_once(factory: Factory, sql: Sql) -> None:
    for _ in range(8):
        org_id = factory.org()
        calls = [new_call_id() for _ in range(6)]
        kinds = [("inbound", report), ("outbound", report), ("inbound", status)] * 2
        jobs = []
        for call_id, (call_type, kind) in zip(calls, kinds, strict=True):
            one = kind(call_type=call_type) if kind is report else status("in-progress", 3, call_type=call_type)
            jobs.append(partial(applied, org_id, call_id, one))
        ends = at_once(jobs)
        contact = only(sql, "contacts", org_id)
        assert {end["contact_id"] for end in ends} == {str(contact["id"])}
        assert drift(sql, org_id) == []


def test_members_change_rows_while_events_come(factory: Factory, sql: Sql) -> None:
    """Deleting a contact locks its calls; an event locks both as well."""
    remove = "delete from public.contacts where id = %s"
    note = "update public.call_logs set notes = 'x' where org_id = %s"
    for _ in range(6):
        org_id, call_id = factory.org(), new_call_id()
        apply(sql, org_id, call_id, status("in-progress", 3))
        contact = only(sql, "contacts", org_id)["id"]
        at_once(
            [
                partial(applied, org_id, call_id, report(alert=alert())),
                partial(ran, remove, contact),
                partial(ran, note, org_id),
            ]
        )
        assert only(sql, "call_logs", org_id)["status"] == "completed"
        assert drift(sql, org_id) == []


def test_a_call_placed_by_the_console_at_the_same_moment(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    with psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row) as console:
        console.execute("insert into public.calls (org_id, vapi_call_id) values (%s, %s)", [org_id, call_id])
        done: list[Any] = []
        waiting = threading.Thread(
            target=lambda: done.extend(at_once([partial(applied, org_id, call_id, report(call_type="outbound"))]))
        )
        waiting.start()
        wait_until_blocked(sql, console)
        console.commit()
        waiting.join()
    assert done[0]["applied"]
    assert only(sql, "calls", org_id)["status"] == "completed"


def test_routing_goes_by_what_is_ours(factory: Factory, sql: Sql) -> None:
    org_id, other, gone = factory.org(), factory.org(), factory.org(status="deleted")
    key = new_call_id()
    factory.insert("agents", org_id=org_id, role="inbound", name="A", vapi_assistant_id=f"{key}-a")
    factory.insert("assistant_org_mapping", org_id=other, vapi_assistant_id=f"{key}-b", assistant_role="inbound")
    factory.insert("assistant_org_mapping", org_id=gone, vapi_assistant_id=f"{key}-c", assistant_role="inbound")
    number = f"+1{abs(hash(key)) % 10**10:010d}"
    numbers = [f"{number}{n}" for n in (1, 2, 3)]
    factory.insert(
        "phone_number_mapping", org_id=other, inbound_phone_number=numbers[0], vapi_phone_number_id=f"{key}-p"
    )
    factory.insert("phone_number_mapping", org_id=other, inbound_phone_number=numbers[1], is_active=False)
    factory.insert("inbound_agent_config", org_id=org_id, twilio_phone_number=numbers[2])

    def route(assistant: str | None = None, phone_id: str | None = None, number: str | None = None) -> str | None:
        row = sql.execute("select public.route_webhook(%s, %s, %s) as org", [assistant, phone_id, number]).fetchone()
        assert row
        return str(row["org"]) if row["org"] else None

    assert route(f"{key}-a") == org_id
    assert route(f"{key}-b") == other
    assert route(f"{key}-c") is None
    assert route(f"{key}-a", f"{key}-p", numbers[0]) == org_id
    assert route("unknown", f"{key}-p") == other
    assert route(None, None, numbers[0]) == other
    assert route(None, None, numbers[1]) is None
    assert route(None, None, numbers[2]) == org_id
    assert route() is None


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_only_the_service_applies_events(sql: Sql, role: str) -> None:
    names = (
        "apply_call_event", "apply_call_event_once", "route_webhook", "write_call", "merge_call", "lock_call",
        "tool_book", "tool_find_caller", "tool_available_slots", "tool_hot_lead", "claim_messages", "finish_message",
        "apply_sms_status", "record_dead_letter", "dead_letters_waiting", "prune_webhook_records", "unfinished_calls",
        "unknown_calls", "dead_letter_failed",
    )  # fmt: skip
    held = sql.execute(
        "select proname, has_function_privilege(%s, oid, 'execute') as may from pg_proc "
        "where pronamespace = 'public'::regnamespace and proname = any(%s)",
        [role, list(names)],
    ).fetchall()
    assert {row["proname"]: row["may"] for row in held} == dict.fromkeys(names, False)
