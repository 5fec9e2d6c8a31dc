"""Ids of the voice provider: an organisation names its own, and no way leads to another's."""

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from tests.blocked import wait_until_blocked
from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory
from voxanne import create_app
from voxanne.integrations.vapi import VapiError, VapiKeyRefused, VapiNotFound, VapiUnreachable
from voxanne.services import phone_mappings

SETTINGS, BEHAVIOR = "/api/founder-console/settings", "/api/founder-console/agent/behavior"
MAPPINGS = "/api/inbound/phone-mappings"
PLATFORM_KEY = "the-key-of-the-platform"
TWILIO = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": "a-token-of-the-clinic"}
_numbers = itertools.count(8_000_000)


def number() -> str:
    return f"+1415{next(_numbers)}"


def key_of(caller: Caller) -> str:
    return f"key-of-{caller.org_id}"


def clinic(factory: Factory) -> Caller:
    """An administrator of an organisation with a key of its own, and a number that the provider knows by an id."""
    caller = factory.caller("admin")
    factory.insert("public.agents", org_id=caller.org_id, role="inbound", name="Eve")
    body = {**TWILIO, "vapi_api_key": key_of(caller), "twilio_from_number": number()}
    reply = caller.post(SETTINGS, body)
    assert reply.json["phoneNumberConnected"] is True, reply.json
    return caller


def settings_of(factory: Factory, caller: Caller) -> dict[str, Any]:
    query = "select * from public.integration_settings where org_id = %s"
    return factory.sql.execute(query, [caller.org_id]).fetchone() or {}


def outbound(factory: Factory, caller: Caller) -> str | None:
    query = "select vapi_phone_number_id as id from public.agents where org_id = %s and role = 'outbound'"
    row = factory.sql.execute(query, [caller.org_id]).fetchone()
    return row["id"] if row else None


def call_out_from(caller: Caller, phone_id: str):
    return caller.post(BEHAVIOR, {"outbound": {"name": "Olaf", "vapiPhoneNumberId": phone_id}})


def rest(factory: Factory, caller: Caller, method: str, path: str, body: Any) -> httpx.Response:
    settings = factory.settings
    headers = {
        "apikey": settings.supabase_publishable_key.get_secret_value(),
        "Authorization": f"Bearer {caller.token}",
    }
    return httpx.request(method, f"{settings.supabase_base}/rest/v1/{path}", json=body, headers=headers)


def test_another_clinics_number_is_as_unknown_as_one_that_nobody_has(factory: Factory, fake) -> None:
    ours, theirs = clinic(factory), clinic(factory)
    foreign = settings_of(factory, theirs)["vapi_phone_number_id"]
    bodies = []

    for phone_id in (foreign, str(uuid.uuid4())):
        reply = call_out_from(ours, phone_id)
        assert (reply.status_code, reply.json["code"]) == (404, "PHONE_NUMBER_NOT_FOUND")
        assert phone_id not in reply.text
        bodies.append({**reply.json, "request_id": None})

    assert bodies[0] == bodies[1]
    assert outbound(factory, ours) is None, "nothing is saved"


def test_ones_own_numbers_can_be_called_out_from(factory: Factory, fake) -> None:
    caller, spare = clinic(factory), str(uuid.uuid4())
    caller.post(MAPPINGS, {"inbound_phone_number": number(), "vapi_phone_number_id": spare})
    in_its_account = fake.import_phone_number(key_of(caller), {"number": number()})["id"]

    for phone_id in (settings_of(factory, caller)["vapi_phone_number_id"], spare, in_its_account, in_its_account):
        fake.calls.clear()
        reply = call_out_from(caller, phone_id)
        assert reply.status_code == 200, reply.json
        assert outbound(factory, caller) == phone_id
    assert "list_phone_numbers" not in [name for name, _ in fake.calls], "what is known already is not asked about"


def test_that_the_platforms_account_has_a_number_proves_nothing(factory: Factory) -> None:
    """It holds the numbers of all organisations without a key of their own."""
    app = create_app(settings_for_tests(vapi_private_key=PLATFORM_KEY))
    provider = app.extensions["voxanne.vapi"]
    ours, theirs = factory.caller("admin"), factory.caller("admin")
    for caller in (ours, theirs):
        caller.app = app
        reply = caller.post(SETTINGS, {**TWILIO, "twilio_from_number": number()})
        assert reply.json["phoneNumberConnected"] is True, reply.json
    foreign = settings_of(factory, theirs)["vapi_phone_number_id"]
    nobodys = provider.import_phone_number(PLATFORM_KEY, {"number": number()})["id"]

    for phone_id in (foreign, nobodys):
        assert call_out_from(ours, phone_id).status_code == 404
    assert call_out_from(ours, settings_of(factory, ours)["vapi_phone_number_id"]).status_code == 200


