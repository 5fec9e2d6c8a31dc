"""What the home page polls: numbers come from rollups, lists from the top of an index, whatever the history."""

from tests.schema.query_plans.reader import Reader

ROLLUPS = {"call_rollups_pkey", "record_counts_pkey", "call_versions_pkey", "organizations_pkey"}
CONTACTS = {"contacts_org_id_id_key", "contacts_pkey"}
LEADS = {"idx_call_logs_org_lead", "idx_calls_org_lead"}
RECENT = {"idx_call_logs_org_created", "idx_calls_org_date", "idx_hot_lead_alerts_org_created"}
BOOKED = {"idx_appointments_org_booked"}
# 25 months, in each direction and status, twice: once as a function's rows and once as they are added up.
MONTHS = 25 * 2 * 3 * 2
LISTED, PAGE = 100 + 100 + 50, 10 + 5 + 5


def test_the_pulse_reads_rollups_only(reader: Reader) -> None:
    statements = reader.within("select public.dashboard_pulse(%(org)s)")
    assert {index for one in statements for index in one.plan.indexes} <= ROLLUPS
    assert not {table for one in statements for table in one.plan.scans} - {"record_counts", "call_versions"}
    assert sum(one.plan.rows_read for one in statements) <= MONTHS + 20


def test_contact_statistics_read_a_row_for_each_status(reader: Reader) -> None:
    statements = reader.within("select public.contact_stats(%(org)s)")
    assert {index for one in statements for index in one.plan.indexes} <= ROLLUPS
    assert max(one.plan.rows_read for one in statements) <= 3


def test_leads_are_the_top_of_an_index_with_their_contacts(reader: Reader) -> None:
    statements = reader.within("select public.actionable_leads(%(org)s)")
    found = next(one.plan for one in statements if "json_agg" in one.text)
    assert found.indexes >= LEADS
    assert found.indexes <= LEADS | CONTACTS
    assert not found.scans
    assert max(found.sorts, default=0) <= LISTED
    # Both tables are read a row ahead of their merge.
    assert found.rows_read <= 2 * LISTED + 2 * 3


def test_many_test_calls_are_not_read_to_find_the_leads_among_them(reader: Reader) -> None:
    tried_out = (
        "insert into public.calls (org_id, lead_temp, is_test_call, notes) "
        "select %s, temp, true, 'tried out' from unnest(array['hot', 'warm', 'cold']) as temp, generate_series(1, 700)"
    )
    reader.db.execute(tried_out, [reader.clinic.org_id])
    try:
        statements = reader.within("select public.actionable_leads(%(org)s)")
    finally:
        remove = "delete from public.calls where org_id = %s and notes = 'tried out'"
        reader.db.execute(remove, [reader.clinic.org_id])
    found = next(one.plan for one in statements if "json_agg" in one.text)
    assert found.rows_read <= 2 * LISTED + 2 * 3


def test_recent_activity_is_the_top_of_four_indexes(reader: Reader) -> None:
    statements = reader.within("select public.recent_activity(%(org)s)")
    found = next(one.plan for one in statements if "json_agg" in one.text)
    assert found.indexes >= RECENT | BOOKED
    assert found.indexes <= RECENT | BOOKED | CONTACTS
    assert not found.scans
    assert max(found.sorts, default=0) <= PAGE
    assert found.rows_read <= 3 * PAGE
