"""GET /api/analytics: pulse, leads and recent activity; what the home page reads of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.factories import Factory

PULSE, LEADS, ACTIVITY = (f"/api/analytics/{name}" for name in ("dashboard-pulse", "leads", "recent-activity"))
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def contact(factory: Factory, org_id: str, **values: Any) -> str:
    return factory.insert(
        "public.contacts", **{"org_id": org_id, "name": "Ada Byron", "phone": "+442071234567", **values}
    )


def test_the_pulse_of_an_empty_organisation_is_all_zeros(factory: Factory) -> None:
    caller = factory.caller("viewer")
    pulse = caller.get(PULSE).json

    assert pulse.pop("org_id") == caller.org_id
    assert set(pulse.values()) == {0}
    assert len(pulse) == 9


def test_the_pulse_counts_both_directions(factory: Factory) -> None:
    """D-16: inbound calls live in a table of their own and were not counted."""
    caller = factory.caller()
    for _ in range(3):
        factory.call(caller.org_id, duration_seconds=100, lead_temp="hot", financial_value=250, sentiment_score=0.5)
    factory.call(caller.org_id, "outbound", duration_seconds=101, booking_confirmed=True)
    factory.call(caller.org_id, is_test_call=True, lead_temp="hot")
    factory.insert("public.appointments", org_id=caller.org_id, service_type="Botox", scheduled_at=NOON)

    assert caller.get(PULSE).json == {
        "org_id": caller.org_id,
        "total_calls": 4,
        "inbound_calls": 3,
        "outbound_calls": 1,
        "avg_duration_seconds": 100,
        "success_rate": 33.3,
        "pipeline_value": 750,
        "hot_leads_count": 3,
        "appointments_booked": 1,
        "avg_sentiment": 0.5,
    }


def test_a_success_rate_never_passes_100(factory: Factory) -> None:
    caller = factory.caller()
    factory.call(caller.org_id)
    for _ in range(2):
        factory.call(caller.org_id, "outbound", booking_confirmed=True)

    assert caller.get(PULSE).json["success_rate"] == 100


def test_leads_come_hot_first_then_newest_with_what_the_page_reads(factory: Factory) -> None:
    """D-24: the page reads contact_name and created_at, which the original never sent; and "cold", not "cool"."""
    caller = factory.caller(timezone="America/New_York")
    ada = contact(factory, caller.org_id)
    old = factory.call(caller.org_id, at=NOON, lead_temp="hot", caller_name="A. B.", contact_id=ada,
                       sentiment_summary="Wants Botox", duration_seconds=61, financial_value=400,
                       booking_confirmed=True, procedure_intent="botox", sentiment_score=0.9)  # fmt: skip
    new = factory.call(caller.org_id, "outbound", at=NOON + HOUR, lead_temp="hot", phone_number=None, caller_name=" ")
    warm = factory.call(caller.org_id, at=NOON + 2 * HOUR, lead_temp="warm")
    cold = factory.call(caller.org_id, at=NOON + 3 * HOUR, lead_temp="cold")
    for hidden in ({}, {"lead_temp": "hot", "is_test_call": True}, {"lead_temp": "hot", "deleted_at": NOON}):
        factory.call(caller.org_id, **hidden)
    factory.call(factory.org(), lead_temp="hot")

    leads = caller.get(LEADS).json["leads"]

    assert [lead["id"] for lead in leads] == [new, old, warm, cold]
    advice = [lead["recommended_action"] for lead in leads]
    assert advice == ["Urgent Callback", "Urgent Callback", "Follow-up SMS", "Archive"]
    assert (leads[0]["contact_name"], leads[0]["phone_number"], leads[0]["direction"]) == ("Unknown",) * 2 + (
        "outbound",
    )
    assert leads[1] == {
        "id": old, "contact_id": ada, "contact_name": "Ada Byron", "patient_name": "Ada Byron",
        "phone_number": "+14155550123", "created_at": "2026-03-10T12:00:00+00:00", "formatted_date": "Mar 10, 08:00",
        "duration": 61, "direction": "inbound", "status": "completed", "sentiment_score": 0.9,
        "last_call_summary": "Wants Botox", "lead_temp": "hot", "procedure_intent": "botox", "financial_value": 400,
        "recommended_action": "Urgent Callback", "is_booked": True,
    }  # fmt: skip


def test_many_hot_leads_leave_room_for_warm_and_cold_ones(factory: Factory) -> None:
    caller = factory.caller()
    for lead_temp in ("cold", "warm", "hot"):
        factory.sql.execute(
            "insert into public.calls (org_id, lead_temp, call_date) "
            "select %s, %s, %s + n * interval '1 minute' from generate_series(1, 120) as n",
            [caller.org_id, lead_temp, NOON],
        )

    leads = caller.get(LEADS).json["leads"]

    found = [(lead["lead_temp"], datetime.fromisoformat(lead["created_at"])) for lead in leads]
    wanted = {"hot": 100, "warm": 100, "cold": 50}
    assert found == [(kind, NOON + timedelta(minutes=120 - n)) for kind, most in wanted.items() for n in range(most)]


def test_recent_activity_tells_of_calls_hot_leads_and_bookings(factory: Factory) -> None:
    """D-11: bookings were looked for by a status that was none, and never shown."""
    caller = factory.caller()
    ada = contact(factory, caller.org_id)
    call = factory.call(caller.org_id, at=NOON, contact_id=ada, duration_seconds=185, sentiment_label="positive",
                        sentiment_summary="Glad", sentiment_urgency="High")  # fmt: skip
    dialled = factory.call(caller.org_id, "outbound", at=NOON - HOUR, caller_name="Bob", duration_seconds=59)
    lead = factory.insert(
        "public.hot_lead_alerts", org_id=caller.org_id, call_id=call, lead_name="Ada", lead_phone="+442071234567",
        service_interest="Botox", lead_score=91, created_at=NOON + HOUR,
    )  # fmt: skip
    slots = {"service_type": "Facial", "contact_id": ada, "org_id": caller.org_id, "created_at": NOON + 2 * HOUR}
    booked = factory.insert("public.appointments", **slots, scheduled_at=NOON + 99 * HOUR, status="scheduled")
    factory.insert("public.appointments", **slots, scheduled_at=NOON + 88 * HOUR, status="cancelled")

    events = caller.get(ACTIVITY).json["events"]

    assert [(event["id"], event["type"]) for event in events] == [
        (f"appointment_{booked}", "appointment_booked"),
        (f"hotlead_{lead}", "hot_lead_detected"),
        (f"call_{call}", "call_completed"),
        (f"call_{dialled}", "call_completed"),
    ]
    assert [event["summary"] for event in events] == [
        "📅 Facial booked for Ada Byron",
        "🔥 Hot lead: Ada is interested in Botox",
        "Call from Ada Byron (3 min)",
        "Call to Bob (0 min)",
    ]
    assert events[0]["timestamp"] == "2026-03-10T14:00:00+00:00"
    assert [event["metadata"] for event in events[:3]] == [
        {"customer_name": "Ada Byron", "scheduled_at": "2026-03-14T15:00:00+00:00", "contact_phone": "+442071234567",
         "service_type": "Facial"},
        {"lead_name": "Ada", "lead_phone": "+442071234567", "service_interest": "Botox", "lead_score": 91,
         "call_id": call},
        {"caller_name": "Ada Byron", "call_direction": "inbound", "duration_seconds": 185, "sentiment": "positive",
         "sentiment_label": "positive", "sentiment_summary": "Glad", "sentiment_urgency": "High"},
    ]  # fmt: skip


def test_nobody_is_named_unknown(factory: Factory) -> None:
    caller = factory.caller()
    factory.call(caller.org_id)
    factory.insert("public.appointments", org_id=caller.org_id, service_type="Facial", scheduled_at=NOON)

    summaries = {event["summary"] for event in caller.get(ACTIVITY).json["events"]}
    assert summaries == {"Call from Unknown (0 min)", "📅 Facial booked for Unknown"}


@pytest.mark.parametrize("window", [{}, {"timeWindow": "7d"}], ids=str)
def test_dashboard_stats_are_the_statistics_of_the_calls_dashboard(factory: Factory, window: dict[str, str]) -> None:
    caller = factory.caller()
    factory.call(caller.org_id, duration_seconds=10)
    paths = ("/api/analytics/dashboard-stats", "/api/calls-dashboard/stats")

    replies = [caller.get(path, **window).json for path in paths]

    assert replies[0] == replies[1]
    assert caller.get(paths[0], timeWindow="1y").status_code == 400
