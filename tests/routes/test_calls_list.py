"""GET /api/calls-dashboard."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from tests.factories import Factory
from tests.recorder import RequestRecorder

PATH = "/api/calls-dashboard"
PAGINATION = {
    "page": 1,
    "limit": 20,
    "total": 0,
    "pages": 0,
    "total_is_estimate": False,
    "has_more": False,
    "next_cursor": None,
}
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def ids(reply) -> list[str]:
    assert reply.status_code == 200, reply.json
    return [call["id"] for call in reply.json["calls"]]


def test_list_mixes_both_tables_newest_first(factory: Factory, recorder: RequestRecorder) -> None:
    caller = factory.caller()
    older = factory.call(caller.org_id, "outbound", at=NOON)
    newer = factory.call(caller.org_id, "inbound", at=NOON + timedelta(minutes=1))

    reply = caller.get(PATH)

    assert ids(reply) == [newer, older]
    assert reply.json["pagination"] == PAGINATION | {"total": 2, "pages": 1}
    assert recorder.last == ["POST rpc/list_calls_with_appointments"]


def test_list_keeps_ties_across_pages(factory: Factory) -> None:
    caller = factory.caller()
    made = {factory.call(caller.org_id, kind, at=NOON) for kind in ["inbound", "outbound"] * 5}

    seen = [call for page in range(1, 6) for call in ids(caller.get(PATH, page=page, limit=2))]

    assert len(seen) == len(made)
    assert set(seen) == made


def test_page_past_the_end_is_empty_with_the_right_total(factory: Factory) -> None:
    caller = factory.caller()
    factory.call(caller.org_id)

    reply = caller.get(PATH, page=7)

    assert ids(reply) == []
    assert reply.json["pagination"] == PAGINATION | {"page": 7, "total": 1, "pages": 1}


def test_empty_organisation(factory: Factory) -> None:
    reply = factory.caller().get(PATH)

    assert reply.json == {"calls": [], "pagination": PAGINATION}


def test_rows_carry_what_the_page_reads_and_no_transcript(factory: Factory) -> None:
    caller = factory.caller()
    factory.call(
        caller.org_id,
        at=NOON,
        caller_name=None,
        phone_number=None,
        transcript=[{"speaker": "caller", "text": "a secret", "timestamp": 1}],
        recording_storage_path=f"{caller.org_id}/a.wav",
        recording_status="completed",
    )

    reply = caller.get(PATH)
    row = reply.json["calls"][0]

    assert "a secret" not in reply.text
    assert (row["caller_name"], row["phone_number"], row["duration_seconds"]) == ("Unknown", "Unknown", 0)
    assert row["has_transcript"] is True
    assert row["has_recording"] is True
    assert row["recording_url"].startswith("http://localhost/api/recordings/")


def test_deleted_and_test_calls_are_hidden(factory: Factory) -> None:
    caller = factory.caller()
    test_call = factory.call(caller.org_id, is_test_call=True)
    factory.call(caller.org_id, deleted_at=NOON)

    assert ids(caller.get(PATH)) == []
    assert ids(caller.get(PATH, include_test="true")) == [test_call]


@pytest.mark.parametrize("name", ["Anna Demopoulos", "Testa", None])
def test_nobody_is_hidden_for_a_name(factory: Factory, name: str | None) -> None:
    caller = factory.caller()
    call = factory.call(caller.org_id, "outbound", caller_name=name)

    assert ids(caller.get(PATH)) == [call]


@pytest.mark.parametrize(
    "name",
    ["O'Hara, (x) 50%", 'The "Doc"', "back\\slash", "a.b*c", "under_score", "émile 😀", "a|b", "[x]{2}^$", "1+1?"],
)
def test_names_with_any_character_are_searchable(factory: Factory, name: str) -> None:
    caller = factory.caller()
    call = factory.call(caller.org_id, caller_name=name)
    factory.call(caller.org_id, caller_name="someone else entirely")

    assert ids(caller.get(PATH, search=name)) == [call]
    assert ids(caller.get(PATH, search=name[1:].upper())) == [call]


def test_search_takes_wildcards_for_what_they_are(factory: Factory) -> None:
    caller = factory.caller()
    factory.call(caller.org_id, caller_name="Anna")

    for text in ("%", "_nna", "A*a", ".*", "A%a"):
        assert ids(caller.get(PATH, search=text)) == []


@pytest.mark.parametrize("text", ["+14155550123", "14155550123", "55550123", "4155550123"])
def test_search_for_a_number_finds_it_wherever_it_stands_and_no_other_with_its_last_digits(
    factory: Factory, text: str
) -> None:
    caller = factory.caller()
    found = {
        factory.call(caller.org_id, phone_number="+14155550123"),
        factory.call(caller.org_id, "outbound", phone_number="+141555501239"),
        factory.call(caller.org_id, phone_number=None, caller_name="Anna of +14155550123"),
    }
    factory.call(caller.org_id, phone_number="+14150550123", caller_name="550123")
    factory.call(factory.org(), phone_number="+14155550123")

    assert set(ids(caller.get(PATH, search=text))) == found


def test_search_finds_part_of_a_number(factory: Factory) -> None:
    caller = factory.caller()
    call = factory.call(caller.org_id, phone_number="+442071234567")
    factory.call(caller.org_id, phone_number="+14155550123")

    assert ids(caller.get(PATH, search="+44207")) == [call]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Pacific/Kiritimati"])
def test_today_begins_at_midnight_where_the_clinic_is(factory: Factory, zone: str) -> None:
    caller = factory.caller(timezone=zone)
    now = datetime.now(ZoneInfo(zone))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    factory.call(caller.org_id, at=midnight - timedelta(milliseconds=1))
    call = factory.call(caller.org_id, at=midnight)

    with time_machine.travel(now, tick=False):  # else midnight may strike meanwhile
        assert ids(caller.get(PATH, date_filter="today")) == [call]


def test_a_day_as_end_date_takes_in_all_of_it(factory: Factory) -> None:
    caller = factory.caller(timezone="America/New_York")
    last_minute = factory.call(caller.org_id, at=datetime(2026, 3, 11, 3, 59, tzinfo=UTC))
    factory.call(caller.org_id, at=datetime(2026, 3, 11, 4, 0, tzinfo=UTC))

    assert ids(caller.get(PATH, startDate="2026-03-10", endDate="2026-03-10")) == [last_minute]


def test_moments_are_inclusive(factory: Factory) -> None:
    caller = factory.caller()
    call = factory.call(caller.org_id, at=NOON)

    assert ids(caller.get(PATH, startDate="2026-03-10T12:00:00Z", endDate="2026-03-10T13:00:00+01:00")) == [call]
    assert ids(caller.get(PATH, startDate="2026-03-10T12:00:00.001Z")) == []


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"}, {"page": "-1"}, {"page": "abc"}, {"page": "99999999999"}, {"limit": "0"}, {"limit": "101"},
        {"sortBy": "price"}, {"startDate": "yesterday"}, {"endDate": "2026-02-30"}, {"startDate": "0000-01-01"},
        {"endDate": "9999-12-31"}, {"status": "gone"}, {"call_type": "both"}, {"date_filter": "year"},
        {"search": "x" * 201}, {"include_test": "perhaps"}, {"page": "1.5"}, {"page": "1e3"}, {"page": "nan"},
        {"page": "1_000"}, {"page": "1.0"}, {"limit": "+1"}, {"page": "\uff11"},
    ],
)  # fmt: skip
def test_bad_queries_are_told_apart_and_reach_no_database(
    factory: Factory, recorder: RequestRecorder, query: dict[str, str]
) -> None:
    reply = factory.caller().get(PATH, **query)

    assert reply.status_code == 400
    assert reply.json["code"] == "VALIDATION_ERROR"
    assert reply.json["details"][0]["field"] == next(iter(query))
    assert recorder.last == []
