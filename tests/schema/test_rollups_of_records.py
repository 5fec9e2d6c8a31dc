"""The counts of contacts and appointments are what a recount says, as those of calls are."""

import itertools
import os
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import Factory

LEAD_STATUSES = ["hot", "warm", "cold"]
STATUSES = ["pending", "confirmed", "completed", "cancelled"]
_numbers = itertools.count(1)

property_test = settings(
    max_examples=80,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
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
