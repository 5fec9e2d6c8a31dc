"""The rollups of calls are what a recount says, after any changes, in any order, by any number of writers."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgrest.exceptions import APIError
from psycopg.rows import dict_row

from tests.factories import Factory
from voxanne.database import Supabase

MOMENTS = [
    datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, 0, 30, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 18, 15, tzinfo=UTC),
    datetime(2026, 4, 1, 5, 0, tzinfo=UTC),
]
TABLES = {"call_logs": "created_at", "calls": "call_date"}
STATUSES = ["completed", "missed", "failed"]

Step = tuple[str, dict[str, Any]]


def rows(table: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            TABLES[table]: st.sampled_from(MOMENTS),
            "status": st.sampled_from(STATUSES),
            "is_test_call": st.booleans(),
            "duration_seconds": st.none() | st.integers(0, 500),
            "sentiment_score": st.none() | st.decimals(0, 1, places=3),
            "financial_value": st.decimals(0, 999, places=2),
            "booking_confirmed": st.booleans(),
            "lead_temp": st.none() | st.sampled_from(["hot", "warm"]),
            "deleted_at": st.none() | st.just(MOMENTS[0]),
        }
    )


def steps(table: str) -> st.SearchStrategy[Step]:
    change = rows(table).flatmap(lambda row: st.sampled_from(sorted(row)).map(lambda name: {name: row[name]}))
    return st.one_of(
        st.tuples(st.just("insert"), st.lists(rows(table), min_size=1, max_size=6).map(lambda made: {"rows": made})),
        st.tuples(st.just("update"), change),
        st.tuples(st.just("update"), st.just({"notes": "nothing that is counted"})),
        st.tuples(st.just("delete"), st.just({})),
    )


def apply(sql: psycopg.Connection, table: str, org_id: str, step: Step, every: int) -> None:
    kind, values = step
    some = f"org_id = %(org_id)s and ('x' || substr(id::text, 1, 2))::bit(8)::int %% {every} = 0"
    if kind == "insert":
        made = [{**row, "org_id": org_id} for row in values["rows"]]
        names = list(made[0])
        one = "(" + ", ".join(["%s"] * len(names)) + ")"
        sql.execute(
            f"insert into public.{table} ({', '.join(names)}) values {', '.join([one] * len(made))}",
            [row[name] for row in made for name in names],
        )
    elif kind == "update":
        name = next(iter(values))
        sql.execute(
            f"update public.{table} set {name} = %(value)s where {some}", {"org_id": org_id, "value": values[name]}
        )
    else:
        sql.execute(f"delete from public.{table} where {some}", {"org_id": org_id})


def drift(sql: psycopg.Connection, org_id: str) -> list[dict[str, Any]]:
    return sql.execute("select * from public.call_rollup_drift(%s)", [org_id]).fetchall()


@settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_rollups_are_what_a_recount_says(factory: Factory, sql: psycopg.Connection, data: st.DataObject) -> None:
    org_id = factory.org()
    for _ in range(data.draw(st.integers(1, 8))):
        table = data.draw(st.sampled_from(sorted(TABLES)))
        apply(sql, table, org_id, data.draw(steps(table)), data.draw(st.integers(1, 3)))
        assert drift(sql, org_id) == []


@settings(
    max_examples=60,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_totals_of_any_span_are_exact(factory: Factory, sql: psycopg.Connection, data: st.DataObject) -> None:
    org_id = factory.org()
    spread = st.datetimes(datetime(2025, 11, 1), datetime(2026, 4, 3)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
    near = st.sampled_from(MOMENTS).flatmap(
        lambda at: st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(hours=1)]).map(
            lambda by: at + by
        )
    )
    moments = data.draw(st.lists(spread | near, min_size=1, max_size=30))
    apply(sql, "call_logs", org_id, ("insert", {"rows": [{"created_at": at} for at in moments[::2]]}), 1)
    if moments[1::2]:
        apply(sql, "calls", org_id, ("insert", {"rows": [{"call_date": at} for at in moments[1::2]]}), 1)
    for _ in range(5):
        since, until = data.draw(st.none() | spread | near), data.draw(st.none() | spread | near)
        expected = sum((since is None or at >= since) and (until is None or at < until) for at in moments)
        row = sql.execute(
            "select public.count_calls(%s, p_since => %s, p_until => %s) as total", [org_id, since, until]
        ).fetchone()
        assert row == {"total": expected}


def test_rollups_hold_under_concurrent_writers(factory: Factory, sql: psycopg.Connection) -> None:
    org_ids = [factory.org(), factory.org()]
    failures: list[Exception] = []

    def work(number: int) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row) as own:
            for turn in range(40):
                org_id, table = org_ids[(number + turn) % 2], sorted(TABLES)[turn % 2]
                row = {TABLES[table]: MOMENTS[(number + turn) % len(MOMENTS)], "status": STATUSES[turn % 3]}
                apply(own, table, org_id, ("insert", {"rows": [row, {**row, TABLES[table]: MOMENTS[turn % 6]}]}), 1)
                apply(own, table, org_id, ("update", {"duration_seconds": turn}), 3)
                if turn % 5 == 0:
                    apply(own, table, org_id, ("delete", {}), 3)

    def guarded(number: int) -> None:
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 -- shown by the assertion below
            failures.append(error)

    _run_all([lambda number=number: guarded(number) for number in range(6)])

    # Writers who lock rows of calls in opposite orders can still meet in a deadlock, as without rollups.
    assert [error for error in failures if not isinstance(error, psycopg.errors.DeadlockDetected)] == []
    assert [drift(sql, org_id) for org_id in org_ids] == [[], []]


def _run_all(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_an_aborted_change_counts_nothing(factory: Factory, sql: psycopg.Connection) -> None:
    org_id = factory.org()
    factory.call(org_id)
    with sql.transaction(force_rollback=True):
        factory.call(org_id)

    assert drift(sql, org_id) == []
    assert sql.execute("select public.count_calls(%s) as total", [org_id]).fetchone() == {"total": 1}


def test_a_rebuild_mends_drift_and_the_check_reports_it(factory: Factory, sql: psycopg.Connection) -> None:
    org_id = factory.org()
    factory.call(org_id, at=MOMENTS[2])
    sql.execute("update public.call_rollups set calls = calls + 1 where org_id = %s and grain = 'day'", [org_id])

    assert [(row["grain"], row["kept_calls"], row["counted_calls"]) for row in drift(sql, org_id)] == [("day", 2, 1)]
    sql.execute("select public.rebuild_rollups(%s)", [org_id])
    assert drift(sql, org_id) == []


def test_an_organisation_takes_its_rollups_with_it(factory: Factory, sql: psycopg.Connection) -> None:
    org_id = factory.org()
    factory.call(org_id)
    factory.call(org_id, "outbound")
    sql.execute("delete from public.organizations where id = %s", [org_id])

    assert sql.execute("select count(*) from public.call_rollups where org_id = %s", [org_id]).fetchone() == {
        "count": 0
    }


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("call_rollups", {"grain": "hour", "bucket": str(MOMENTS[0]), "calls": 1}),
        ("record_counts", {"noun": "contact", "state": "hot", "records": 1}),
    ],
)
def test_nobody_but_the_database_writes_rollups(factory: Factory, table: str, row: dict[str, Any]) -> None:
    caller = factory.caller()

    with pytest.raises(APIError) as refused:
        Supabase(factory.settings).rest(caller.token).from_(table).insert({"org_id": caller.org_id, **row}).execute()
    assert refused.value.code == "42501"


@pytest.mark.parametrize("table", ["call_rollups", "call_versions", "record_counts"])
def test_nobody_reads_another_organisations_rollups(factory: Factory, table: str) -> None:
    ours, theirs = factory.caller("viewer"), factory.caller()
    factory.call(theirs.org_id)
    factory.insert("public.contacts", org_id=theirs.org_id, name="Anna", phone="+14155550123")
    rest = Supabase(factory.settings)

    assert rest.rest(ours.token).from_(table).select("org_id").execute().data == []
    assert rest.rest(theirs.token).from_(table).select("org_id").execute().data
    with pytest.raises(APIError):
        rest.rest(factory.settings.supabase_publishable_key.get_secret_value()).from_(table).select("org_id").execute()
