"""The queries of the other routes, and the query that each of the five named indexes was made for."""

import pytest

from tests.schema.plans import explain
from tests.schema.query_plans.reader import AGENTS, LARGE, Reader
from voxanne.queries.services import COLUMNS

CONTACT = "(select id from public.contacts where org_id = '{org}' and phone = '+447700000007')"
# What each named index of the original design is for.
NAMED = {
    "idx_call_logs_org_phone_created": (
        "select id from public.call_logs where org_id = '{org}' and phone_number = '+447700000007' "
        "order by created_at desc limit 20"
    ),
    "idx_appointments_org_contact_scheduled": (
        f"select id from public.appointments where org_id = '{{org}}' and contact_id = {CONTACT} "
        "order by scheduled_at desc limit 20"
    ),
    "idx_appointments_org_status_scheduled": (
        "select id from public.appointments where org_id = '{org}' and status = 'scheduled' and deleted_at is null "
        "order by scheduled_at limit 20"
    ),
    "idx_messages_org_contact_method": (
        f"select exists (select from public.messages where org_id = '{{org}}' and contact_id = {CONTACT} "
        "and method = 'sms' and sent_at > now() - interval '30 days')"
    ),
    "idx_services_org_created": (
        f"select {COLUMNS} from public.services where org_id = '{{org}}' order by created_at desc, id desc limit 20"
    ),
}
SLOT = "tstzrange('2020-03-01 09:10Z', '2020-03-01 09:55Z')"
LIVE = "status in ('pending', 'scheduled', 'confirmed', 'in_progress')"


@pytest.mark.parametrize("index", NAMED)
def test_the_named_index_serves_the_query_it_was_made_for(reader: Reader, index: str) -> None:
    plan = reader.plan(NAMED[index])
    assert index in plan.indexes
    assert plan.indexes <= {index, "contacts_org_id_phone_key"}
    assert not plan.scans
    assert plan.rows_read <= 3 * 20  # and so a sort, if any, is of those


def test_the_page_of_services(reader: Reader) -> None:
    plan = reader.plan(
        f"select {COLUMNS} from public.services where org_id = '{{org}}' order by created_at desc, id desc limit 20"
    )
    assert plan.indexes == {"idx_services_org_created"}
    assert plan.rows_read <= 20


def test_the_whole_price_list_is_read_from_its_index(reader: Reader) -> None:
    (listed,) = (one.plan for one in reader.within("select public.price_list(%(org)s)") if "jsonb_agg" in one.text)
    assert listed.indexes == {"idx_services_org_created"}
    assert not listed.scans
    assert listed.rows_read == LARGE[0] // 100  # the organisation's own, and no neighbour's


def test_the_agents_of_a_team_in_one_query(reader: Reader) -> None:
    statements = reader.within("select * from public.list_agents(%(org)s)")
    listed = next(one.plan for one in statements if "auth.users" in one.text)
    assert {"idx_user_org_roles_org_role", "users_pkey"} >= listed.indexes - {"organizations_pkey"}
    assert (
        listed.rows_read <= 2 * AGENTS + 2_500
    )  # all accounts at the most, where a hash join is cheaper than look-ups


def test_whether_a_slot_is_taken(reader: Reader) -> None:
    """By comparisons: under row-level security no index may serve the operator of overlap. None lasts over a day."""
    begins, ends, a_day_before = "'2020-03-01 09:10Z'", "'2020-03-01 09:55Z'", "'2020-02-29 09:10Z'"
    plan = reader.plan(
        f"select id from public.appointments where org_id = '{{org}}' and deleted_at is null and {LIVE} "
        f"and scheduled_at < {ends} and scheduled_at > {a_day_before} and ends_at > {begins}"
    )
    assert plan.indexes <= {"idx_appointments_org_scheduled", "idx_appointments_org_status_scheduled"}
    assert plan.indexes
    assert plan.rows_read <= 25


def test_no_two_appointments_overlap_by_the_index_of_the_constraint(reader: Reader) -> None:
    """As its owner, as a function that books runs."""
    plan = explain(
        reader.db,
        f"select id from public.appointments where org_id = '{reader.clinic.org_id}' and {LIVE} and deleted_at is null "
        f"and tstzrange(scheduled_at, ends_at) && {SLOT}",
    )
    assert plan.indexes == {"appointments_no_overlap"}
    assert plan.rows_read <= 3


def test_the_calls_of_a_contact_in_both_directions(reader: Reader) -> None:
    plan = reader.plan(
        "select id from public.calls_feed where org_id = '{org}' and phone_number = '+447700000007' "
        "order by call_date desc limit 20"
    )
    assert plan.indexes == {"idx_call_logs_org_phone_created", "idx_calls_org_phone_date"}
    assert plan.rows_read <= 3 * 20


def test_one_call_by_its_id(reader: Reader) -> None:
    query = "select id from public.calls where org_id = %s offset 7 limit 1"
    found = reader.db.execute(query, [reader.clinic.org_id]).fetchone()
    assert found
    plan = reader.plan(
        f"select id, transcript from public.calls_feed where org_id = '{{org}}' and id = '{found[0]}' limit 1"
    )
    assert len(plan.indexes) == 2
    assert plan.indexes <= {"call_logs_org_id_id_key", "calls_org_id_id_key", "call_logs_pkey", "calls_pkey"}
    assert plan.rows_read == 1


@pytest.mark.parametrize("function", ["call_stats", "call_summary"])
def test_statistics_read_rollups_and_the_calls_of_an_hour(reader: Reader, function: str) -> None:
    statements = reader.within(f"select public.{function}(%(org)s)")
    used = {index for one in statements for index in one.plan.indexes}
    assert "call_rollups_pkey" in used
    assert used <= {
        "call_rollups_pkey", "call_versions_pkey", "organizations_pkey", "idx_call_logs_org_created",
        "idx_calls_org_date", "idx_call_logs_org_started", "idx_calls_org_started",
    }  # fmt: skip
    assert sum(one.plan.rows_read for one in statements) <= 3_000
