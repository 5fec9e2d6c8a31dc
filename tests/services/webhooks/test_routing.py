"""Whose an event is, and that whoever changes it is believed at once."""

import orjson
import pytest

from tests.conftest import WEBHOOK_SECRET
from tests.services.webhooks import events
from tests.services.webhooks.clinic import clinic, post
from voxanne import database
from voxanne.cache import ASSISTANT_ORG, cache
from voxanne.services.webhooks import routing
from voxanne.services.webhooks.envelope import Event
from voxanne.services.webhooks.tools import BY_NAME


def whose(app, **known):
    """The organisation, and what asking took."""
    with app.test_request_context():
        return routing.organization_for(Event("status-update", **known)), database.request_log().count


def test_the_assistant_counts_before_the_number(factory):
    one, other = clinic(factory), clinic(factory)

    assert whose(factory.app, assistant_id=one.assistant, our_number=other.number) == (one.org_id, 1)
    assert whose(factory.app, assistant_id=one.assistant, our_number=other.number) == (one.org_id, 0)
    assert whose(factory.app, assistant_id="asst-gone", our_number=other.number)[0] == other.org_id


def test_nobody_is_an_answer_that_is_cached(factory):
    known = {"assistant_id": "asst-nobody-has", "phone_number_id": "pn-nobody-has", "our_number": "+14155551999"}

    assert whose(factory.app, **known) == (None, 3)
    assert whose(factory.app, **known) == (None, 0)
    assert whose(factory.app) == (None, 0)


def test_what_is_no_number_is_not_asked_for(factory):
    assert whose(factory.app, our_number="sip:desk@example.com") == (None, 0)


@pytest.mark.parametrize("answer", ["its assistant", "its own number"])
def test_a_new_assistant_or_number_of_the_console_is_known_at_once(factory, answer):
    owner = factory.caller()
    number = "+14155551777" if answer == "its own number" else None
    owner.post("/api/founder-console/settings", json={"vapi_api_key": "a-key-of-the-clinic"})
    if number:
        assert whose(factory.app, our_number=number)[0] is None
        owner.post("/api/founder-console/settings", json={"twilio_from_number": number})
        assert whose(factory.app, our_number=number)[0] == owner.org_id
        return

    reply = owner.post("/api/founder-console/agent/behavior", json={"inbound": {"name": "Eve"}})

    (told,) = reply.json["vapiAssistantIds"]
    assert whose(factory.app, assistant_id=told["vapiAssistantId"])[0] == owner.org_id


def test_a_new_assistant_is_known_though_it_was_nobodys(factory, monkeypatch):
    """An event of it can come before it is stored whose it is."""
    owner = factory.caller()
    owner.post("/api/founder-console/settings", json={"vapi_api_key": "a-key-of-the-clinic"})
    provider = factory.app.extensions["voxanne.vapi"]
    create = type(provider).create_assistant

    def create_and_ask(self, key, assistant):
        made = create(self, key, assistant)
        assert whose(factory.app, assistant_id=made["id"])[0] is None
        return made

    monkeypatch.setattr(type(provider), "create_assistant", create_and_ask)
    reply = owner.post("/api/founder-console/agent/behavior", json={"inbound": {"name": "Eve"}})

    (told,) = reply.json["vapiAssistantIds"]
    assert whose(factory.app, assistant_id=told["vapiAssistantId"])[0] == owner.org_id


def test_a_number_that_is_added_or_taken_out_is_believed_at_once(factory):
    owner, number = factory.caller(), "+14155551778"
    assert whose(factory.app, our_number=number)[0] is None

    saved = owner.post("/api/inbound/phone-mappings", json={"inbound_phone_number": number}).json["mapping"]
    assert whose(factory.app, our_number=number)[0] == owner.org_id
    owner.delete(f"/api/inbound/phone-mappings/{saved['id']}")
    assert whose(factory.app, our_number=number)[0] is None


