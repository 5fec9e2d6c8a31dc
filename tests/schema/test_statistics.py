"""What the dashboard counts, on histories small enough to count by hand; tests/brute_force.py does random ones."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from tests.schema.caller import acting, attempt
from tests.schema.rows import Clinic, insert, new_clinic, sample

EMPTY_STATS = {
    **dict.fromkeys(("totalCalls", "inboundCalls", "outboundCalls", "completedCalls", "callsToday"), 0),
    "avgDuration": 0,
    "pipelineValue": 0,
    "recentCalls": [],
}
EMPTY_SUMMARY = dict.fromkeys(
    (
        "total_calls",
        "completed_calls",
        "missed_calls",
        "average_duration",
        "average_sentiment",
        "calls_today",
        "calls_this_week",
        "calls_this_month",
    ),
    0,
)
# Far from Greenwich on both sides, one of them half an hour off, one with summer time.
ZONES = ["UTC", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"]


def call(db: psycopg.Connection, clinic: Clinic, table: str = "call_logs", **values: Any) -> Any:
    moment = values.pop("at", None)
    dated = {"created_at" if table == "call_logs" else "call_date": moment} if moment else {}
    return insert(db, table, sample(clinic, table, **{"status": "completed", **dated, **values}))


def ask(db: psycopg.Connection, clinic: Clinic, function: str, *more: Any, org_id: str | None = None) -> dict[str, Any]:
    with acting(db, *clinic.who("viewer")):
        holes = ", ".join(["%s"] * (1 + len(more)))
        found = db.execute(f"select public.{function}({holes})", [org_id or clinic.org_id, *more]).fetchone()
    assert found
    return {name: value for name, value in found[0].items() if name != "version"}


@pytest.fixture
def clinic(db: psycopg.Connection) -> Clinic:
    return new_clinic(db)


def test_an_empty_history_counts_as_zeros(db: psycopg.Connection, clinic: Clinic) -> None:
    assert ask(db, clinic, "call_stats") == EMPTY_STATS
    assert ask(db, clinic, "call_summary") == EMPTY_SUMMARY


def test_another_organisations_history_counts_as_zeros(db: psycopg.Connection, ours: Clinic, theirs: Clinic) -> None:
    assert ask(db, ours, "call_stats", org_id=theirs.org_id) == EMPTY_STATS
    assert ask(db, ours, "call_summary", org_id=theirs.org_id) == EMPTY_SUMMARY
    assert ask(db, ours, "call_stats")["totalCalls"] == 2


def test_both_tables_count_and_deleted_or_test_calls_do_not(db: psycopg.Connection, clinic: Clinic) -> None:
    call(db, clinic, duration_seconds=100, sentiment_score=0.25, financial_value=400)
    call(db, clinic, "calls", duration_seconds=61, sentiment_score=0.5, financial_value=99.5)
    call(db, clinic, "calls", status="missed", duration_seconds=0)
    call(db, clinic, status="failed", duration_seconds=1000)
    for hidden in ({"is_test_call": True}, {"deleted_at": dt.datetime.now(dt.UTC)}):
        for table in ("call_logs", "calls"):
            call(db, clinic, table, duration_seconds=999, financial_value=999, sentiment_score=1, **hidden)
    stats, summary = ask(db, clinic, "call_stats"), ask(db, clinic, "call_summary")
    assert {**stats, "recentCalls": len(stats["recentCalls"])} == {
        "totalCalls": 4,
        "inboundCalls": 2,
        "outboundCalls": 2,
        "completedCalls": 2,
        "callsToday": 4,
        "avgDuration": 81,
        "pipelineValue": 499.5,
        "recentCalls": 4,
    }
    counted = {"total_calls": 4, "completed_calls": 2, "missed_calls": 1, "average_duration": 81}
    days = dict.fromkeys(("calls_today", "calls_this_week", "calls_this_month"), 4)
    assert summary == {**counted, **days, "average_sentiment": 0.38}


@pytest.mark.parametrize("zone", ZONES)
def test_days_begin_at_the_organisations_midnight(db: psycopg.Connection, zone: str) -> None:
    clinic = new_clinic(db, timezone=zone)
    now = db.execute("select now()").fetchone()
    assert now
    today = now[0].astimezone(ZoneInfo(zone)).date()
    month = today.replace(day=1)

    def midnight(day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(), ZoneInfo(zone))

    for day in (today, today - dt.timedelta(days=7), month, today + dt.timedelta(days=1)):
        for table, moment in (("call_logs", midnight(day)), ("calls", midnight(day) - dt.timedelta(milliseconds=1))):
            call(db, clinic, table, at=moment.isoformat())
    summary = ask(db, clinic, "call_summary")
    days = [today, today, today - dt.timedelta(days=7), today - dt.timedelta(days=8), today - dt.timedelta(days=1)]
    days += [month, month - dt.timedelta(days=1), today + dt.timedelta(days=1)]
    assert summary["calls_today"] == sum(day == today for day in days) == ask(db, clinic, "call_stats")["callsToday"]
    assert summary["calls_this_week"] == sum(today - dt.timedelta(days=7) <= day <= today for day in days)
    assert summary["calls_this_month"] == sum(month <= day <= today for day in days)
    assert summary["total_calls"] == len(days)


def test_since_bounds_the_totals_alone(db: psycopg.Connection, clinic: Clinic) -> None:
    (now,) = db.execute("select now()").fetchone()  # by which the function goes, be it midnight
    for days, value in ((0, 1), (10, 20), (31, 300)):
        call(db, clinic, at=now - dt.timedelta(days=days), financial_value=value, duration_seconds=days)
    stats = ask(db, clinic, "call_stats", now - dt.timedelta(days=7))
    assert (stats["totalCalls"], stats["completedCalls"], stats["avgDuration"]) == (1, 1, 0)
    assert (stats["pipelineValue"], stats["callsToday"], len(stats["recentCalls"])) == (21, 1, 3)


def test_the_recent_calls_are_those_that_began_last(db: psycopg.Connection, clinic: Clinic) -> None:
    at = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    hours = {"call_logs": (1, 3, 5, 7), "calls": (2, 4, 6)}
    began = {
        call(db, clinic, table, at=at, started_at=at + dt.timedelta(hours=h)): h
        for table in hours
        for h in hours[table]
    }
    never = call(
        db, clinic, at=at + dt.timedelta(hours=5, minutes=30), caller_name=" ", phone_number=None, to_number="+44207"
    )
    recent = ask(db, clinic, "call_stats")["recentCalls"]
    order = sorted(began, key=lambda row: -began[row])
    assert [row["id"] for row in recent] == [str(row) for row in (*order[:2], never, *order[2:4])]
    assert recent[2] == {
        "id": str(never),
        "phone_number": "+44207",
        "to_number": "+44207",
        "caller_name": "Unknown",
        "call_date": "2026-03-01T05:30:00+00:00",
        "started_at": "2026-03-01T05:30:00+00:00",
        "call_type": "inbound",
        "duration_seconds": 0,
        "status": "completed",
        "metadata": {"channel": "inbound"},
    }


def test_the_feed_keeps_its_order_columns(db: psycopg.Connection, clinic: Clinic) -> None:
    query = """
        select sort_name, sort_duration, search_text, has_recording, has_transcript from public.calls_feed where id = %s
    """
    bare = {"caller_name": "  ", "phone_number": None, "recording_storage_path": "processing", "transcript": "[]"}
    assert db.execute(query, [call(db, clinic, **bare)]).fetchone() == ("unknown", 0, "  \n", False, False)
    told = {"caller_name": "Zoë", "phone_number": "+4420", "recording_storage_path": "a/b.wav", "duration_seconds": 9}
    spoken = '[{"speaker": "caller", "text": "Hello", "timestamp": 0}]'
    full = call(db, clinic, "calls", **told, transcript=spoken)
    assert db.execute(query, [full]).fetchone() == ("zoë", 9, "Zoë\n+4420", True, True)
    linked = call(db, clinic, recording_storage_path=None, recording_url="https://voice.example/a.wav")
    assert (db.execute(query, [linked]).fetchone() or ())[3] is True


def test_agents_are_listed_with_their_addresses(db: psycopg.Connection, ours: Clinic, theirs: Clinic) -> None:
    query = "select id::text, email from public.list_agents(%s)"
    for role in ("viewer", "owner"):
        with acting(db, *ours.who(role)):
            listed = db.execute(query, [ours.org_id]).fetchall()
            assert db.execute(query, [theirs.org_id]).fetchall() == []
        assert [user for user, _ in listed] == [ours.users["agent"]]
        assert listed[0][1].endswith("@clinic.example")
    with acting(db, None, None, "service_role"):
        assert len(db.execute(query, [theirs.org_id]).fetchall()) == 1


def test_search_finds_what_the_feed_finds(db: psycopg.Connection, ours: Clinic, theirs: Clinic) -> None:
    for clinic in (ours, theirs):
        call(db, clinic, caller_name="O'Brien (100%) \\ 😀")
        call(db, clinic, "calls", caller_name="o'brien, deleted", deleted_at=dt.datetime.now(dt.UTC))
    for pattern in ("o'brien", r"\(100%\)", r"\\ 😀", r"\+4420", "nobody"):
        with acting(db, *ours.who("viewer")):
            feed = "select id from public.calls_feed where org_id = %s and search_text ~* %s order by id"
            expected = db.execute(feed, [ours.org_id, pattern]).fetchall()
            assert search(db, ours, pattern) == sorted(str(row[0]) for row in expected)
            with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction():
                search(db, theirs, pattern)


def search(db: psycopg.Connection, clinic: Clinic, pattern: str) -> list[str]:
    query = "select public.list_calls(%s, array['id'], 'date', 100, p_pattern => %s, p_include_test => true)"
    found = db.execute(query, [clinic.org_id, pattern]).fetchone()
    assert found
    return sorted(row["id"] for row in found[0]["rows"])


@pytest.mark.parametrize("table", ["call_logs", "calls"])
def test_calls_of_either_kind_are_deleted_once_and_for_all(
    db: psycopg.Connection, ours: Clinic, theirs: Clinic, table: str
) -> None:
    delete, row = "select public.delete_call(%s, %s)", ours.rows[table]
    for who, org_id, expected in (
        (theirs.who("owner"), ours.org_id, False),
        (ours.who("viewer"), ours.org_id, False),
        (ours.who("agent"), ours.org_id, True),
        (ours.who("agent"), ours.org_id, True),
    ):
        with acting(db, *who):
            assert db.execute(delete, [org_id, row]).fetchone() == (expected,)
    gone = "select from public.calls_feed where id = %s"
    assert attempt(db, ours.who("owner"), gone, [row]) == 0
    with acting(db, *ours.who("agent")):
        assert db.execute(delete, [ours.org_id, ours.org_id]).fetchone() == (False,)