def test_an_id_in_ones_own_account_that_another_clinic_has_is_refused(factory: Factory, fake) -> None:
    """Two clinics may use one account; the number is the one's that has connected it."""
    theirs, ours = clinic(factory), factory.caller("admin")
    ours.post(SETTINGS, {"vapi_api_key": key_of(theirs)})

    reply = call_out_from(ours, settings_of(factory, theirs)["vapi_phone_number_id"])

    assert (reply.status_code, reply.json["code"]) == (409, "PROVIDER_ID_IN_USE")
    assert outbound(factory, ours) is None


def test_an_assistant_of_ones_own_account_can_be_named_and_anothers_cannot(factory: Factory, fake) -> None:
    ours, theirs = clinic(factory), clinic(factory)
    query = "select vapi_assistant_id as id from public.agents where org_id = %s"
    foreign = factory.sql.execute(query, [theirs.org_id]).fetchone()["id"]
    mine = f"assistant-{uuid.uuid4()}"

    assert ours.post(SETTINGS, {"vapi_assistant_id": mine}).status_code == 200
    refused = ours.post(SETTINGS, {"vapi_assistant_id": foreign})
    fake.fail(VapiNotFound())
    missing = ours.post(SETTINGS, {"vapi_assistant_id": f"assistant-{uuid.uuid4()}", "vapi_webhook_secret": "x" * 20})

    assert (refused.status_code, refused.json["code"]) == (409, "PROVIDER_ID_IN_USE")
    assert (missing.status_code, missing.json["code"]) == (404, "ASSISTANT_NOT_FOUND")
    assert ours.get(SETTINGS).json["vapiAssistantId"] == mine
    assert ours.get(SETTINGS).json["vapiWebhookSecret"] == "", "nothing is saved"


def test_without_a_key_of_its_own_an_organisation_names_no_assistant(factory: Factory, fake) -> None:
    caller = factory.caller("admin")

    reply = caller.post(SETTINGS, {"vapi_assistant_id": f"assistant-{uuid.uuid4()}"})
    both = caller.post(SETTINGS, {"vapi_assistant_id": f"assistant-{uuid.uuid4()}", "vapi_api_key": key_of(caller)})

    assert (reply.status_code, both.status_code) == (404, 200), "the key that comes along counts"


@pytest.mark.parametrize("error", [VapiUnreachable(), VapiKeyRefused()], ids=lambda error: error.reason)
def test_while_the_provider_cannot_say_nothing_is_saved(factory: Factory, fake, error: VapiError) -> None:
    caller = clinic(factory)
    fake.fail(error)

    reply = call_out_from(caller, str(uuid.uuid4()))

    assert (reply.status_code, reply.json["code"]) == (502, "PROVIDER_ERROR")
    assert "saved" not in reply.json
    assert outbound(factory, caller) is None


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("agents", "vapi_assistant_id"), ("agents", "vapi_phone_number_id"),
        ("inbound_agent_config", "vapi_assistant_id"), ("inbound_agent_config", "vapi_phone_number_id"),
        ("inbound_agent_config", "twilio_phone_number"), ("outbound_agent_config", "vapi_phone_number_id"),
        ("integration_settings", "vapi_assistant_id"), ("integration_settings", "vapi_phone_number_id"),
        ("integration_settings", "twilio_from_number"), ("assistant_org_mapping", "vapi_assistant_id"),
        ("org_credentials", "metadata"),
    ],
)  # fmt: skip
def test_a_browser_cannot_write_past_the_api(factory: Factory, fake, table: str, column: str) -> None:
    owner = factory.member(clinic(factory).org_id, "owner")
    value = {"masked": "text"} if column == "metadata" else number()

    changed = rest(factory, owner, "PATCH", f"{table}?org_id=eq.{owner.org_id}", {column: value})
    added = rest(factory, owner, "POST", table, {"org_id": owner.org_id, column: value})

    assert [(one.status_code, one.json()["code"]) for one in (changed, added)] == [(403, "42501")] * 2


def test_nor_by_calling_the_functions_that_the_api_calls(factory: Factory, fake) -> None:
    owner, theirs = factory.member(clinic(factory).org_id, "owner"), clinic(factory)
    foreign, before = settings_of(factory, theirs)["vapi_phone_number_id"], settings_of(factory, owner)
    agents = {"inbound": {"vapi_phone_number_id": foreign}}
    whole = {"p_org_id": owner.org_id, "p_settings": {}, "p_secrets": {}, "p_masked": {}}

    synced = rest(
        factory, owner, "POST", "rpc/record_provider_sync",
        {"p_org_id": owner.org_id, "p_agents": [], "p_phone_number": before["twilio_from_number"],
         "p_phone_number_id": foreign},
    )  # fmt: skip
    saved = [
        rest(factory, owner, "POST", f"rpc/{function}", {**body, "p_proven": [foreign]}).json()["unproven"]["id"]
        for function, body in (
            ("save_agents", {"p_org_id": owner.org_id, "p_agents": agents}),
            ("save_org_settings", {**whole, "p_agents": agents}),
            ("save_org_settings", {**whole, "p_settings": {"vapi_assistant_id": foreign}}),
        )
    ]
    elsewhere = rest(factory, owner, "POST", "rpc/save_agents", {"p_org_id": theirs.org_id, "p_agents": {}})

    assert synced.status_code in {403, 404}
    assert saved == [foreign] * 3
    assert elsewhere.status_code == 403
    assert settings_of(factory, owner) == before


