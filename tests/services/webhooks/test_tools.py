"""What the assistant is told when it asks for something during a call."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from tests.services.webhooks import events
from tests.services.webhooks.clinic import clinic
from voxanne.services.webhooks import tool_calls, tools
from voxanne.signals import text_queued

ZONE = ZoneInfo("America/New_York")
DAY = (datetime.now(ZONE) + timedelta(days=3)).date()
ISO = DAY.isoformat()
BOOKING = {"appointmentDate": ISO, "appointmentTime": "2 pm", "serviceType": "Botox", "patientName": "Maria Santos"}


@pytest.fixture
def here(factory):
    return clinic(factory)


def use(here, name, arguments, *, id_="t-1", call=None):
    reply = here.send(events.tool_calls((id_, name, arguments), call_=call or here.call()))
    assert reply.status_code == 200
    (result,) = reply.json["results"]
    assert result["toolCallId"] == id_
    return result["result"]


@pytest.mark.parametrize("name", ["bookClinicAppointment", "book_appointment", "bookAppointment", "Book-Appointment"])
def test_booking_is_done_once_in_the_clinics_own_time(here, name, recorder):
    said = use(here, name, {**BOOKING, "patientEmail": "maria@example.com"})

    assert said == f"Done: Botox is booked for {DAY:%A}, {DAY:%B} {DAY.day} at 2 PM."
    (row,) = here.rows("public.appointments")
    assert row["scheduled_at"].astimezone(ZONE).isoformat()[:16] == f"{ISO}T14:00"
    assert (row["contact_phone"], row["customer_name"], row["duration_minutes"]) == (events.CALLER, "Maria Santos", 45)
    assert use(here, name, BOOKING) == said
    assert recorder.last == ["POST rpc/tool_book"]
    assert len(here.rows("public.appointments")) == 1


def test_a_booking_is_the_calls_whatever_comes_after(here):
    use(here, "book_appointment", BOOKING)
    here.send(events.report(here.call()))

    (call,) = here.rows("public.call_logs")
    (appointment,) = here.rows("public.appointments")
    assert (appointment["call_id"], call["booking_confirmed"]) == (call["id"], True)


def test_the_id_of_a_tool_call_counts_within_its_call_only(here):
    """Some models' ids are four characters long, so those of two callers meet."""
    other = here.call(call_id=f"{here.call_id}-b", customer={"number": "+14155550177"})
    first = use(here, "book_appointment", BOOKING, id_="call_x1y2")

    second = use(here, "book_appointment", {**BOOKING, "appointmentTime": "4 pm"}, id_="call_x1y2", call=other)
    use(here, "notify_hot_lead", {"leadName": "Maria Santos"}, id_="call_h0t1")
    use(here, "notify_hot_lead", {"leadName": "Joe Miller"}, id_="call_h0t1", call=other)

    assert (first[:5], second[:5], first == second) == ("Done:", "Done:", False)
    assert len(here.rows("public.appointments")) == 2
    assert {alert["lead_name"] for alert in here.rows("public.hot_lead_alerts")} == {"Maria Santos", "Joe Miller"}


def test_a_new_contact_shows_in_the_statistics_at_once(here, factory):
    owner = factory.member(here.org_id)
    assert owner.get("/api/contacts/stats").json["total_leads"] == 0
    use(here, "book_appointment", BOOKING)
    assert owner.get("/api/contacts/stats").json["total_leads"] == 1


def test_a_taken_time_comes_with_others(here):
    use(here, "book_appointment", BOOKING)

    said = use(
        here,
        "book_appointment",
        BOOKING,
        id_="t-2",
        call=here.call(call_id=f"{here.call_id}-2", customer={"number": "+14155550143"}),
    )

    assert said.startswith(f"{DAY:%A}, {DAY:%B} {DAY.day} at 2 PM has been taken. Free instead: ")
    assert len(here.rows("public.appointments")) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, tools.WHICH_DAY),
        ({"time": "2 pm"}, tools.WHICH_DAY),
        ({"date": "soon", "time": "2 pm"}, tools.WHICH_DAY),
        ({"date": ["2026-11-24"], "time": {"hour": 2}}, tools.WHICH_DAY),
        ({"date": ISO}, tools.WHICH_TIME),
        ({"date": ISO, "time": "in the afternoon"}, tools.WHICH_TIME),
        ({"date": "2400-01-01", "time": "14:00"}, tools.TOO_FAR),
    ],
)
def test_what_is_missing_is_asked_for(here, arguments, said):
    assert use(here, "book_appointment", arguments) == said
    assert not here.rows("public.appointments")