def test_a_number_that_one_clinic_gave_up_past_the_program_is_the_next_ones_at_once(factory):
    former, next_one, number, phone_id = factory.caller(), factory.caller(), "+14155551779", "pn-handed-on"
    mapping = {"inbound_phone_number": number, "vapi_phone_number_id": phone_id}
    factory.insert("public.phone_number_mapping", org_id=former.org_id, **mapping)
    for known in ({"our_number": number}, {"phone_number_id": phone_id}):
        assert whose(factory.app, **known)[0] == former.org_id
    factory.sql.execute("delete from public.phone_number_mapping where org_id = %s", [former.org_id])

    assert next_one.post("/api/inbound/phone-mappings", json=mapping).status_code == 200

    for known in ({"our_number": number}, {"phone_number_id": phone_id}):
        assert whose(factory.app, **known)[0] == next_one.org_id


def test_a_number_that_the_settings_take_over_is_theirs_at_once(factory):
    former, next_one, number = factory.caller(), factory.caller(), "+14155551780"
    factory.insert("public.phone_number_mapping", org_id=former.org_id, inbound_phone_number=number)
    assert whose(factory.app, our_number=number)[0] == former.org_id
    factory.sql.execute("delete from public.phone_number_mapping where org_id = %s", [former.org_id])

    next_one.post("/api/founder-console/settings", json={"twilio_from_number": number})

    assert whose(factory.app, our_number=number)[0] == next_one.org_id


def test_an_assistant_that_is_not_served_stale_beyond_its_life_is_asked_for_again(factory):
    here = clinic(factory)
    whose(factory.app, assistant_id=here.assistant)
    with factory.app.app_context():
        cache.drop(ASSISTANT_ORG, here.assistant)
    assert whose(factory.app, assistant_id=here.assistant) == (here.org_id, 1)


def test_an_event_of_a_deleted_clinic_is_nobodys(factory):
    here = clinic(factory, status="deleted")
    assert here.send(events.status_update("ringing", here.call())).status_code == 404
    factory.insert(
        "public.phone_number_mapping",
        org_id=here.org_id,
        inbound_phone_number=here.number,
        vapi_phone_number_id=f"pn-{here.call_id}",
    )
    call = here.call(assistant=None, phoneNumberId=f"pn-{here.call_id}")
    assert here.send(events.status_update("ringing", call)).status_code == 404


@pytest.mark.parametrize("own", [None, "a-secret-of-this-clinic-alone,the-one-before-it"])
def test_an_assistant_is_told_a_secret_by_which_its_events_are_known(factory, monkeypatch, own):
    owner, asked = factory.caller(), []
    settings = {"vapi_api_key": "a-key-of-the-clinic", **({"vapi_webhook_secret": own} if own else {})}
    assert owner.post("/api/founder-console/settings", json=settings).status_code == 200
    provider = type(factory.app.extensions["voxanne.vapi"])
    create = provider.create_assistant
    monkeypatch.setattr(
        provider, "create_assistant", lambda self, key, new: asked.append(new) or create(self, key, new)
    )
    owner.post("/api/founder-console/agent/behavior", json={"inbound": {"name": "Eve"}})

    (assistant,) = asked
    secret, tools = assistant["server"]["secret"], assistant["model"]["tools"]
    assert (secret == "a-secret-of-this-clinic-alone") == bool(own)
    assert secret != WEBHOOK_SECRET
    assert assistant["serverMessages"] == ["tool-calls", "status-update", "end-of-call-report"]
    assert {bare(tool["function"]["name"]) for tool in tools} <= set(BY_NAME)
    mapped = factory.sql.execute(
        "select vapi_assistant_id from public.agents where org_id = %s", [owner.org_id]
    ).fetchone()
    call = events.call(f"call-{owner.org_id}", assistant=mapped["vapi_assistant_id"])
    body = orjson.dumps(events.status_update("ringing", call))
    assert post(factory.app, body, {"X-Vapi-Secret": secret}).json["outcome"] == "applied"
    shown = owner.get("/api/founder-console/settings").json["vapiWebhookSecret"]
    assert ("•" in shown) == bool(own)
    assert own is None or own not in shown


def bare(name):
    return name.replace("_", "")
