"""The statements inside list_calls for every order, filter and place: what they read, and by which index."""

import json
from typing import Any

import pytest

from tests.schema.nested import Statement
from tests.schema.query_plans.reader import LARGE, Reader
from tests.schema.query_plans.test_orders import DIRECTIONS, INDEXES, ORDERS, PAGE
from voxanne.queries.calls import LIST_COLUMNS

CALLS = sum(LARGE)
CALL_TYPES = {None: (0, 1), "inbound": (0,), "outbound": (1,)}
BY_ID = {"call_logs_org_id_id_key", "calls_org_id_id_key", "call_logs_pkey", "calls_pkey"}
SEARCH = {"idx_call_logs_search", "idx_calls_search"}
ROLLUPS = {"call_rollups_pkey"}
COLUMNS = LIST_COLUMNS.split(",")
# More than 24 months, 31 days and 24 hours in each direction and status are never looked at.
BUCKETS = 79 * 2 * 3


def asked(reader: Reader, order: str = "date", **more: Any) -> list[Statement]:
    """The statements of one page; `more` are parameters of list_calls."""
    parameters = {"p_columns": COLUMNS, "p_order": order, "p_limit": PAGE + 1, **more}
    named = ", ".join(f"{name} => %({name})s" for name in parameters)
    return reader.within(f"select public.list_calls_with_appointments(p_org_id => %(org)s, {named})", **parameters)


def page_of(statements: list[Statement]) -> Statement:
    return next(one for one in reversed(statements) if "json_agg(page)" in one.text)


def row_at(reader: Reader, order: str, offset: int) -> str:
    """The keys of a row deep in the list."""
    query = (
        "select call_date, id, sort_duration, sort_name from public.calls_feed where org_id = %s and not is_test_call "
        f"order by {ORDERS[order]} offset %s limit 1"
    )
    found = reader.db.execute(query, [reader.clinic.org_id, offset]).fetchone()
    assert found
    keys = ("call_date", "id", "sort_duration", "sort_name")
    return json.dumps(dict(zip(keys, found, strict=True)), default=str)


def assert_ordered(one: Statement, indexes: set[str], most: int = 3 * PAGE) -> None:
    assert one.plan.indexes == indexes
    assert not one.plan.scans
    assert max(one.plan.sorts, default=0) <= 3 * PAGE  # of a page's rows at the most
    assert one.plan.rows_read <= most


@pytest.mark.parametrize("place", ["first page", "page 50", "after a row at 40,000"])
@pytest.mark.parametrize("call_type", CALL_TYPES)
@pytest.mark.parametrize("order", ORDERS)
def test_a_page_is_read_in_order(reader: Reader, order: str, call_type: str | None, place: str) -> None:
    if place.startswith("after"):
        where: dict[str, Any] = {"p_after": row_at(reader, order, 40_000)}
    else:
        where = {"p_offset": 0 if place == "first page" else 49 * PAGE}
    statements = asked(reader, order, p_call_type=call_type, **where)
    assert_ordered(
        page_of(statements),
        {INDEXES[order][table] for table in CALL_TYPES[call_type]},
        3 * PAGE + int(1.1 * where.get("p_offset", 0)),
    )


