"""/api/founder-console: who I am, and the voice assistants."""

import pytest
from flask import Flask
from postgrest.exceptions import APIError

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder
from voxanne import create_app, database
from voxanne.integrations.vapi import VapiError, VapiKeyRefused, VapiUnreachable
from voxanne.queries import org_settings

CONFIG = "/api/founder-console/agent/config"
BEHAVIOR = "/api/founder-console/agent/behavior"
SETTINGS = "/api/founder-console/settings"
KEY = "marker-key-7f3a-abcd-efgh"
PROMPT = "You are Eve, the receptionist."


@pytest.fixture
def connected(factory: Factory, fake) -> Caller:
    """An administrator of an organisation with a key of the voice provider."""
    caller = factory.caller("admin")
    assert caller.post(SETTINGS, {"vapi_api_key": KEY}).status_code == 200
    fake.calls.clear()
    return caller


def agents_of(caller: Caller) -> dict[str, dict]:
    reply = caller.get(CONFIG)
    assert reply.status_code == 200, reply.json
    return {agent["role"]: agent for agent in reply.json["agents"]}


def rows(factory: Factory, table: str, org_id: str) -> list[dict]:
    return factory.sql.execute(f"select * from public.{table} where org_id = %s", [org_id]).fetchall()


def test_me(factory: Factory, recorder: RequestRecorder) -> None:
    caller = factory.caller("viewer")

    reply = caller.get("/api/founder-console/me")

    assert reply.json == {"id": caller.user_id, "email": f"{caller.user_id}@clinic.example", "orgId": caller.org_id}
    assert recorder.last == []


def test_voices_are_open_to_all_and_come_from_one_list(app: Flask) -> None:
    client = app.test_client()
    console = client.get("/api/founder-console/voices").json
    offered = client.get("/api/assistants/voices/available").json["voices"]

    assert (console["provider"], console["default"]) == ("vapi", "Rohan")
    assert {"Rohan", "Elliot", "Savannah"} <= {voice["id"] for voice in console["voices"]}
    assert {voice["id"] for voice in console["voices"]} < {voice["id"] for voice in offered}
    assert [voice["id"] for voice in offered if voice["isDefault"]] == ["Rohan"]


def test_a_new_organisation_gets_defaults_and_no_agents(factory: Factory, recorder: RequestRecorder) -> None:
    reply = factory.caller("viewer").get(CONFIG)

    assert reply.json["agents"] == []
    assert (reply.json["success"], reply.json["vapiConfigured"]) == (True, False)
    assert reply.json["vapi"] | {"systemPrompt": "", "firstMessage": ""} == {
        "publicKey": "", "secretKey": "", "systemPrompt": "", "voice": "Rohan", "language": "en-GB",
        "maxCallDuration": 600, "firstMessage": "", "phoneNumberId": None,
    }  # fmt: skip
    assert reply.json["twilio"] == {"accountSid": "", "authToken": "", "fromNumber": ""}
    assert recorder.last == ["GET organizations"]


@pytest.mark.parametrize("role", ["inbound", "outbound"])
def test_both_spellings_for_both_roles(factory: Factory, role: str) -> None:
    caller = factory.caller()
    factory.insert(
        "public.agents", org_id=caller.org_id, role=role, name="Eve", system_prompt=PROMPT, first_message="Hello",
        voice="Paige", max_call_duration=90, vapi_assistant_id=f"a-{caller.org_id}",
        vapi_phone_number_id=f"n-{caller.org_id}",
    )  # fmt: skip

    agent = agents_of(caller)[role]

    assert (agent["systemPrompt"], agent["system_prompt"]) == (PROMPT, PROMPT)
    assert (agent["firstMessage"], agent["first_message"]) == ("Hello", "Hello")
    assert (agent["maxCallDuration"], agent["max_call_duration"]) == (90, 90)
    assert agent["vapiAssistantId"] == agent["vapi_assistant_id"] == f"a-{caller.org_id}"
    assert agent["vapiPhoneNumberId"] == agent["vapi_phone_number_id"] == f"n-{caller.org_id}"
    assert (agent["name"], agent["voice"]) == ("Eve", "Paige")


def test_the_role_narrows_and_an_unknown_one_is_refused(factory: Factory) -> None:
    caller = factory.caller()
    for role in ("inbound", "outbound"):
        factory.insert("public.agents", org_id=caller.org_id, role=role, name=role)

    assert [agent["role"] for agent in caller.get(CONFIG, role="outbound").json["agents"]] == ["outbound"]
    assert caller.get(CONFIG, role="both").status_code == 400


