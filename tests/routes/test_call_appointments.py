"""The appointment of a call, in the list and in its detail."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder
from tests.services.webhooks import events
from tests.services.webhooks.clinic import clinic

PATH = "/api/calls-dashboard"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
NONE = {
    "has_appointment": False, "appointment_id": None, "appointment_scheduled_at": None,
    "appointment_service_type": None, "appointment_status": None,
}  # fmt: skip


@pytest.fixture
def caller(factory: Factory) -> Caller:
    return factory.caller("viewer")


def book(factory: Factory, org_id: str, call_id: str, day: int = 0, **values: Any) -> str:
    """An appointment that was made a day's number of minutes after noon."""
    given = {
        "service_type": "Botox",
        "status": "confirmed",
        "scheduled_at": NOON + timedelta(days=day),
        "created_at": NOON + timedelta(minutes=day),
        **values,
    }
    return factory.insert("public.appointments", org_id=org_id, call_id=call_id, **given)


def told(caller: Caller, call_id: str) -> dict[str, Any]:
    """What list, search and detail say of the call's appointment, all the same."""
    detail = caller.get(f"{PATH}/{call_id}").json
    listed = [row for row in caller.get(PATH).json["calls"] if row["id"] == call_id]
    found = [row for row in caller.get(PATH, search="Demopoulos").json["calls"] if row["id"] == call_id]
    said = [{name: row[name] for name in NONE} for row in (detail, *listed, *found)]
    assert len(said) == 3
    assert said[0] == said[1] == said[2]
    return said[0]


@pytest.mark.parametrize("call_type", ["inbound", "outbound"])
def test_a_call_tells_what_was_booked_during_it(factory: Factory, recorder: RequestRecorder, call_type: str) -> None:
    caller = factory.caller("viewer")
    call = factory.call(caller.org_id, call_type, caller_name="Anna Demopoulos")
    other = factory.call(caller.org_id, call_type, caller_name="Anna Demopoulos")
    appointment = book(factory, caller.org_id, call)

    assert told(caller, call) == {
        "has_appointment": True,
        "appointment_id": appointment,
        "appointment_scheduled_at": "2026-03-10T12:00:00+00:00",
        "appointment_service_type": "Botox",
        "appointment_status": "confirmed",
    }
    assert told(caller, other) == NONE
    assert caller.get(f"{PATH}/{call}").status_code == 200
    assert len(recorder.last) == 1


def test_of_several_the_newest_counts_and_a_cancelled_one_only_alone(factory: Factory, caller: Caller) -> None:
    call = factory.call(caller.org_id, caller_name="Anna Demopoulos")
    gone = book(factory, caller.org_id, call, 3, status="cancelled")
    assert told(caller, call)["appointment_id"] == gone
    assert told(caller, call)["appointment_status"] == "cancelled"

    book(factory, caller.org_id, call, 1)
    newest = book(factory, caller.org_id, call, 2)
    assert told(caller, call)["appointment_id"] == newest


def test_neither_a_deleted_one_nor_another_clinic_s_is_told(factory: Factory, caller: Caller) -> None:
    call = factory.call(caller.org_id, caller_name="Anna Demopoulos")
    book(factory, caller.org_id, call, deleted_at=NOON)
    book(factory, factory.org(), call)

    assert told(caller, call) == NONE


def test_a_booking_on_the_telephone_shows_with_its_call(factory: Factory) -> None:
    here = clinic(factory)
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    wish = {"date": day.isoformat(), "time": "10:00", "service": "Botox", "name": "Anna Demopoulos"}
    here.send(events.tool_calls(("t-1", "book_appointment", wish), call_=here.call()))

    (row,) = factory.member(here.org_id).get(PATH).json["calls"]

    assert (row["has_appointment"], row["appointment_service_type"], row["appointment_status"]) == (
        True,
        "Botox",
        "confirmed",
    )