def test_a_page_amid_callers_without_a_name_reads_no_more(reader: Reader) -> None:
    """They are 2,400 and the last of all: a page among them must not read those before it."""
    statements = asked(reader, "name", p_after=row_at(reader, "name", CALLS * 99 // 100))
    assert_ordered(page_of(statements), set(INDEXES["name"]))


@pytest.mark.parametrize("status", ["completed", "missed", "failed"])
def test_a_page_of_one_status(reader: Reader, status: str) -> None:
    page = page_of(asked(reader, p_status=status, p_include_test=True))
    by_date_will_do = status == "completed" and page.plan.indexes == set(INDEXES["date"])
    assert_ordered(page, set(INDEXES["date" if by_date_will_do else "status"]))


@pytest.mark.parametrize("call_type", CALL_TYPES)
def test_a_page_of_some_weeks(reader: Reader, call_type: str | None) -> None:
    bounds = reader.db.execute("select now() - interval '90 days', now() - interval '60 days'").fetchone()
    assert bounds
    page = page_of(asked(reader, p_since=bounds[0], p_until=bounds[1], p_call_type=call_type))
    assert_ordered(page, {INDEXES["date"][table] for table in CALL_TYPES[call_type]})


@pytest.mark.parametrize("offset", [1_000, 40_000, CALLS * 99 // 100])
def test_a_deep_page_begins_where_the_rollups_say(reader: Reader, offset: int) -> None:
    statements = asked(reader, p_offset=offset)
    assert_ordered(page_of(statements), set(INDEXES["date"]))
    rollups = [one.plan for one in statements if ROLLUPS & one.plan.indexes and "insert" not in one.text]
    assert rollups
    assert all(plan.indexes == ROLLUPS and not plan.scans for plan in rollups)
    assert max(plan.rows_read for plan in rollups) <= BUCKETS


def test_a_page_past_the_end_reads_no_calls(reader: Reader) -> None:
    statements = asked(reader, p_offset=2 * CALLS)
    assert all(one.plan.indexes <= ROLLUPS | {"organizations_pkey"} for one in statements)


@pytest.mark.parametrize(
    "bounds", ["", ", p_status => 'failed'", ", p_since => now() - interval '100 days'"], ids=["all", "status", "since"]
)
def test_a_total_is_added_up_from_rollups(reader: Reader, bounds: str) -> None:
    statements = reader.within(f"select public.count_calls(%(org)s{bounds})")
    pieces_of_an_hour = {*INDEXES["date"]} if "p_since" in bounds else set()
    assert {index for one in statements for index in one.plan.indexes} <= ROLLUPS | pieces_of_an_hour
    assert sum(one.plan.rows_read for one in statements) <= BUCKETS


def test_the_start_of_a_deep_page_is_found_in_rollups(reader: Reader) -> None:
    statements = reader.within("select * from public.call_page_start(%(org)s, 40000)")
    assert {index for one in statements for index in one.plan.indexes} == ROLLUPS
    assert sum(one.plan.rows_read for one in statements) <= 2 * BUCKETS


def test_a_rare_search_reads_its_matches_only(reader: Reader) -> None:
    statements = asked(reader, p_pattern="bob 41")
    read = [one for one in statements if one.plan.rows_read]
    known = SEARCH | BY_ID | ROLLUPS | {"organizations_pkey", "pg_class_oid_index"}
    assert {index for one in read for index in one.plan.indexes} <= known
    newest, gathered = (one.plan for one in statements if gathers(one))
    assert newest.indexes == gathered.indexes == SEARCH
    assert newest.rows_read < gathered.rows_read <= 1_000
    assert page_of(statements).plan.rows_read <= 2 * PAGE


@pytest.mark.parametrize("number", [r"\+447700001397", "447700001397"])
def test_a_number_is_looked_for_by_its_last_digits(reader: Reader, number: str) -> None:
    """In each of the larger organisation's tables some 20 calls have it, and a few others the same groups of digits."""
    gathered = gathering(reader, number)
    assert gathered.plan.indexes == SEARCH
    assert gathered.plan.rows_read <= 4 * PAGE
    assert "~*) '01397'" in gathered.text


def test_a_number_that_repeats_itself_is_looked_for_as_a_whole(reader: Reader) -> None:
    assert "'00007'" not in gathering(reader, "447700000007").text


def gathering(reader: Reader, pattern: str) -> Statement:
    statements = asked(reader, p_pattern=pattern, p_include_test=True)
    (gathered,) = (one for one in statements if gathers(one))
    return gathered


def gathers(one: Statement) -> bool:
    return one.text.startswith("with found as materialized")


@pytest.mark.parametrize("pattern", ["anna", "an", "a"])
def test_a_frequent_search_looks_at_the_newest_months_only(reader: Reader, pattern: str) -> None:
    """Every fourth inbound caller is Anna. The months together hold little more than p_window calls."""
    (gathered,) = (one.plan for one in asked(reader, p_pattern=pattern) if gathers(one))
    assert not gathered.scans
    assert gathered.rows_read <= 6 * 1_001


def test_a_page_of_a_search_is_found_among_the_newest_matches(reader: Reader) -> None:
    """One call in a hundred: more than p_few in the newest months, and no more than p_bound."""
    statements = asked(reader, p_pattern="anna 1[02]")
    assert not page_of(statements).plan.indexes & set(INDEXES["date"])
    assert sum(one.plan.rows_read for one in statements if not ROLLUPS & one.plan.indexes) <= 1_000


def test_a_name_that_the_statistics_miss_is_looked_for_in_the_newest_months(reader: Reader) -> None:
    tables = ("call_logs", "calls")
    try:
        for table in tables:
            reader.db.execute(f"alter table public.{table} alter column search_text set statistics 1")
            reader.db.execute(f"analyze public.{table}")
        newest = next(one.plan for one in asked(reader, p_pattern="bob 41") if gathers(one))
    finally:
        for table in tables:
            reader.db.execute(f"alter table public.{table} alter column search_text set statistics -1")
            reader.db.execute(f"analyze public.{table}")
    assert newest.indexes == SEARCH
    assert newest.rows_read <= 300


@pytest.mark.parametrize("order", ORDERS)
def test_a_frequent_search_reads_the_list_until_the_page_is_full(reader: Reader, order: str) -> None:
    """Every outbound call is Dora's. By name, all of those before Dora come first."""
    statements = asked(reader, order, p_pattern="dora")
    gathered = next(one.plan for one in statements if gathers(one))
    assert gathered.rows_read <= 2 * 1_001
    page = page_of(statements).plan
    assert page.indexes == set(INDEXES[order])
    assert not page.sorts
    assert page.rows_read <= (20 * PAGE if order == "date" else CALLS)


def test_every_direction_is_tried() -> None:
    assert list(CALL_TYPES.values()) == list(DIRECTIONS.values())


def test_the_appointments_of_a_page_are_read_from_their_index(reader: Reader) -> None:
    booked = "insert into public.appointments (org_id, call_id, service_type, scheduled_at, duration_minutes, status)"
    calls = "select org_id, id, 'Botox', now() + row_number() over () * interval '1 day', 10, 'cancelled'"
    reader.db.execute(
        f"{booked} {calls} from public.calls_feed where org_id = %s order by call_date desc limit 5000",
        [reader.clinic.org_id],
    )
    try:
        reader.db.execute("analyze public.appointments")
        statements = asked(reader)
    finally:
        reader.db.execute(
            "delete from public.appointments where org_id = %s and call_id is not null", [reader.clinic.org_id]
        )
        reader.db.execute("vacuum (analyze) public.appointments")

    (found,) = [one.plan for one in statements if "distinct on (call_id)" in one.text]
    assert found.indexes == {"idx_appointments_org_call"}
    assert not found.scans
    assert found.rows_read <= 3 * PAGE
