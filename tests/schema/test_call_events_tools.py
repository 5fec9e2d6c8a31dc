"""What the assistant does during a call: free slots, bookings, look-ups and alerts, each once."""

from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.factories import Factory
from tests.schema.call_events import PHONE, alert, apply, drift, left_behind, new_call_id, only, report
from tests.schema.test_call_events import at_once

Sql = psycopg.Connection[Any]
ZONE = "America/New_York"


def one(sql: Sql, query: str, *values: Any) -> Any:
    row = sql.execute(f"select {query} as answer", values).fetchone()
    assert row
    return row["answer"]


def book(org_id: str, call_id: str, tool_id: str, at: str, sql: Sql, **more: Any) -> dict[str, Any]:
    call = {"vapi_call_id": call_id, "call_type": "inbound", "phone_number": PHONE}
    booking = {"scheduled_at": at, "service_type": "Botox", "name": "Anna", "duration_minutes": 45, **more}
    answer: dict[str, Any] = one(sql, "public.tool_book(%s, %s, %s, %s)", org_id, tool_id, Jsonb(call), Jsonb(booking))
    return answer


def slots(sql: Sql, org_id: str, day: str, minutes: int = 60) -> list[str]:
    found = one(sql, "public.tool_available_slots(%s, %s, %s)", org_id, day, minutes)
    assert found["date"] == day
    for slot in found["slots"]:
        instant = datetime.fromisoformat(slot["starts_at"]).astimezone(ZoneInfo(found["timezone"]))
        assert instant.strftime("%Y-%m-%dT%H:%M") == slot["local"]
    return [slot["local"][11:] for slot in found["slots"]]


def test_a_free_day_is_open_from_nine_to_five(factory: Factory, sql: Sql) -> None:
    org_id = factory.org(timezone=ZONE)
    free = slots(sql, org_id, "2030-05-06")
    assert (free[0], free[1], free[-1], len(free)) == ("09:00", "09:15", "16:00", 29)
    assert slots(sql, org_id, "2020-05-06") == []
    assert slots(sql, org_id, "2030-05-06", 1440) == []


def test_what_is_booked_is_not_free(factory: Factory, sql: Sql) -> None:
    org_id = factory.org(timezone=ZONE)
    common = {"org_id": org_id, "service_type": "Botox", "duration_minutes": 60}
    factory.insert("appointments", **common, scheduled_at="2030-05-06T10:00-04:00", status="pending")
    factory.insert("appointments", **common, scheduled_at="2030-05-06T13:00-04:00", status="cancelled")
    free = slots(sql, org_id, "2030-05-06")
    assert [at for at in free if "09:00" < at < "11:15"] == ["11:00"]
    assert "13:00" in free


def test_opening_hours_are_the_organisations(factory: Factory, sql: Sql) -> None:
    hours = {"monday": ["08:00", "10:00"], "tuesday": None, "wednesday": ["10:00", "08:00"], "thursday": "noon"}
    org_id = factory.org(timezone=ZONE, settings={"business_hours": hours})
    assert slots(sql, org_id, "2030-05-06") == ["08:00", "08:15", "08:30", "08:45", "09:00"]
    assert slots(sql, org_id, "2030-05-07") == []
    assert slots(sql, org_id, "2030-05-08") == []
    assert slots(sql, org_id, "2030-05-09")[0] == "09:00"
    assert book(org_id, new_call_id(), "t-closed" + org_id, "2030-05-07T10:00", sql)["closed"]


@pytest.mark.parametrize(
    ("day", "hours", "expected"),
    [
        # The clock goes from 2 to 3: an hour that there is not, and 01:30 to 03:30 is one hour.
        ("2030-03-10", ["01:00", "04:00"], ["01:00", "01:15", "01:30", "01:45", "03:00"]),
        # The clock goes back from 2 to 1.
        ("2030-11-03", ["01:00", "03:00"], ["01:00", "01:15", "01:30", "01:45", "02:00"]),
    ],
)
def test_slots_on_days_when_the_clock_changes(
    factory: Factory, sql: Sql, day: str, hours: list[str], expected: list[str]
) -> None:
    org_id = factory.org(timezone=ZONE, settings={"business_hours": {"sunday": hours}})
    assert slots(sql, org_id, day) == expected
    assert date.fromisoformat(day).strftime("%A") == "Sunday"


def test_a_booking_is_made_once(factory: Factory, sql: Sql) -> None:
    org_id, call_id, tool_id = factory.org(timezone=ZONE), new_call_id(), new_call_id()
    text = {"to": PHONE, "body": "See you"}
    made = book(org_id, call_id, tool_id, "2030-05-06T10:00", sql, text=text)
    assert (made["booked"], made["duplicate"], made["local"]) == (True, False, "2030-05-06T10:00")
    booked = only(sql, "appointments", org_id)
    assert booked["scheduled_at"] == datetime(2030, 5, 6, 14, tzinfo=UTC)
    assert (str(booked["call_id"]), str(booked["contact_id"])) == (made["call_id"], made["contact_id"])
    assert only(sql, "contacts", org_id)["pipeline_status"] == "booked"
    assert only(sql, "call_logs", org_id)["booking_confirmed"]
    assert only(sql, "notifications", org_id)["type"] == "appointment_booked"
    assert str(only(sql, "messages", org_id)["appointment_id"]) == made["appointment_id"]
    assert book(org_id, call_id, tool_id, "2030-05-06T12:00", sql, text=text) == {**made, "duplicate": True}
    # Another tool call for the same: the assistant was not sure.
    again = book(org_id, call_id, new_call_id(), "2030-05-06T14:00Z", sql, text=text)
    assert (again["booked"], again["appointment_id"], again["message_id"]) == (True, made["appointment_id"], None)
    assert len(left_behind(sql, org_id)["notifications"]) == 1
    apply(sql, org_id, call_id, report(started_at="2026-11-20T10:00:00Z"))
    assert only(sql, "contacts", org_id)["pipeline_status"] == "booked"
    assert only(sql, "call_logs", org_id)["booking_confirmed"]
    assert drift(sql, org_id) == []


