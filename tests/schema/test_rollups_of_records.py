"""The counts of contacts and appointments are what a recount says, as those of calls are."""

import itertools
import os
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from postgrest.exceptions import APIError

from tests.blocked import wait_until_blocked
from tests.factories import Factory
from voxanne.database import Supabase

LEAD_STATUSES = ["hot", "warm", "cold"]
STATUSES = ["pending", "confirmed", "completed", "cancelled"]
_numbers = itertools.count(1)

property_test = settings(max_examples=80)
states = st.lists(st.sampled_from(LEAD_STATUSES), min_size=1, max_size=6)
bookings = st.lists(st.tuples(st.sampled_from(STATUSES), st.booleans()), min_size=1, max_size=6)
steps = st.one_of(
    st.tuples(st.just("add contacts"), states),
    st.tuples(st.just("add many contacts"), st.sampled_from(LEAD_STATUSES)),
    st.tuples(st.just("upsert contacts"), states),
    st.tuples(st.just("grade contacts"), st.sampled_from(LEAD_STATUSES)),
    st.tuples(st.just("rename contacts"), st.none()),
    st.tuples(st.just("remove contacts"), st.none()),
    st.tuples(st.just("book"), bookings),
    st.tuples(st.just("set status"), st.sampled_from(["completed", "cancelled"])),
    st.tuples(st.just("delete softly"), st.none()),
    st.tuples(st.just("restore"), st.none()),
    st.tuples(st.just("remove appointments"), st.none()),
)
SOME = "org_id = %(org)s and ('x' || substr(id::text, 1, 2))::bit(8)::int %% %(every)s = 0"
PLAIN = {
    "grade contacts": f"update public.contacts set lead_status = %(value)s where {SOME}",
    "rename contacts": f"update public.contacts set name = 'Ada' where {SOME}",
    "remove contacts": f"delete from public.contacts where {SOME}",
    "set status": f"update public.appointments set status = %(value)s where {SOME}",
    "delete softly": f"update public.appointments set deleted_at = now() where {SOME}",
    "restore": f"update public.appointments set deleted_at = null where {SOME}",
    "remove appointments": f"delete from public.appointments where {SOME}",
    "add many contacts": (
        "insert into public.contacts (org_id, name, phone, lead_status) "
        "select %(org)s, 'Anna', '+1' || (%(number)s * 1000 + n), %(value)s from generate_series(1000001, 1000150) as n"
    ),
}


def apply(sql: psycopg.Connection, org_id: str, step: tuple[str, Any], every: int = 1) -> None:
    kind, value = step
    if kind in PLAIN:
        sql.execute(PLAIN[kind], {"org": org_id, "every": every, "value": value, "number": next(_numbers)})
    elif kind == "book":
        sql.execute(
            "insert into public.appointments (org_id, service_type, scheduled_at, status, deleted_at) "
            "select %s, 'Botox', at, status, case when gone then now() end "
            "from unnest(%s::timestamptz[], %s::text[], %s::bool[]) as made (at, status, gone)",
            [org_id, [_free_slot() for _ in value], [status for status, _ in value], [gone for _, gone in value]],
        )
    else:
        # The same few numbers each time, so that an upsert finds some of them there.
        phones = [f"+1415555{n:04}" for n in range(len(value))]
        if kind == "add contacts":
            phones = [f"+44{next(_numbers):09}" for _ in value]
        sql.execute(
            "insert into public.contacts (org_id, name, phone, lead_status) "
            "select %s, 'Anna', * from unnest(%s::text[], %s::text[]) "
            "on conflict (org_id, phone) do update set lead_status = excluded.lead_status",
            [org_id, phones, value],
        )


def _free_slot() -> datetime:
    return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(hours=next(_numbers))


def drift(sql: psycopg.Connection, org_id: str) -> list[dict[str, Any]]:
    return sql.execute("select * from public.rollup_drift(%s)", [org_id]).fetchall()


@property_test
@given(data=st.data())
def test_counts_are_what_a_recount_says(factory: Factory, sql: psycopg.Connection, data: st.DataObject) -> None:
    org_id = factory.org()
    for _ in range(data.draw(st.integers(1, 8))):
        apply(sql, org_id, data.draw(steps), data.draw(st.integers(1, 3)))
        assert drift(sql, org_id) == []
    sql.execute("delete from public.organizations where id = %s", [org_id])
    left = sql.execute("select count(*) as counts from public.record_counts where org_id = %s", [org_id]).fetchone()
    assert left == {"counts": 0}


def test_a_truncated_table_counts_nothing(factory: Factory, sql: psycopg.Connection) -> None:
    org_id = factory.org()
    apply(sql, org_id, ("book", [("pending", False)]))
    with sql.transaction(force_rollback=True):
        sql.execute("truncate public.appointments cascade")
        assert drift(sql, org_id) == []
    assert drift(sql, org_id) == []