def test_what_is_shown_can_be_saved_unchanged(connected: Caller, factory: Factory) -> None:
    for role in ("inbound", "outbound"):
        factory.insert("public.agents", org_id=connected.org_id, role=role, name=role)
    before = agents_of(connected)
    shown = {
        role: {
            "name": agent["name"], "systemPrompt": agent["system_prompt"], "firstMessage": agent["first_message"],
            "voiceId": agent["voice"], "voiceProvider": "vapi", "language": agent["language"],
            "maxDurationSeconds": agent["max_call_duration"],
        }
        for role, agent in before.items()
    }  # fmt: skip

    assert connected.post(BEHAVIOR, shown).status_code == 200
    after = agents_of(connected)

    for role, agent in before.items():
        assert after[role]["system_prompt"] == agent["system_prompt"]
        assert after[role]["voice"] == agent["voice"]
        assert after[role]["synced"] is True


@pytest.mark.parametrize(
    "sent",
    [
        {"systemPrompt": PROMPT, "firstMessage": "Hi", "voiceId": "SAVANNAH", "maxDurationSeconds": 300},
        {"system_prompt": PROMPT, "first_message": "Hi", "voice": "savannah", "max_call_duration": 300},
    ],
    ids=["camel", "snake"],
)
def test_behaviour_takes_either_spelling(connected: Caller, fake, recorder: RequestRecorder, sent: dict) -> None:
    reply = connected.post(BEHAVIOR, {"inbound": {**sent, "name": "Eve", "language": "es-MX"}})

    assert reply.status_code == 200, reply.json
    assert recorder.last == ["POST rpc/save_agents", "POST rpc/record_provider_sync"]
    agent = agents_of(connected)["inbound"]
    assert reply.json["success"] is True
    assert reply.json["syncedAgentIds"] == [agent["id"]]
    assert reply.json["vapiAssistantIds"] == [
        {"agentId": agent["id"], "role": "inbound", "vapiAssistantId": agent["vapi_assistant_id"]}
    ]
    assert (agent["system_prompt"], agent["first_message"], agent["voice"]) == (PROMPT, "Hi", "Savannah")
    assert (agent["language"], agent["max_call_duration"], agent["synced"]) == ("es-MX", 300, True)
    name, content = fake.calls[-1]
    assert name == "create_assistant"
    assert content["model"]["messages"] == [{"role": "system", "content": PROMPT}]
    assert content["voice"] == {"provider": "vapi", "voiceId": "Savannah"}
    assert content["transcriber"]["language"] == "es-419"
    assert content["maxDurationSeconds"] == 300


def test_only_the_agent_that_was_sent_is_made(connected: Caller, factory: Factory, fake) -> None:
    connected.post(BEHAVIOR, {"outbound": {"name": "Olaf"}})

    assert list(agents_of(connected)) == ["outbound"]
    assert len(fake.calls) == 1
    assert rows(factory, "inbound_agent_config", connected.org_id) == []


def test_the_agent_that_was_not_sent_stays(connected: Caller, factory: Factory, fake) -> None:
    factory.insert("public.agents", org_id=connected.org_id, role="outbound", name="Olaf", system_prompt="mine")
    before = rows(factory, "agents", connected.org_id)[0]

    connected.post(BEHAVIOR, {"inbound": {"name": "Eve"}})

    assert before in rows(factory, "agents", connected.org_id)