def test_times_that_cannot_be_are_answered(here):
    assert "is outside opening hours. Free instead: " in use(here, "book_appointment", {"date": ISO, "time": "3:00"})
    assert "has passed. Free instead: " in use(
        here, "book_appointment", {"date": "2020-01-02", "time": "10:00"}, id_="t-2"
    )
    assert not here.rows("public.appointments")


@pytest.mark.parametrize(
    "arguments",
    [
        {"scheduledAt": f"{ISO}T14:00:00"},
        {"dateTime": f"{ISO} 14:00"},
        {"date": f"{ISO}T14:00:00"},
        {"date": ISO, "startTime": "14:00"},
        {"day": f"{DAY:%B} {DAY.day}", "time": "2pm"},
        orjson.dumps({"date": ISO, "time": "1400"}).decode(),
    ],
)
def test_dates_and_times_are_understood_as_models_give_them(here, arguments):
    assert use(here, "book_appointment", arguments).endswith("at 2 PM.")


def test_who_calls_comes_from_the_call_and_not_from_the_arguments(here):
    use(here, "book_appointment", {**BOOKING, "phone": "+14155550177", "tenantId": "x"})
    assert [row["contact_phone"] for row in here.rows("public.appointments")] == [events.CALLER]


def test_only_without_a_number_the_callers_word_counts(here):
    nameless = here.call(kind="webCall", customer={})
    assert use(here, "book_appointment", BOOKING, call=nameless) == tools.WHICH_NUMBER
    use(here, "book_appointment", {**BOOKING, "phone": "(415) 555-0177"}, id_="t-2", call=nameless)
    assert [row["contact_phone"] for row in here.rows("public.appointments")] == ["+14155550177"]


def test_free_times_are_said(here, recorder):
    said = use(here, "check_availability", {"date": ISO})
    assert said.startswith(f"On {DAY:%A}, {DAY:%B} {DAY.day} these are free: 9 AM, ")
    assert (
        use(here, "checkAvailability", {"date": ISO, "time": "10:15"})
        == f"Yes, {DAY:%A}, {DAY:%B} {DAY.day} at 10:15 AM is free."
    )
    assert recorder.last == ["POST rpc/tool_available_slots"]
    assert use(here, "check_availability", {"date": ISO, "time": "23:00"}).startswith("No, but on ")
    assert use(here, "check_availability", {"date": "2020-01-02"}).endswith("has passed. Please ask for another day.")
    assert use(here, "check_availability", {"date": "9999-12-31"}) == tools.TOO_FAR
    assert use(here, "check_availability", {}) == tools.WHICH_DAY


def test_after_a_full_day_the_next_ones_are_offered(here, factory):
    start = datetime.combine(DAY, datetime.min.time(), ZONE)
    factory.insert(
        "public.appointments",
        org_id=here.org_id,
        service_type="Closed",
        scheduled_at=start.astimezone(UTC),
        duration_minutes=1440,
    )
    said = use(here, "check_availability", {"date": ISO})
    following = DAY + timedelta(days=1)
    assert said.startswith(f"Nothing is free on {DAY:%A}, {DAY:%B} {DAY.day}. On {following:%A}, ")


def test_a_caller_is_looked_up_by_the_number_they_call_from(here, factory):
    assert "is new" in use(here, "look_up_caller", {})
    factory.insert("public.contacts", org_id=here.org_id, name="Maria Santos", phone=events.CALLER)
    factory.insert("public.contacts", org_id=here.org_id, name="Somebody Else", phone="+14155550177")
    use(here, "book_appointment", BOOKING)

    said = use(here, "lookupCaller", {"phone": "+14155550177"}, id_="t-2")

    when = f"{DAY:%A}, {DAY:%B} {DAY.day} at 2 PM"
    assert said == f"The caller is known as Maria Santos. Their next appointment is on {when}: Botox."
    assert "withheld" in use(here, "look_up_caller", {"phone": "+14155550177"}, call=here.call(customer={}))


def test_the_clinic_is_told_of_a_hot_lead_once_a_call(here, factory):
    factory.insert("public.integration_settings", org_id=here.org_id, hot_lead_alert_phone="+14155550188")
    arguments = {
        "leadName": "Maria Santos",
        "serviceInterest": "Facelift",
        "urgency": "High",
        "summary": "Maria Santos wants a facelift.",
    }

    for id_ in ("t-1", "t-1", "t-2"):
        assert (
            use(here, "notify_hot_lead", arguments, id_=id_)
            == "The clinic has been told and will call back as soon as possible."
        )
    here.send(events.report(here.call()))

    (alert,) = here.rows("public.hot_lead_alerts")
    assert (alert["lead_name"], alert["lead_phone"], alert["urgency_level"]) == ("Maria Santos", events.CALLER, "high")
    assert "Santos" not in alert["summary"]
    (text,) = here.rows("public.messages")
    assert (text["recipient"], text["status"]) == ("+14155550188", "pending")


