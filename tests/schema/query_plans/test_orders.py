"""Every list is read from an index in its own order: 60,000 calls in one organisation, as many in 400 others."""

import psycopg
import pytest

from tests.schema.plans import Plan, explain
from tests.schema.query_plans.reader import LARGE, Reader

PAGE = 20

ORDERS = {
    "date": "call_date desc, id desc",
    "duration": "sort_duration desc, call_date desc, id desc",
    "name": "sort_name asc, call_date desc, id desc",
}
INDEXES = {
    "date": ("idx_call_logs_org_created", "idx_calls_org_date"),
    "duration": ("idx_call_logs_org_duration", "idx_calls_org_duration"),
    "name": ("idx_call_logs_org_name", "idx_calls_org_name"),
    "status": ("idx_call_logs_org_status", "idx_calls_org_status"),
}
DIRECTIONS = {"": (0, 1), "and call_type = 'inbound'": (0,), "and call_type = 'outbound'": (1,)}
FEED = "select id, caller_name from public.calls_feed where org_id = '{org}' and is_test_call = false"


def assert_ordered(plan: Plan, indexes: set[str], page: int = PAGE) -> None:
    """A page is read in the order of its index, with little more than its rows touched."""
    assert plan.indexes == indexes
    assert not plan.scans
    assert all(rows <= page for rows in plan.sorts)
    assert plan.rows_read <= 3 * page


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_page_of_calls_merges_the_indexes_of_its_order(reader: Reader, order: str, direction: str) -> None:
    plan = reader.plan(f"{FEED} {direction} order by {ORDERS[order]} limit {PAGE}")
    assert_ordered(plan, {INDEXES[order][table] for table in DIRECTIONS[direction]})


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_page_of_recent_calls(reader: Reader, direction: str) -> None:
    plan = reader.plan(
        f"{FEED} {direction} and call_date >= now() - interval '7 days' order by {ORDERS['date']} limit 20"
    )
    assert_ordered(plan, {INDEXES["date"][table] for table in DIRECTIONS[direction]})


def test_row_level_security_does_not_mislead_the_planner(reader: Reader) -> None:
    """A policy that counts as a second condition makes it expect a 400th of the rows, and sort what it need not."""
    plan = reader.plan("select id from public.calls_feed where org_id = '{org}'")
    assert plan.returned == sum(LARGE)
    assert plan.expected >= plan.returned / 4


@pytest.mark.parametrize("order", ["duration", "name"])
def test_a_season_of_calls_in_another_order_is_not_sorted(reader: Reader, order: str) -> None:
    season = "and call_date >= now() - interval '90 days'"
    plan = reader.plan(f"{FEED} {season} order by {ORDERS[order]} limit {PAGE}")
    assert plan.indexes == set(INDEXES[order])
    assert not plan.sorts


@pytest.mark.parametrize("status", ["completed", "missed", "queued"])
def test_a_page_of_calls_by_status(reader: Reader, status: str) -> None:
    plan = reader.plan(f"{FEED} and status = '{status}' order by {ORDERS['date']} limit {PAGE}")
    by_date_will_do = status == "completed" and plan.indexes == set(INDEXES["date"])
    assert_ordered(plan, set(INDEXES["date" if by_date_will_do else "status"]))


@pytest.mark.parametrize("order", ["duration", "name"])
def test_a_rare_status_in_another_order_sorts_its_few_rows_only(reader: Reader, order: str) -> None:
    plan = reader.plan(f"{FEED} and status = 'failed' order by {ORDERS[order]} limit {PAGE}")
    assert plan.indexes == set(INDEXES["status"])
    assert plan.rows_read <= 2 * sum(LARGE) / 1000


def test_a_total_is_counted_by_its_index(reader: Reader) -> None:
    season = "is_test_call = false and call_type = 'inbound' and call_date >= now() - interval '60 days'"
    plan = reader.plan(f"select count(*) from public.calls_feed where org_id = '{{org}}' and {season}")
    assert plan.indexes == {INDEXES["date"][0]}


