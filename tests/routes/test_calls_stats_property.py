"""GET /api/calls-dashboard/stats and /analytics/summary, for random calls, against a brute-force answer.

The program's clock can be stopped for a test, the database's can't. So the routes are asked as of now, and the days on
which clocks change are put to copies of the two SQL functions that have a moment written in place of `now()`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import time_machine
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests import brute_force
from tests.brute_force import StoredCall, forget, store
from tests.factories import Caller, Factory
from tests.random_calls import World, calls_at, moments_of, worlds
from tests.recorder import RequestRecorder

STATS, SUMMARY = "/api/calls-dashboard/stats", "/api/calls-dashboard/analytics/summary"
WINDOWS = {None: None, "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
ZONES = ["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Kiritimati"]
TICK, MINUTES, NOTHING = timedelta(microseconds=1), timedelta(minutes=2), timedelta(0)

# Add Phase.shrink to have a failure made smaller, which takes minutes.
property_test = settings(max_examples=60, phases=[Phase.generate])


def calls_around(now: datetime, zone: ZoneInfo) -> st.SearchStrategy[list[StoredCall]]:
    edges = [now - window + step for window in WINDOWS.values() if window for step in (-TICK, NOTHING)]
    # The pipeline's 30 days end by the database's clock, which runs on: nothing close to that edge.
    month_ago = now - timedelta(days=30)
    safe = [edge for edge in edges if abs(edge - month_ago) > MINUTES] + [month_ago - MINUTES, month_ago + MINUTES]
    return calls_at([*moments_of(zone, now), *safe])


def as_recent(call: StoredCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "phone_number": call.phone_number or call.to_number or "Unknown",
        "to_number": call.to_number or call.phone_number or "Unknown",
        "caller_name": call.trimmed_name,
        "call_date": call.at,
        "call_type": call.call_type,
        "started_at": call.began,
        "duration_seconds": call.duration_seconds or 0,
        "status": call.status,
        "metadata": {"channel": call.call_type},
    }


def check_stats(found: dict[str, Any], wanted: dict[str, float], calls: list[StoredCall]) -> None:
    times = ("call_date", "started_at")
    recent = [{**row, **{name: datetime.fromisoformat(row[name]) for name in times}} for row in found["recentCalls"]]
    assert recent == [as_recent(call) for call in brute_force.recent(calls)]
    assert {name: value for name, value in found.items() if name not in {"recentCalls", "version"}} == wanted


def caller_with(factory: Factory, zone: ZoneInfo, calls: list[StoredCall]) -> Caller:
    caller = factory.caller("viewer", timezone=zone.key)
    store(factory.sql, caller.org_id, calls)
    return caller


@property_test
@given(data=st.data(), zone=st.sampled_from(ZONES).map(ZoneInfo), window=st.sampled_from(list(WINDOWS)))
def test_numbers_of_now_are_what_brute_force_counts(
    factory: Factory, recorder: RequestRecorder, data: st.DataObject, zone: ZoneInfo, window: str | None
) -> None:
    now = datetime.now(UTC)
    calls = data.draw(calls_around(now, zone))
    caller = caller_with(factory, zone, calls)
    try:
        with time_machine.travel(now, tick=False):
            stats = caller.get(STATS, **({"timeWindow": window} if window else {}))
            assert recorder.last == ["POST rpc/call_stats"]
            summary = caller.get(SUMMARY)
            assert recorder.last == ["POST rpc/call_summary"]
    finally:
        forget(factory.sql, caller.org_id)
    if datetime.now(zone).date() != now.astimezone(zone).date():
        return  # midnight struck between the two clocks

    check_stats(stats.json, brute_force.stats(calls, zone, now, WINDOWS[window]), calls)
    assert summary.json == brute_force.summary(calls, zone, now)


def ask_as_of(sql: psycopg.Connection, now: datetime, function: str, org_id: str) -> dict[str, Any]:
    """Call a copy of a function of the schema in which the moment stands for `now()`."""
    row = sql.execute("select pg_get_functiondef(%s::regproc) as text", [f"public.{function}"]).fetchone()
    assert row
    assert "now()" in row["text"]
    frozen = row["text"].replace("now()", f"timestamptz '{now.isoformat()}'")
    sql.execute(frozen.replace(f"FUNCTION public.{function}", f"FUNCTION pg_temp.{function}"))
    answer = sql.execute(f"select pg_temp.{function}(%s) as answer", [org_id]).fetchone()
    assert answer
    return answer["answer"]


@property_test
@given(world=worlds())
def test_numbers_hold_on_days_when_clocks_change(factory: Factory, sql: psycopg.Connection, world: World) -> None:
    caller = caller_with(factory, world.zone, world.calls)
    try:
        stats = ask_as_of(sql, world.now, "call_stats", caller.org_id)
        summary = ask_as_of(sql, world.now, "call_summary", caller.org_id)
    finally:
        forget(sql, caller.org_id)

    check_stats(stats, brute_force.stats(world.calls, world.zone, world.now, None), world.calls)
    assert (summary.pop("version") > 0) == bool(world.calls)
    assert summary == brute_force.summary(world.calls, world.zone, world.now)


def test_an_empty_organisation_has_numbers_too(factory: Factory) -> None:
    caller = factory.caller()

    stats, summary = caller.get(STATS).json, caller.get(SUMMARY).json

    assert stats.pop("recentCalls") == []
    assert [*stats.values(), *summary.values()] == [0] * 15


def test_more_calls_than_postgrest_hands_out_at_once_are_counted(factory: Factory, sql: psycopg.Connection) -> None:
    caller = factory.caller()
    for table in ("call_logs", "calls"):
        sql.execute(
            f"insert into public.{table} (org_id, status, duration_seconds)"
            " select %s, 'completed', 10 from generate_series(1, 1100)",
            [caller.org_id],
        )

    stats, summary = caller.get(STATS).json, caller.get(SUMMARY).json

    assert (stats["totalCalls"], stats["inboundCalls"], summary["completed_calls"]) == (2200, 1100, 2200)
    assert (stats["avgDuration"], summary["average_duration"]) == (10, 10)