def test_null_and_empty_change_nothing_except_that_null_clears_the_number(connected: Caller, fake) -> None:
    phone_id = fake.import_phone_number(KEY, {"number": number_of(connected.org_id)})["id"]
    first = {"name": "Olaf", "systemPrompt": PROMPT, "voiceId": "Cole", "vapiPhoneNumberId": phone_id}
    connected.post(BEHAVIOR, {"outbound": first})

    connected.post(BEHAVIOR, {"outbound": {"name": " ", "systemPrompt": "", "voiceId": None, "language": "fr-FR"}})
    agent = agents_of(connected)["outbound"]
    assert (agent["name"], agent["system_prompt"], agent["voice"]) == ("Olaf", PROMPT, "Cole")
    assert (agent["language"], agent["vapi_phone_number_id"]) == ("fr-FR", phone_id)

    connected.post(BEHAVIOR, {"outbound": {"vapiPhoneNumberId": None}})
    assert agents_of(connected)["outbound"]["vapi_phone_number_id"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"), ({"inbound": {}}, "body"), ({"inbound": None}, "body"), ({"inbound": {"name": ""}}, "body"),
        ({"inbound": {"voiceId": "Robocop"}}, "inbound"), ({"inbound": {"language": "xx-XX"}}, "inbound.language"),
        ({"inbound": {"maxDurationSeconds": 59}}, "inbound"), ({"inbound": {"maxDurationSeconds": 43201}}, "inbound"),
        ({"inbound": {"max_call_duration": "long"}}, "inbound"), ({"outbound": {"name": "x" * 101}}, "outbound.name"),
        ({"inbound": "Eve"}, "inbound"), ({"inbound": {"systemPrompt": 7}}, "inbound"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_is_a_400_that_names_it(
    connected: Caller, fake, recorder: RequestRecorder, body: dict, field: str
) -> None:
    reply = connected.post(BEHAVIOR, body)

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert reply.json["details"][0]["field"].startswith(field)
    assert recorder.last == []
    assert not fake.calls


@pytest.mark.parametrize("path", [BEHAVIOR, CONFIG])
@pytest.mark.parametrize("role", ["viewer", "agent", "manager"])
def test_only_administrators_change_assistants(factory: Factory, fake, path: str, role: str) -> None:
    caller = factory.caller(role)

    reply = caller.post(path, {"inbound": {"name": "Eve"}, "vapi": {"publicKey": "p"}})

    assert (reply.status_code, reply.json["code"]) == (403, "FORBIDDEN")
    assert rows(factory, "agents", caller.org_id) == []
    assert not fake.calls


def test_row_level_security_refuses_what_the_guard_would(factory: Factory, app: Flask) -> None:
    manager, stranger = factory.caller("manager"), factory.caller("owner")
    for caller in (manager, stranger):
        with app.app_context(), pytest.raises(APIError, match="42501"):
            org_settings.save_agents(database.for_principal(caller.token), manager.org_id, {"inbound": {"name": "Eve"}})
        with app.app_context(), pytest.raises(APIError, match="42501"):
            org_settings.save_settings(
                database.for_principal(caller.token), manager.org_id, settings={}, secrets={"vapi": {"api_key": "x"}},
                masked={}, agents={},
            )  # fmt: skip
    assert rows(factory, "agents", manager.org_id) == []
    assert rows(factory, "org_credentials", manager.org_id) == []


def test_ciphertexts_reach_administrators_only(factory: Factory, connected: Caller, app: Flask) -> None:
    def secrets_of(caller: Caller) -> dict:
        with app.app_context():
            db = database.for_principal(caller.token)
            return db.rpc("console_state", {"p_org_id": connected.org_id}).execute().data["secrets"]

    assert secrets_of(connected)["vapi"]
    for other in (factory.member(connected.org_id, "manager"), factory.caller("owner")):
        assert secrets_of(other) == {"vapi": None, "twilio": None}


def test_without_a_key_it_is_saved_for_the_browser_only(factory: Factory, fake) -> None:
    caller = factory.caller("admin")

    reply = caller.post(BEHAVIOR, {"inbound": {"name": "Eve"}})

    assert (reply.status_code, reply.json["mode"], reply.json["vapiSynced"]) == (200, "browser-only", False)
    assert agents_of(caller)["inbound"]["synced"] is False
    assert not fake.calls


def test_the_stand_in_of_development_needs_no_key(factory: Factory) -> None:
    app = create_app(settings_for_tests(app_env="development"))
    caller = factory.caller("admin")
    caller.app = app

    reply = caller.post(BEHAVIOR, {"inbound": {"name": "Eve"}})

    assert (reply.status_code, reply.json["vapiSynced"]) == (200, True)


@pytest.mark.parametrize("error", [VapiUnreachable(), VapiKeyRefused(), VapiError()], ids=lambda error: error.reason)
def test_the_providers_failure_is_told_apart_from_what_is_stored(connected: Caller, fake, error) -> None:
    fake.fail(error)

    reply = connected.post(BEHAVIOR, {"inbound": {"name": "Eve", "systemPrompt": PROMPT}})

    assert (reply.status_code, reply.json["code"]) == (502, "PROVIDER_ERROR")
    assert (reply.json["success"], reply.json["saved"], reply.json["vapiSynced"]) == (False, True, False)
    assert "saved" in reply.json["error"]
    agent = agents_of(connected)["inbound"]
    assert agent["system_prompt"] == PROMPT
    assert (agent["synced"], agent["syncError"]) == (False, error.reason)

    assert connected.post(BEHAVIOR, {"inbound": {"name": "Eve"}}).status_code == 200
    assert (agents_of(connected)["inbound"]["synced"], agents_of(connected)["inbound"]["syncError"]) == (True, None)


def test_one_assistant_may_fail_and_the_other_not(connected: Caller, fake) -> None:
    fake.fail(VapiError())

    reply = connected.post(BEHAVIOR, {"inbound": {"name": "Eve"}, "outbound": {"name": "Olaf"}})

    agents = agents_of(connected)
    assert reply.status_code == 502
    assert reply.json["syncedAgentIds"] == [agents["outbound"]["id"]]
    assert {role: agent["synced"] for role, agent in agents.items()} == {"inbound": False, "outbound": True}


@pytest.mark.parametrize("error", [VapiUnreachable(), VapiError()], ids=lambda error: error.reason)
def test_a_passing_error_makes_no_second_assistant(connected: Caller, fake, error) -> None:
    connected.post(BEHAVIOR, {"inbound": {"name": "Eve"}})
    before = agents_of(connected)["inbound"]["vapi_assistant_id"]
    fake.calls.clear()
    fake.fail(error)

    connected.post(BEHAVIOR, {"inbound": {"name": "Eva"}})

    assert [name for name, _ in fake.calls] == ["get_assistant"]
    assert agents_of(connected)["inbound"]["vapi_assistant_id"] == before


def test_the_tools_of_an_assistant_are_kept(connected: Caller, fake) -> None:
    connected.post(BEHAVIOR, {"inbound": {"name": "Eve"}})
    assistant_id = agents_of(connected)["inbound"]["vapi_assistant_id"]
    fake.update_assistant(KEY, assistant_id, {"model": {"toolIds": ["t-1", "t-2"]}})

    connected.post(BEHAVIOR, {"inbound": {"systemPrompt": PROMPT}})

    name, content = fake.calls[-1]
    assert (name, content["model"]["toolIds"]) == ("update_assistant", ["t-1", "t-2"])


def test_agents_config_and_mapping_agree(connected: Caller, factory: Factory) -> None:
    connected.post(BEHAVIOR, {"inbound": {"name": "Eve", "systemPrompt": PROMPT}, "outbound": {"voiceId": "Lily"}})

    agents = {row["role"]: row for row in rows(factory, "agents", connected.org_id)}
    mapped = {row["assistant_role"]: row for row in rows(factory, "assistant_org_mapping", connected.org_id)}
    for role, table in (("inbound", "inbound_agent_config"), ("outbound", "outbound_agent_config")):
        (config,) = rows(factory, table, connected.org_id)
        for name in ("vapi_assistant_id", "system_prompt", "first_message", "language", "max_call_duration"):
            assert config[name] == agents[role][name], name
        assert config["voice_id"] == agents[role]["voice"]
        assert mapped[role]["vapi_assistant_id"] == agents[role]["vapi_assistant_id"]
        assert mapped[role]["assistant_name"] == agents[role]["name"]


def test_the_loser_of_a_race_leaves_no_assistant_behind(connected: Caller, factory: Factory, fake, monkeypatch) -> None:
    def overtaken(key: str, assistant: dict) -> dict:
        factory.sql.execute(
            "update public.agents set vapi_assistant_id = %s where org_id = %s",
            [f"winner-{connected.org_id}", connected.org_id],
        )
        return {"id": "loser"}

    monkeypatch.setattr(fake, "create_assistant", overtaken)

    connected.post(BEHAVIOR, {"inbound": {"name": "Eve"}})

    assert agents_of(connected)["inbound"]["vapi_assistant_id"] == f"winner-{connected.org_id}"
    assert fake.calls[-1] == ("delete_assistant", {"id": "loser"})


def full(number: str) -> dict:
    return {
        "vapi": {"publicKey": "pk-1", "secretKey": KEY, "systemPrompt": PROMPT},
        "twilio": {"accountSid": "AC" + "1" * 32, "authToken": "marker-token-91be-ijkl", "fromNumber": number},
        "testing": {"testDestinationNumber": "+442079460000"},
    }


def number_of(org_id: str) -> str:
    return f"+44208{int(org_id[:8], 16) % 10_000_000:07}"


def test_agent_config_makes_the_line_ready(factory: Factory, fake, recorder: RequestRecorder) -> None:
    caller = factory.caller("admin")
    number = number_of(caller.org_id)

    reply = caller.post(CONFIG, full(number))

    assert reply.status_code == 200, reply.json
    assert recorder.last == ["GET user_org_roles", "POST rpc/save_org_settings", "POST rpc/record_provider_sync"]
    assert reply.json["ready"] is True
    assert set(reply.json["steps"].values()) == {True}
    assert reply.json["orgId"] == caller.org_id
    shown = caller.get(CONFIG)
    assert shown.json["vapi"] | {"firstMessage": ""} == {
        "publicKey": "pk-1", "secretKey": "mark••••••••efgh", "systemPrompt": PROMPT, "voice": "Rohan",
        "language": "en-GB", "maxCallDuration": 600, "firstMessage": "", "phoneNumberId": reply.json["phoneNumberId"],
    }  # fmt: skip
    assert shown.json["twilio"] == {
        "accountSid": "AC" + "1" * 32, "authToken": "mark••••••••ijkl", "fromNumber": number,
    }  # fmt: skip
    assert KEY not in shown.text


def test_agent_config_without_keys_is_stored_and_not_ready(factory: Factory, fake) -> None:
    reply = factory.caller("admin").post(CONFIG, {"vapi": {"systemPrompt": PROMPT}})

    assert (reply.status_code, reply.json["ready"]) == (200, False)
    assert reply.json["steps"] == {
        "stored": True, "vapiValidated": False, "twilioValidated": False, "phoneNumberImported": False,
        "assistantSynced": False,
    }  # fmt: skip


@pytest.mark.parametrize("field", ["fromNumber", "testDestinationNumber"])
def test_agent_config_checks_numbers(factory: Factory, recorder: RequestRecorder, field: str) -> None:
    body = full("+442079460000")
    body["twilio" if field == "fromNumber" else "testing"][field] = "0207 123"

    reply = factory.caller("admin").post(CONFIG, body)

    assert reply.status_code == 400
    assert recorder.last == []


@pytest.mark.parametrize(
    ("errors", "status", "field"),
    [
        ([VapiKeyRefused()], 400, "vapi.secretKey"),
        ([VapiUnreachable()], 502, None),
        ([VapiError()], 400, "vapi"),
    ],
    ids=["key", "unreachable", "refused"],
)
def test_agent_config_tells_how_far_it_got(factory: Factory, fake, errors, status: int, field: str | None) -> None:
    caller = factory.caller("admin")
    fake.fail(*errors)

    reply = caller.post(CONFIG, full(number_of(caller.org_id)))

    assert reply.status_code == status
    assert (reply.json["ready"], reply.json["steps"]["stored"], reply.json["steps"]["assistantSynced"]) == (
        False, True, False,
    )  # fmt: skip
    if field:
        assert reply.json["details"][0]["field"] == field
    assert caller.get(CONFIG).json["vapi"]["secretKey"] == "mark••••••••efgh"


def test_agent_config_takes_the_callers_own_organisation(factory: Factory, fake) -> None:
    first, caller = factory.caller("admin"), factory.caller("admin")

    caller.post(CONFIG, {**full(number_of(caller.org_id)), "orgId": first.org_id, "org_id": first.org_id})

    assert rows(factory, "agents", first.org_id) == []
    assert rows(factory, "integration_settings", first.org_id) == []


def test_a_key_that_cannot_be_read_is_reported_and_never_replaced_by_the_platforms(
    connected: Caller, factory: Factory, fake
) -> None:
    factory.sql.execute(
        "update public.org_credentials set encrypted_config = %s where org_id = %s",
        ['{"api_key": "gAAAAAB-not-ours"}', connected.org_id],
    )

    reply = connected.post(BEHAVIOR, {"inbound": {"name": "Eve"}})

    assert (reply.status_code, reply.json["code"]) == (502, "SECRET_UNREADABLE")
    assert "key of the voice provider can't be read" in reply.json["error"]
    assert not fake.calls
    assert agents_of(connected)["inbound"]["syncError"] == "key unreadable"
