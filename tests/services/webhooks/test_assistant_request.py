"""Who answers a call that comes in, and what they may know of the caller."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.services.webhooks import events
from tests.services.webhooks.clinic import clinic
from voxanne.services.webhooks import assistant_request


@pytest.fixture
def here(factory):
    return clinic(factory, name="Smile Clinic")


def ask(here, **call):
    reply = here.send(events.assistant_request(here.call(**{"assistant": None, **call})))
    assert reply.status_code == 200
    return reply.json


def test_the_inbound_assistant_answers_and_knows_who_calls(here, factory, recorder):
    contact = factory.insert("public.contacts", org_id=here.org_id, name="Maria Santos", phone=events.CALLER)
    at = (datetime.now(UTC) + timedelta(days=2)).replace(hour=15, minute=30, second=0, microsecond=0)
    factory.insert(
        "public.appointments",
        org_id=here.org_id,
        contact_id=contact,
        service_type="Botox",
        scheduled_at=at,
        status="confirmed",
    )
    local = at.astimezone(ZoneInfo("America/New_York"))

    for _ in range(2):
        reply = ask(here)

    assert reply["assistantId"] == here.assistant
    values = reply["assistantOverrides"]["variableValues"]
    assert values["callerName"] == "Maria Santos"
    assert values["callerKnown"] == "yes"
    assert values["clinicName"] == "Smile Clinic"
    assert (
        values["nextAppointment"]
        == f"Botox on {local:%A}, {local:%B} {local.day} at {local.hour % 12 or 12}:30 {local:%p}"
    )
    assert recorder.last == ["POST rpc/tool_find_caller"]


def test_a_stranger_fills_every_placeholder_with_nothing(here, factory):
    reply = ask(here)
    values = reply["assistantOverrides"]["variableValues"]
    assert (values["callerKnown"], values["callerName"], values["nextAppointment"]) == ("no", "", "")
    assert values["today"]
    assert not here.rows("public.contacts")


def test_a_caller_without_a_number_is_not_looked_up(here, recorder):
    ask(here)
    assert ask(here, customer={"number": "anonymous"})["assistantId"] == here.assistant
    assert recorder.last == []


@pytest.mark.parametrize(
    "change",
    [
        "update public.inbound_agent_config set is_active = false where org_id = %s",
        "update public.agents set active = false where org_id = %s",
        "update public.organizations set status = 'suspended' where id = %s",
        "delete from public.inbound_agent_config where org_id = %s",
    ],
)
def test_without_an_active_assistant_the_caller_hears_a_sentence(here, factory, change):
    factory.insert("public.phone_number_mapping", org_id=here.org_id, inbound_phone_number=here.number)
    factory.sql.execute(change, [here.org_id])

    assert ask(here) == {"error": assistant_request.NOBODY}


def test_callers_of_two_clinics_are_told_apart(here, factory):
    other = clinic(factory)
    factory.insert("public.contacts", org_id=other.org_id, name="Maria Santos", phone=events.CALLER)

    assert ask(here)["assistantOverrides"]["variableValues"]["callerName"] == ""
    assert ask(other)["assistantId"] == other.assistant


def test_with_a_warm_cache_a_call_is_answered_while_the_database_is_away(app_with, factory):
    app = app_with()
    here = clinic(factory, app=app)
    factory.insert("public.contacts", org_id=here.org_id, name="Maria Santos", phone=events.CALLER)
    assert ask(here)["assistantOverrides"]["variableValues"]["callerName"] == "Maria Santos"
    app.extensions["voxanne.supabase"]._base = "http://127.0.0.1:9"

    reply = ask(here)

    assert reply["assistantId"] == here.assistant
    assert reply["assistantOverrides"]["variableValues"]["callerName"] == ""


def test_with_a_cold_cache_the_caller_hears_a_sentence_while_the_database_is_away(app_with, factory):
    app = app_with()
    here = clinic(factory, app=app)
    app.extensions["voxanne.supabase"]._base = "http://127.0.0.1:9"

    assert ask(here) == {"error": assistant_request.NOBODY}


def test_a_trouble_of_our_own_does_not_keep_the_assistant_from_answering(here, monkeypatch, caplog):
    def broken(*_args, **_kwargs):
        raise KeyError("Maria Santos")

    monkeypatch.setattr("voxanne.queries.tools.find_caller", broken)
    reply = ask(here)

    assert reply["assistantId"] == here.assistant
    values = reply["assistantOverrides"]["variableValues"]
    assert (values["clinicName"], values["callerKnown"]) == ("Smile Clinic", "no")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["caller can't be looked up"]


@pytest.mark.parametrize("at", ["20261-12-01 10:00+00", "9999-12-31 23:30-10"])
def test_an_appointment_of_another_age_does_not_keep_the_assistant_from_answering(here, factory, at):
    """A browser's date field takes years of five figures."""
    contact = factory.insert("public.contacts", org_id=here.org_id, name="Maria Santos", phone=events.CALLER)
    factory.insert(
        "public.appointments", org_id=here.org_id, contact_id=contact, service_type="Botox", scheduled_at=at,
        status="confirmed",
    )  # fmt: skip

    assert ask(here)["assistantId"] == here.assistant