def test_a_taken_slot_is_answered_with_the_nearest_free_ones(factory: Factory, sql: Sql) -> None:
    org_id = factory.org(timezone=ZONE)
    book(org_id, new_call_id(), new_call_id(), "2030-05-06T10:00", sql)
    refused = book(org_id, new_call_id(), new_call_id(), "2030-05-06T10:15", sql, phone="+15557654321")
    assert refused["taken"]
    assert [slot["local"] for slot in refused["alternatives"]] == [
        "2030-05-06T09:15", "2030-05-06T10:45", "2030-05-06T11:00",
    ]  # fmt: skip
    assert len(left_behind(sql, org_id)["appointments"]) == 1
    late = book(org_id, new_call_id(), new_call_id(), "2030-05-06T16:45", sql)
    assert late["closed"]
    assert late["alternatives"][-1]["local"] == "2030-05-06T16:15"


@pytest.mark.parametrize(
    ("at", "answer"),
    [
        ("2020-05-06T10:00", "past"),
        ("soon", "invalid"),
        ("2030-13-06T10:00", "invalid"),
        ("2030-03-10T02:30", "invalid"),  # a time that the clock skips
        ("2030-05-06", "invalid"),
        ("infinity", "invalid"),
    ],
)
def test_a_time_that_cannot_be_booked(factory: Factory, sql: Sql, at: str, answer: str) -> None:
    org_id, tool_id, call_id = factory.org(timezone=ZONE), new_call_id(), new_call_id()
    refused = book(org_id, call_id, tool_id, at, sql)
    assert refused[answer]
    assert book(org_id, call_id, tool_id, at, sql) == {**refused, "duplicate": True}
    assert left_behind(sql, org_id)["appointments"] == []


def test_bookings_at_once(factory: Factory, sql: Sql) -> None:
    for _ in range(5):
        org_id, call_id, tool_id = factory.org(timezone=ZONE), new_call_id(), new_call_id()
        same = [partial(book, org_id, call_id, tool_id, "2030-05-06T10:00")] * 3
        rivals = [partial(book, org_id, new_call_id(), new_call_id(), f"2030-05-06T10:{10 * n:02d}") for n in range(4)]
        ends = at_once([*same, *rivals])
        assert len({str({**end, "duplicate": None}) for end in ends[:3]}) == 1
        assert [end["duplicate"] for end in ends[:3]].count(False) == 1
        assert len(left_behind(sql, org_id)["appointments"]) == 1
        assert len(left_behind(sql, org_id)["contacts"]) == 1
        assert {end["appointment_id"] for end in ends if end.get("booked")} == {
            str(only(sql, "appointments", org_id)["id"])
        }
        assert drift(sql, org_id) == []


def test_a_caller_is_found(factory: Factory, sql: Sql) -> None:
    org_id = factory.org(timezone=ZONE)
    find = partial(one, sql, "public.tool_find_caller(%s, %s)", org_id)
    assert find(PHONE) == {"timezone": ZONE, "contact": None, "next_appointment": None, "last_call": None}
    apply(sql, org_id, new_call_id(), report(outcome_summary="Asked for prices", outcome="Enquiry"))
    call_id = new_call_id()
    apply(sql, org_id, call_id, report(call_type="outbound", outcome_summary="Booked", started_at="2026-11-21T10:00Z",
        ended_at="2026-11-21T10:02Z"))  # fmt: skip
    book(org_id, call_id, new_call_id(), "2030-05-07T10:00", sql)
    book(org_id, call_id, new_call_id(), "2030-05-06T10:00", sql)
    found = find(PHONE)
    assert found["contact"]["name"] == "Anna Smith"
    assert found["next_appointment"]["local"] == "2030-05-06T10:00"
    assert found["last_call"]["summary"] == "Booked"
    sql.execute("update public.calls set deleted_at = now() where org_id = %s", [org_id])
    assert find(PHONE)["last_call"] == {
        "at": "2026-11-20T10:00:02+00:00",
        "summary": "Asked for prices",
        "outcome": "Enquiry",
    }
    elsewhere = factory.org()
    assert one(sql, "public.tool_find_caller(%s, %s)", elsewhere, PHONE)["contact"] is None


def test_a_hot_lead_is_told_once_for_each_call(factory: Factory, sql: Sql) -> None:
    org_id, call_id = factory.org(), new_call_id()
    call = Jsonb({"vapi_call_id": call_id, "call_type": "inbound", "phone_number": PHONE})
    told = partial(one, sql, "public.tool_hot_lead(%s, %s, %s, %s, %s)", org_id)
    tool_id = new_call_id()
    first = told(tool_id, call, Jsonb({"phone": PHONE}), Jsonb(alert()))
    assert (first["alerted"], first["duplicate"]) == (True, False)
    for again in (told(tool_id, call, None, Jsonb(alert())), told(new_call_id(), call, None, Jsonb(alert()))):
        assert (again["alerted"], again["alert_id"]) == (False, first["alert_id"])
    apply(sql, org_id, call_id, report(alert=alert()))
    assert str(only(sql, "hot_lead_alerts", org_id)["call_id"]) == str(only(sql, "call_logs", org_id)["id"])
    assert only(sql, "messages", org_id)["status"] == "pending"