def test_a_rebuild_mends_drift_and_the_check_reports_it(factory: Factory, sql: psycopg.Connection) -> None:
    org_id = factory.org()
    apply(sql, org_id, ("add contacts", ["hot"]))
    factory.call(org_id)
    sql.execute("update public.record_counts set records = 7 where org_id = %s", [org_id])
    sql.execute("update public.call_rollups set hot_calls = 7 where org_id = %s and grain = 'day'", [org_id])

    found = {row["rollup"]: (row["kept"], row["counted"]) for row in drift(sql, org_id)}
    assert found == {"record_counts": (7, 1), "call_rollups": (1, 1)}  # of calls, the numbers of calls are shown
    sql.execute("select public.rebuild_rollups(%s)", [org_id])
    assert drift(sql, org_id) == []


def test_a_rebuild_waits_for_the_organisations_own_writers_only(factory: Factory, sql: psycopg.Connection) -> None:
    """A rebuild that took the tables' locks stopped everybody, and met whoever wrote two tables in a circle."""
    org_id, other = factory.org(), factory.org()
    call = factory.call(org_id)
    with psycopg.connect(os.environ["DATABASE_URL"]) as writer:
        apply(writer, org_id, ("add contacts", ["hot"]))
        with sql.transaction():
            sql.execute("set local lock_timeout = '10s'")
            sql.execute("select public.rebuild_rollups(%s)", [other])
        done = threading.Event()

        def rebuild() -> None:
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
                own.execute("select public.rebuild_rollups(%s)", [org_id])
            done.set()

        thread = threading.Thread(target=rebuild)
        thread.start()
        wait_until_blocked(sql, writer)
        assert not done.is_set()
        writer.execute("update public.call_logs set status = 'missed' where id = %s", [call])
        writer.commit()
        thread.join()

    assert done.is_set()
    assert drift(sql, org_id) == []


def test_rebuilds_among_writers_lose_nothing(factory: Factory, sql: psycopg.Connection) -> None:
    org_ids = [factory.org(), factory.org()]
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
                for turn in range(30):
                    org_id = org_ids[(number + turn) % 2]
                    if number == 0:
                        own.execute("select public.rebuild_rollups(%s)", [org_id])
                        continue
                    with own.transaction():
                        apply(own, org_id, ("add contacts", [LEAD_STATUSES[turn % 3]]))
                        moment = datetime(2026, 1, 1 + turn, tzinfo=UTC)
                        insert = "insert into public.calls (org_id, call_date) values (%s, %s)"
                        own.execute(insert, [org_id, moment])
        except Exception as error:  # noqa: BLE001 -- shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert [drift(sql, org_id) for org_id in org_ids] == [[], []]


def test_a_rebuild_ends_the_tags_of_what_it_mends(factory: Factory, sql: psycopg.Connection) -> None:
    org_id = factory.org()
    version = "select public.call_version(%s) as version"
    before = sql.execute(version, [org_id]).fetchone()
    sql.execute("select public.rebuild_rollups(%s)", [org_id])

    assert before
    assert sql.execute(version, [org_id]).fetchone() == {"version": before["version"] + 1}


def test_no_value_that_is_no_number_can_poison_a_sum(factory: Factory) -> None:
    """Postgres takes NaN for greater than 0, and a sum that has met it stays NaN even when the call is deleted."""
    caller = factory.caller("agent")
    call = factory.call(caller.org_id)

    for table, values in (("call_logs", {"id": call}), ("calls", {})):
        rest = Supabase(factory.settings).rest(caller.token).from_(table)
        row = {"org_id": caller.org_id, **values, "financial_value": "NaN"}
        with pytest.raises(APIError) as refused:
            (rest.update(row).eq("id", call) if values else rest.insert(row)).execute()
        assert refused.value.code == "23514"
    assert caller.get("/api/analytics/dashboard-pulse").json["pipeline_value"] == 0


def test_counts_hold_under_concurrent_writers_and_none_waits_for_another_in_a_circle(
    factory: Factory, sql: psycopg.Connection
) -> None:
    """Half of the writers change a call and then a contact in one transaction, half the other way round."""
    org_id = factory.org()
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
                for turn in range(25):
                    parts = [
                        lambda: own.execute("insert into public.call_logs (org_id) values (%s)", [org_id]),
                        lambda turn=turn: apply(own, org_id, ("add contacts", [LEAD_STATUSES[turn % 3]])),
                        lambda turn=turn: apply(own, org_id, ("book", [(STATUSES[turn % 4], False)])),
                    ]
                    with own.transaction():
                        for part in parts[:: 1 if number % 2 else -1]:
                            part()
        except Exception as error:  # noqa: BLE001 -- shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert drift(sql, org_id) == []