@pytest.mark.parametrize("table", ["inbound_agent_config", "integration_settings", "agents", "outbound_agent_config"])
def test_an_id_that_only_settings_name_cannot_be_mapped_by_others(factory: Factory, table: str) -> None:
    theirs, ours, phone_id = factory.caller(), factory.caller(), f"phone-{uuid.uuid4()}"
    role = {"role": "inbound", "name": "Eve"} if table == "agents" else {}
    factory.insert(f"public.{table}", org_id=theirs.org_id, vapi_phone_number_id=phone_id, **role)
    body = {"inbound_phone_number": number(), "vapi_phone_number_id": phone_id}

    reply = ours.post(MAPPINGS, body)
    direct = rest(factory, ours, "POST", "phone_number_mapping", {"org_id": ours.org_id, **body})

    assert (reply.status_code, reply.json["code"]) == (409, "NUMBER_IN_USE")
    assert (direct.status_code, direct.json()["code"]) == (409, "23505")
    assert theirs.post(MAPPINGS, body).status_code == 200


@pytest.mark.parametrize(
    ("table", "column"),
    [("inbound_agent_config", "twilio_phone_number"), ("integration_settings", "twilio_from_number")],
)
def test_a_number_that_only_settings_name_cannot_be_mapped_by_others(factory: Factory, table: str, column: str) -> None:
    theirs, ours, dialled = factory.caller(), factory.caller(), number()
    factory.insert(f"public.{table}", org_id=theirs.org_id, **{column: dialled})

    assert ours.post(MAPPINGS, {"inbound_phone_number": dialled}).status_code == 409
    assert theirs.post(MAPPINGS, {"inbound_phone_number": dialled}).status_code == 200


def test_a_mapped_number_cannot_become_anothers_settings(factory: Factory, fake) -> None:
    theirs, ours, dialled = factory.caller(), factory.caller(), number()
    mapping = theirs.post(MAPPINGS, {"inbound_phone_number": dialled}).json["mapping"]["id"]

    assert ours.post(SETTINGS, {"twilio_from_number": dialled}).status_code == 409
    theirs.delete(f"{MAPPINGS}/{mapping}")
    assert ours.post(SETTINGS, {"twilio_from_number": dialled}).status_code == 200
    assert theirs.post(MAPPINGS, {"inbound_phone_number": dialled}).status_code == 409


def routed_to(factory: Factory, phone_id: str) -> str | None:
    with factory.app.app_context():
        return phone_mappings.organization_for(phone_id)


def test_settings_and_mapping_come_and_go_together(factory: Factory, fake) -> None:
    caller = clinic(factory)
    former = settings_of(factory, caller)
    (mapping,) = caller.get(MAPPINGS).json["mappings"]
    assert mapping["inbound_phone_number"] == former["twilio_from_number"]
    assert mapping["vapi_phone_number_id"] == former["vapi_phone_number_id"]
    assert routed_to(factory, former["vapi_phone_number_id"]) == caller.org_id

    by_hand = caller.post(MAPPINGS, {"inbound_phone_number": number()}).json["mapping"]
    caller.post(SETTINGS, {"twilio_from_number": number()})
    now = settings_of(factory, caller)

    mapped = {one["inbound_phone_number"] for one in caller.get(MAPPINGS).json["mappings"]}
    assert mapped == {now["twilio_from_number"], by_hand["inbound_phone_number"]}
    assert routed_to(factory, former["vapi_phone_number_id"]) is None, "the cache was warm"
    assert routed_to(factory, now["vapi_phone_number_id"]) == caller.org_id
    other = factory.caller()
    assert other.post(MAPPINGS, {"inbound_phone_number": former["twilio_from_number"]}).status_code == 200


def test_two_organisations_that_take_a_number_at_once_do_not_both_get_it(factory: Factory, fake) -> None:
    """One by its settings and one by a mapping: no unique index sees both tables."""
    ours, theirs, dialled = factory.caller(), factory.caller(), number()
    for caller in (ours, theirs):
        assert caller.delete(f"{MAPPINGS}/{uuid.uuid4()}").status_code == 404

    with psycopg.connect(factory.sql.info.dsn, password=factory.sql.info.password) as holder:
        holder.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"number:{dialled}"])
        with ThreadPoolExecutor() as pool:
            taking = [
                pool.submit(ours.post, SETTINGS, {"twilio_from_number": dialled}),
                pool.submit(theirs.post, MAPPINGS, {"inbound_phone_number": dialled}),
            ]
            wait_until_blocked(factory.sql, holder, 2)
            holder.rollback()
            statuses = sorted(reply.result().status_code for reply in taking)

    assert statuses == [200, 409]
    claimed = "select count(distinct org_id) as organisations from public.provider_claims where value = %s"
    assert factory.sql.execute(claimed, [dialled]).fetchone() == {"organisations": 1}