def test_requests_are_planned_for_their_own_values(db: psycopg.Connection, reader: Reader) -> None:
    """One plan for all parameters could not leave out the other table; PostgREST sets this for each request."""
    settings = db.execute("select rolconfig from pg_roles where rolname = 'authenticated'").fetchone()
    assert settings
    assert "plan_cache_mode=force_custom_plan" in settings[0]
    db.execute("set local plan_cache_mode = force_custom_plan")
    db.execute(
        "prepare page (uuid, text, int) as select id from public.calls_feed where org_id = $1 "
        f"and is_test_call is false and call_type = $2 order by {ORDERS['date']} limit $3"
    )
    plans = [explain(db, f"execute page ('{reader.clinic.org_id}', 'outbound', 20)") for _ in range(8)]
    db.execute("deallocate page")
    assert {frozenset(plan.indexes) for plan in plans} == {frozenset({"idx_calls_org_date"})}


def test_search_reads_the_matches_only(reader: Reader) -> None:
    """As its owner, as search_calls does: under row-level security no index may serve the operator."""
    org_id = reader.clinic.org_id
    own = f"org_id = '{org_id}' and org_id::text = '{org_id}'"
    plan = explain(reader.db, f"select id from public.calls_feed where {own} and search_text ~* 'bob 41'")
    assert plan.indexes == {"idx_call_logs_search", "idx_calls_search"}
    assert plan.rows_read < 1_000


def test_the_newest_calls_of_the_statistics(reader: Reader) -> None:
    for table, moment in (("call_logs", "created_at"), ("calls", "call_date")):
        plan = reader.plan(
            f"select id from public.{table} where org_id = '{{org}}' and deleted_at is null and not is_test_call "
            f"order by coalesce(started_at, {moment}) desc, id desc limit 5"
        )
        assert_ordered(plan, {f"idx_{table}_org_started"}, page=5)


CONTACT = "(select id from public.contacts where org_id = '{org}' and phone = '+447700000007')"
OTHER_LISTS = {
    "idx_call_logs_org_phone_created": "call_logs where {own} and phone_number = {phone} order by created_at desc",
    "idx_calls_org_phone_date": "calls where {own} and phone_number = {phone} order by call_date desc",
    "idx_contacts_org_last_contacted": "contacts where {own} order by last_contacted_at desc nulls last, id desc",
    "idx_contacts_org_status_last_contacted": (
        "contacts where {own} and lead_status = 'hot' order by last_contacted_at desc nulls last, id desc"
    ),
    "idx_appointments_org_scheduled": "appointments where {own} and deleted_at is null order by scheduled_at, id",
    "idx_appointments_org_status_scheduled": (
        "appointments where {own} and deleted_at is null and status = 'scheduled' order by scheduled_at"
    ),
    "idx_services_org_created": "services where {own} order by created_at desc, id desc",
    "idx_notifications_org_created": "notifications where {own} order by created_at desc, id desc",
    "idx_notifications_org_unread": "notifications where {own} and not is_read order by created_at desc, id desc",
}


@pytest.mark.parametrize("index", OTHER_LISTS)
def test_another_list_is_read_in_order(reader: Reader, index: str) -> None:
    query = OTHER_LISTS[index].replace("{own}", "org_id = '{org}'").replace("{phone}", "'+447700000007'")
    assert_ordered(reader.plan(f"select id from public.{query} limit {PAGE}"), {index})


@pytest.mark.parametrize(
    ("index", "query"),
    [
        (
            "idx_appointments_org_contact_scheduled",
            "appointments where {own} and contact_id = {contact} order by scheduled_at desc",
        ),
        (
            "idx_messages_org_contact_method",
            "messages where {own} and contact_id = {contact} and method = 'sms' order by sent_at desc",
        ),
    ],
)
def test_what_belongs_to_a_contact(reader: Reader, index: str, query: str) -> None:
    parts = {"{own}": "org_id = '{org}'", "{contact}": CONTACT}
    for name, text in parts.items():
        query = query.replace(name, text)
    assert_ordered(reader.plan(f"select id from public.{query} limit 5"), {index, "contacts_org_id_phone_key"})


def test_the_slots_of_a_day(reader: Reader) -> None:
    day = "scheduled_at < '2020-03-02' and scheduled_at >= '2020-03-01'"
    booked = "select scheduled_at from public.appointments where org_id = '{org}' and deleted_at is null"
    plan = reader.plan(f"{booked} and {day}")
    assert plan.indexes <= {"idx_appointments_org_scheduled", "appointments_no_overlap"}
    assert plan.rows_read <= 24
