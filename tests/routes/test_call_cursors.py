"""Cursors of the list of calls: good for one list of one organisation, and right while rows come and go."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder

PATH = "/api/calls-dashboard"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def clinic_with_calls(factory: Factory, count: int) -> tuple[Caller, list[str]]:
    """A caller and the ids of as many calls, newest first."""
    caller = factory.caller()
    made = [factory.call(caller.org_id, ("inbound", "outbound")[n % 2], at=NOON - n * MINUTE) for n in range(count)]
    return caller, made


def page(caller: Caller, **query: object) -> tuple[list[str], str | None]:
    reply = caller.get(PATH, **query)
    assert reply.status_code == 200
    return [call["id"] for call in reply.json["calls"]], reply.json["pagination"]["next_cursor"]


def refusal(caller: Caller, cursor: str | None, **query: object) -> tuple[int, str, str]:
    reply = caller.get(PATH, cursor=cursor, **query)
    return reply.status_code, reply.json["code"], reply.json["details"][0]["field"]


REFUSED = (400, "VALIDATION_ERROR", "cursor")


@pytest.mark.parametrize("cursor", ["gAAAA", "é", "日本", "\x00", "{}", "1", "A" * 2000, "A" * 2001])
def test_what_is_no_cursor_is_refused(factory: Factory, recorder: RequestRecorder, cursor: str) -> None:
    caller = factory.caller()

    assert refusal(caller, cursor) == REFUSED
    assert recorder.last == []


def test_a_cursor_with_any_part_changed_is_refused(factory: Factory) -> None:
    caller, _ = clinic_with_calls(factory, 2)
    _, cursor = page(caller, limit=1)
    assert cursor
    for place in range(0, len(cursor) - 2, 17):
        other = "A" if cursor[place] != "A" else "B"
        assert refusal(caller, cursor[:place] + other + cursor[place + 1 :]) == REFUSED
    assert refusal(caller, cursor[:-4]) == REFUSED


def test_a_cursor_leads_nowhere_in_another_organisation(factory: Factory) -> None:
    caller, _ = clinic_with_calls(factory, 2)
    _, cursor = page(caller, limit=1)

    assert refusal(factory.caller(), cursor) == REFUSED
    assert page(factory.member(caller.org_id, "viewer"), limit=1, cursor=cursor)[0]


@pytest.mark.parametrize(
    "other",
    [
        {"sortBy": "name"}, {"sortBy": "duration"}, {"call_type": "inbound"}, {"status": "completed"},
        {"search": "Anna"}, {"date_filter": "month"}, {"startDate": "2026-01-01"}, {"endDate": "2026-12-31"},
        {"include_test": "true"},
    ],
)  # fmt: skip
def test_a_cursor_leads_nowhere_in_another_list(factory: Factory, other: dict[str, str]) -> None:
    caller, _ = clinic_with_calls(factory, 3)
    _, cursor = page(caller, limit=1)

    assert refusal(caller, cursor, limit=1, **other) == REFUSED


def test_a_cursor_goes_on_with_pages_of_another_length_whatever_the_page_number(factory: Factory) -> None:
    caller, made = clinic_with_calls(factory, 5)
    _, cursor = page(caller, limit=1)

    assert page(caller, limit=3, page=7, cursor=cursor)[0] == made[1:4]


def test_the_last_page_has_no_cursor_even_where_it_is_full(factory: Factory) -> None:
    caller, made = clinic_with_calls(factory, 4)
    _, cursor = page(caller, limit=2)

    assert page(caller, limit=2, cursor=cursor) == (made[2:], None)


@pytest.mark.parametrize("sort", ["date", "duration", "name"])
def test_a_call_that_is_gone_still_leads_on(factory: Factory, sort: str) -> None:
    caller, _ = clinic_with_calls(factory, 4)
    everything, _ = page(caller, sortBy=sort)
    first, cursor = page(caller, sortBy=sort, limit=2)
    for table in ("call_logs", "calls"):
        factory.sql.execute(f"delete from public.{table} where id = any(%s)", [first])

    assert page(caller, sortBy=sort, limit=2, cursor=cursor) == (everything[2:], None)


def test_calls_that_come_in_between_neither_double_nor_hide_any(factory: Factory) -> None:
    caller, made = clinic_with_calls(factory, 4)
    _, cursor = page(caller, limit=2)
    factory.call(caller.org_id, at=NOON + MINUTE)
    late = factory.call(caller.org_id, at=NOON - 2.5 * MINUTE)

    assert page(caller, limit=3, cursor=cursor) == ([made[2], late, made[3]], None)


def test_a_page_past_all_others_is_empty_once_they_are_gone(factory: Factory) -> None:
    caller, _ = clinic_with_calls(factory, 3)
    _, cursor = page(caller, limit=2)
    for table in ("call_logs", "calls"):
        factory.sql.execute(f"update public.{table} set deleted_at = now() where org_id = %s", [caller.org_id])

    reply = caller.get(PATH, limit=2, cursor=cursor).json
    assert reply["calls"] == []
    assert (reply["pagination"]["total"], reply["pagination"]["has_more"]) == (0, False)


def test_a_cursor_tells_nothing_of_a_caller(factory: Factory) -> None:
    caller = factory.caller()
    for _ in range(2):
        factory.call(caller.org_id, caller_name="Anna Secret")
    _, cursor = page(caller, limit=1, sortBy="name")

    assert cursor
    assert "secret" not in cursor.lower()
