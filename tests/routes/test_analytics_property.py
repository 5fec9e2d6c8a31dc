"""Pulse and recent activity of random organisations, against a brute-force answer."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests import brute_force
from tests.brute_force import StoredCall, forget, store
from tests.factories import Factory
from tests.random_calls import calls_at

PULSE, ACTIVITY = "/api/analytics/dashboard-pulse", "/api/analytics/recent-activity"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MOMENTS = [NOON + timedelta(minutes=n) for n in (0, 1, 59, 60, 1440)]
CALLS, OTHERS, EVENTS = 10, 5, 10
_slots = itertools.count(1)


@dataclass(frozen=True)
class Booking:
    id: str
    status: str
    at: datetime
    deleted: bool


@dataclass(frozen=True)
class Alert:
    id: str
    at: datetime


ids = st.uuids(version=4).map(str)
bookings = st.lists(
    st.builds(
        Booking,
        id=ids,
        status=st.sampled_from(["pending", "scheduled", "confirmed", "completed", "cancelled", "no_show"]),
        at=st.sampled_from(MOMENTS),
        deleted=st.booleans(),
    ),
    max_size=12,
)
alerts = st.lists(st.builds(Alert, id=ids, at=st.sampled_from(MOMENTS)), max_size=8)


def store_others(sql: psycopg.Connection, org_id: str, booked: list[Booking], told: list[Alert]) -> None:
    for one in booked:
        sql.execute(
            "insert into public.appointments (id, org_id, service_type, scheduled_at, status, created_at, deleted_at) "
            "values (%s, %s, 'Botox', %s, %s, %s, case when %s then now() end)",
            [one.id, org_id, NOON + timedelta(days=next(_slots)), one.status, one.at, one.deleted],
        )
    for alert in told:
        sql.execute(
            "insert into public.hot_lead_alerts (id, org_id, call_id, lead_name, created_at) "
            "values (%s, %s, gen_random_uuid(), 'Ada', %s)",
            [alert.id, org_id, alert.at],
        )


def newest(rows: list[Any], most: int) -> list[Any]:
    return sorted(rows, key=lambda row: (row.at, row.id), reverse=True)[:most]


def expected_events(calls: list[StoredCall], booked: list[Booking], told: list[Alert]) -> list[tuple[str, datetime]]:
    """By time, then by kind in the order of the alphabet, then by id."""
    live = [one for one in booked if not one.deleted and one.status != "cancelled"]
    kinds = {
        "appointment": newest(live, OTHERS),
        "call": newest([call for call in calls if call.counts], CALLS),
        "hotlead": newest(told, OTHERS),
    }
    rows = [(row.at, kind, row.id) for kind, found in kinds.items() for row in found]
    ordered = sorted(sorted(rows, key=lambda row: row[2], reverse=True), key=lambda row: (NOON - row[0], row[1]))
    return [(f"{kind}_{row_id}", at) for at, kind, row_id in ordered[:EVENTS]]


@settings(max_examples=60, phases=[Phase.generate])
@given(calls=calls_at(MOMENTS), booked=bookings, told=alerts)
def test_pulse_and_activity_are_what_brute_force_finds(
    factory: Factory, calls: list[StoredCall], booked: list[Booking], told: list[Alert]
) -> None:
    caller = factory.caller("viewer")
    store(factory.sql, caller.org_id, calls)
    store_others(factory.sql, caller.org_id, booked, told)
    try:
        pulse = caller.get(PULSE).json
        events = caller.get(ACTIVITY).json["events"]
    finally:
        forget(factory.sql, caller.org_id)
        for table in ("appointments", "hot_lead_alerts"):
            factory.sql.execute(f"delete from public.{table} where org_id = %s", [caller.org_id])

    statuses = [one.status for one in booked if not one.deleted]
    assert pulse == {"org_id": caller.org_id, **brute_force.pulse(calls, statuses)}
    found = [(event["id"], datetime.fromisoformat(event["timestamp"])) for event in events]
    assert found == expected_events(calls, booked, told)