def test_a_tools_text_is_sent_at_once(here, factory):
    integration = {"twilio_account_sid": "AC1", "twilio_from_number": here.number, "hot_lead_alert_phone": here.number}
    factory.insert("public.integration_settings", org_id=here.org_id, **integration)
    told = []

    def listen(_sender):
        told.append(len(here.rows("public.messages")))

    text_queued.connect(listen)
    for id_ in ("t-1", "t-1"):
        use(here, "book_appointment", BOOKING, id_=id_)
        use(here, "notify_hot_lead", {"leadName": "Maria Santos"}, id_=f"{id_}-lead")
    text_queued.disconnect(listen)

    assert told == [1, 2]


def test_several_calls_are_answered_one_by_one(here):
    reply = here.send(
        events.tool_calls(
            ("a", "check_availability", {"date": ISO}),
            ("b", "make_coffee", {}),
            ("c", "book_appointment", BOOKING),
            call_=here.call(),
        )
    )
    said = {result["toolCallId"]: result["result"] for result in reply.json["results"]}
    assert list(said) == ["a", "b", "c"]
    assert said["b"] == tool_calls.UNKNOWN
    assert said["c"].startswith("Done: ")


def test_the_form_of_before_is_answered_in_its_own_form(here):
    payload = events.envelope(
        "function-call", here.call(), functionCall={"name": "book_appointment", "parameters": BOOKING}
    )
    said = [here.send(payload).json["result"] for _ in range(2)]
    assert said[0].startswith("Done: ")
    assert said[0] == said[1]
    assert len(here.rows("public.appointments")) == 1


def test_a_tool_calls_message_of_another_shape_is_refused(here):
    assert here.send(events.envelope("tool-calls", here.call(), toolCallList={"id": "x"})).status_code == 400


def test_while_the_database_is_away_the_caller_hears_so_and_nothing_counts_as_done(app_with, factory):
    app = app_with()
    here = clinic(factory, app=app)
    here.send(events.status_update("ringing", here.call()))
    pool = app.extensions["voxanne.supabase"]
    base, pool._base = pool._base, "http://127.0.0.1:9"

    assert use(here, "book_appointment", BOOKING) == tool_calls.AWAY

    pool._base = base
    assert use(here, "book_appointment", BOOKING).startswith("Done: ")


def test_a_trouble_of_our_own_is_a_sentence_too(here, monkeypatch, caplog):
    def broken(*_args, **_kwargs):
        raise KeyError("Maria Santos")

    monkeypatch.setattr("voxanne.queries.tools.book", broken)
    assert use(here, "book_appointment", BOOKING) == tool_calls.BROKEN
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["tool call failed"]


def test_the_caller_gets_a_text_where_the_clinic_can_send_one(here, factory):
    factory.insert(
        "public.integration_settings", org_id=here.org_id, twilio_account_sid="AC1", twilio_from_number=here.number
    )
    said = use(here, "book_appointment", BOOKING)
    assert said.endswith("The caller gets a text message to confirm it.")
    (text,) = here.rows("public.messages")
    assert text["recipient"] == events.CALLER
    assert "your Botox is booked for" in text["content"]


def test_a_nul_within_the_arguments_text_does_not_cost_the_booking(here):
    said = use(here, "book_appointment", orjson.dumps({**BOOKING, "patientName": "Maria\x00 Santos"}).decode())

    assert said.startswith("Done:")
    assert here.rows("public.appointments")[0]["customer_name"] == "Maria Santos"


@pytest.mark.parametrize(
    "odd",
    [
        {"timestamp": "soon"}, {"customer": "+14155550142"}, {"artifact": {"messages": [{"message": "no role"}]}},
        {"status": {}}, {"messages": "Hello"},
    ],
)  # fmt: skip
def test_what_an_answer_does_not_need_may_be_anything(here, odd):
    event = events.tool_calls(("t-1", "check_availability", {"date": ISO}), call_=here.call())
    event["message"] |= odd

    reply = here.send(event)

    assert reply.status_code == 200
    assert f"{DAY:%B} {DAY.day}" in reply.json["results"][0]["result"]


def test_arguments_without_end_are_told_to_be_no_tool_call(here):
    nested = '{"a":' * 300 + "1" + "}" * 300
    event = events.tool_calls((None, "book_appointment", nested), call_=here.call())

    assert here.send(event).status_code == 400
