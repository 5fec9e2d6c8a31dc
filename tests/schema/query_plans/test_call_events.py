"""The statements that apply an event, in an organisation with a long history: none reads more than it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.schema.call_events import alert, report, status
from tests.schema.nested import Statement, statements_of
from tests.schema.query_plans.reader import Reader

PHONE = "+447700000001"  # of a contact with dozens of calls, three messages and three appointments
# A few dozen rows of the contact's and the rollups' own; the organisation has 60,000 calls and 7,200 appointments.
MOST_ROWS = 60
LARGE = {"call_logs", "calls", "contacts", "appointments", "messages", "notifications", "call_rollups"}


def run(reader: Reader, query: str, *values: Any, scans: bool) -> list[Statement]:
    """The statements within a call of the service's; undone afterwards."""
    found: list[Statement] = []
    with reader.telling.transaction(force_rollback=True):
        reader.telling.execute(f"set local enable_seqscan = {scans}")
        for _ in range(2):  # the second time around, what the first had to look up is cached
            found = statements_of(reader.telling, None, None, query, values, role="service_role")
    return found


def assert_frugal(reader: Reader, query: str, *values: Any) -> None:
    """Large tables are not scanned, and small ones, which other tests fill, would not have to be."""
    as_planned, by_index = (run(reader, query, *values, scans=scans) for scans in (True, False))
    assert as_planned
    assert by_index
    for one in as_planned:
        assert not one.plan.scans & LARGE, one.text
    for one in by_index:
        assert one.plan.rows_read <= MOST_ROWS, one.text


def known(happened: dict[str, Any], call_id: str) -> Jsonb:
    happened["call"] |= {"vapi_call_id": call_id, "phone_number": PHONE}
    happened["contact"]["phone"] = PHONE
    return Jsonb({**happened, "event_id": f"{happened['event_id']}:{call_id}"})


@pytest.mark.parametrize("call_type", ["inbound", "outbound"])
def test_events_of_a_call(reader: Reader, call_type: str) -> None:
    apply = "select public.apply_call_event(%s, %s)"
    org_id = reader.clinic.org_id
    with reader.telling.transaction(force_rollback=True):
        for happened in (status("in-progress", 3, call_type=call_type), report(call_type=call_type, alert=alert())):
            assert_frugal(reader, apply, org_id, known(happened, f"plan-{call_type}"))


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("public.route_webhook('a', 'b', '+15550001111')", ()),
        ("public.tool_find_caller(%s, %s)", ("org", PHONE)),
        ("public.tool_available_slots(%s, '2030-05-06', 45)", ("org",)),
        ("public.claim_messages(20, 60)", ()),
        ("public.unfinished_calls(now(), 20)", ()),
        ("public.unknown_calls(array['a', 'b'])", ()),
        ("public.dead_letters_waiting(20)", ()),
        ("public.prune_webhook_records()", ()),
        ("public.sms_owner('SM1', 'AC1')", ()),
        ("public.apply_sms_status('SM1', 'sent', null, null, %s)", ("org",)),
    ],
)
def test_other_requests_of_webhooks(reader: Reader, query: str, values: tuple[str, ...]) -> None:
    given = [reader.clinic.org_id if value == "org" else value for value in values]
    assert_frugal(reader, f"select {query}", *given)


def test_a_booking(reader: Reader) -> None:
    at = (datetime.now(UTC) + timedelta(days=400)).replace(hour=12, minute=0)
    call = Jsonb({"vapi_call_id": "plan-booking", "call_type": "inbound", "phone_number": PHONE})
    booking = Jsonb({"scheduled_at": at.isoformat(), "service_type": "Botox", "phone": PHONE})
    assert_frugal(reader, "select public.tool_book(%s, 'plan', %s, %s)", reader.clinic.org_id, call, booking)
