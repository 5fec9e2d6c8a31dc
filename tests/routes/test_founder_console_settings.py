"""/api/founder-console/settings."""

import pytest

from tests.factories import Caller, Factory
from tests.recorder import RequestRecorder
from voxanne.integrations.vapi import VapiError, VapiKeyRefused, VapiUnreachable

PATH = "/api/founder-console/settings"
KEY = "marker-key-7f3a-abcd-efgh"
TOKEN = "marker-token-91be-ijkl-mnop"
SID = "AC" + "0" * 32
CLINICS_NUMBER = "+442071234567"


def number_of(factory: Factory, org_id: str) -> str:
    """A number that no other test's organisation has."""
    return f"+44207{int(org_id[:8], 16) % 10_000_000:07}"


def save(caller: Caller, **changes):
    reply = caller.post(PATH, changes)
    assert reply.status_code == 200, reply.json
    return reply.json


def stored(factory: Factory, table: str, org_id: str) -> dict:
    return factory.sql.execute(f"select * from public.{table} where org_id = %s", [org_id]).fetchone()


def test_a_new_organisation_has_nothing_connected(factory: Factory, recorder: RequestRecorder) -> None:
    caller = factory.caller("viewer")

    reply = caller.get(PATH)

    assert reply.json == {
        "vapiConfigured": False, "twilioConfigured": False, "lastVerified": None, "vapiApiKey": "",
        "vapiWebhookSecret": "", "vapiAssistantId": None, "twilioAccountSid": None, "twilioAuthToken": "",
        "twilioFromNumber": None,
    }  # fmt: skip
    assert recorder.last == ["GET organizations"]
    caller.get(PATH)
    assert recorder.last == []


def test_saved_keys_are_shown_masked_at_once_although_the_cache_is_warm(factory: Factory, fake) -> None:
    caller = factory.caller("admin")
    viewer = factory.member(caller.org_id, "viewer")
    number = number_of(factory, caller.org_id)
    assert viewer.get(PATH).json["vapiConfigured"] is False

    save(caller, vapi_api_key=KEY, vapi_webhook_secret="short", twilio_account_sid=SID, twilio_auth_token=TOKEN,
         twilio_from_number=number)  # fmt: skip
    shown = viewer.get(PATH)

    assert shown.json["vapiConfigured"] is True
    assert shown.json["twilioConfigured"] is True
    assert shown.json["vapiApiKey"] == "mark••••••••efgh"
    assert shown.json["vapiWebhookSecret"] == "••••••••"
    assert shown.json["twilioAuthToken"] == "mark••••••••mnop"
    assert shown.json["twilioFromNumber"] == number
    assert KEY not in shown.text
    assert TOKEN not in shown.text


def test_keys_are_encrypted_at_rest_each_apart(factory: Factory, fake) -> None:
    caller = factory.caller("admin")
    save(caller, vapi_api_key=KEY, vapi_webhook_secret=TOKEN)
    before = stored(factory, "org_credentials", caller.org_id)["encrypted_config"]

    save(caller, vapi_webhook_secret="another-secret-of-the-clinic")
    after = stored(factory, "org_credentials", caller.org_id)["encrypted_config"]

    assert KEY not in before
    assert TOKEN not in before
    assert before.split('"api_key"')[1].split(",")[0] in after, "the key was not sent, so its ciphertext stays"
    assert before != after


def test_an_empty_string_clears_null_and_absence_do_not(factory: Factory, fake) -> None:
    caller = factory.caller("admin")
    save(caller, vapi_api_key=KEY, vapi_webhook_secret=TOKEN, vapi_assistant_id="an-assistant")

    save(caller, vapi_api_key="", vapi_webhook_secret=None)
    shown = caller.get(PATH).json
    assert (shown["vapiConfigured"], shown["vapiApiKey"]) == (False, "")
    assert shown["vapiWebhookSecret"] == "mark••••••••mnop"
    assert shown["vapiAssistantId"] == "an-assistant"

    save(caller, vapi_webhook_secret="", vapi_assistant_id="")
    assert stored(factory, "org_credentials", caller.org_id) is None
    assert caller.get(PATH).json["vapiAssistantId"] is None


@pytest.mark.parametrize("name", ["vapi_api_ky", "vapiApiKey", "org_id"])
def test_an_unknown_name_is_refused_and_nothing_is_saved(factory: Factory, recorder: RequestRecorder, name) -> None:
    """Under a misspelt name a key would be lost, though the answer says that it is saved."""
    caller = factory.caller("admin")

    reply = caller.post(PATH, {name: KEY, "twilio_account_sid": SID})

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert [detail["field"] for detail in reply.json["details"]] == [name]
    assert KEY not in reply.text
    assert recorder.last == []
    assert stored(factory, "integration_settings", caller.org_id) is None


def test_a_masked_key_that_comes_back_keeps_the_stored_one(factory: Factory, fake) -> None:
    caller = factory.caller("admin")
    save(caller, vapi_api_key=KEY)
    before = stored(factory, "org_credentials", caller.org_id)["encrypted_config"]

    save(caller, vapi_api_key=caller.get(PATH).json["vapiApiKey"])

    assert stored(factory, "org_credentials", caller.org_id)["encrypted_config"] == before


@pytest.mark.parametrize(
    "number", ["02071234567", "+44", "+4420712345678901234", "nonsense", "+0123456789", "+1415555012"]
)
def test_a_number_that_is_not_e164_is_refused(factory: Factory, recorder: RequestRecorder, number: str) -> None:
    reply = factory.caller("admin").post(PATH, {"twilio_from_number": number})

    assert reply.status_code == 400
    assert reply.json["code"] == "VALIDATION_ERROR"
    assert reply.json["details"][0]["field"] == "twilio_from_number"
    assert recorder.last == []


def test_a_number_may_be_written_with_spaces(factory: Factory, fake) -> None:
    caller = factory.caller("admin")
    number = number_of(factory, caller.org_id)

    save(caller, twilio_from_number=f"{number[:3]} ({number[3:5]}) {number[5:9]}-{number[9:]}")

    assert caller.get(PATH).json["twilioFromNumber"] == number


@pytest.mark.parametrize("role", ["viewer", "agent", "manager"])
def test_only_administrators_change_settings(factory: Factory, fake, role: str) -> None:
    reply = factory.caller(role).post(PATH, {"vapi_api_key": KEY})

    assert (reply.status_code, reply.json["code"]) == (403, "FORBIDDEN")
    assert not fake.calls


def test_the_number_of_another_organisation_is_refused_and_nothing_is_saved(factory: Factory, fake) -> None:
    owner, other = factory.caller("admin"), factory.caller("admin")
    number = number_of(factory, owner.org_id)
    save(owner, twilio_from_number=number)

    reply = other.post(PATH, {"twilio_from_number": number, "vapi_api_key": KEY})

    assert (reply.status_code, reply.json["code"]) == (409, "CONFLICT")
    assert number not in reply.text
    assert other.get(PATH).json["vapiConfigured"] is False
    assert stored(factory, "integration_settings", other.org_id) is None


def test_without_an_assistant_it_says_so(factory: Factory, fake) -> None:
    told = save(factory.caller("admin"), vapi_api_key=KEY)

    assert (told["success"], told["webhookConfigured"]) == (True, False)
    assert "no voice assistant" in told["webhookMessage"]


def test_assistants_and_number_reach_the_provider(factory: Factory, fake, recorder: RequestRecorder) -> None:
    caller = factory.caller("admin")
    for role in ("inbound", "outbound"):
        factory.insert("public.agents", org_id=caller.org_id, role=role, name=role)
    number = number_of(factory, caller.org_id)
    caller.get("/api/founder-console/me")

    told = save(caller, vapi_api_key=KEY, vapi_webhook_secret=TOKEN, twilio_account_sid=SID, twilio_auth_token=TOKEN,
                twilio_from_number=number)  # fmt: skip

    assert told == {"success": True, "webhookConfigured": True, "phoneNumberConnected": True}
    assert recorder.last == ["GET user_org_roles", "POST rpc/save_org_settings", "POST rpc/record_provider_sync"]
    asked = [name for name, _ in fake.calls]
    assert asked == [
        "create_assistant", "create_assistant", "list_phone_numbers", "import_phone_number", "update_phone_number",
    ]  # fmt: skip
    assert all(
        content["server"]["url"].endswith("/api/vapi/webhook")
        for name, content in fake.calls
        if name == "create_assistant"
    )
    inbound = stored(factory, "inbound_agent_config", caller.org_id)
    mapped = factory.sql.execute(
        "select vapi_assistant_id from public.assistant_org_mapping where org_id = %s", [caller.org_id]
    ).fetchall()
    assert inbound["twilio_phone_number"] == number
    assert inbound["vapi_phone_number_id"]
    assert inbound["vapi_assistant_id"] in {row["vapi_assistant_id"] for row in mapped}
    assert len(mapped) == 2
    assert caller.get(PATH).json["lastVerified"]


def test_saving_again_changes_the_assistants_and_imports_no_number_twice(factory: Factory, fake) -> None:
    caller = factory.caller("admin")
    factory.insert("public.agents", org_id=caller.org_id, role="inbound", name="Eve")
    everything = {
        "vapi_api_key": KEY, "twilio_account_sid": SID, "twilio_auth_token": TOKEN,
        "twilio_from_number": number_of(factory, caller.org_id),
    }  # fmt: skip
    save(caller, **everything)
    fake.calls.clear()

    assert save(caller, **everything)["webhookConfigured"] is True
    assert [name for name, _ in fake.calls] == [
        "get_assistant", "update_assistant", "list_phone_numbers", "update_phone_number",
    ]  # fmt: skip


def test_a_new_webhook_secret_or_number_reaches_the_provider_by_itself(factory: Factory, fake) -> None:
    caller = factory.caller("admin")
    factory.insert("public.agents", org_id=caller.org_id, role="inbound", name="Eve")
    save(caller, vapi_api_key=KEY, twilio_account_sid=SID, twilio_auth_token=TOKEN)
    fake.calls.clear()

    save(caller, vapi_webhook_secret=TOKEN)
    assert [name for name, _ in fake.calls] == ["get_assistant", "update_assistant"]

    assert save(caller, twilio_from_number=number_of(factory, caller.org_id))["phoneNumberConnected"] is True
    fake.calls.clear()
    assert save(caller, twilio_from_number="", vapi_webhook_secret="")["webhookConfigured"] is False
    assert not fake.calls


@pytest.mark.parametrize("error", [VapiUnreachable(), VapiKeyRefused(), VapiError()])
def test_the_providers_trouble_is_reported_and_the_settings_are_saved(factory: Factory, fake, error) -> None:
    caller = factory.caller("admin")
    factory.insert("public.agents", org_id=caller.org_id, role="inbound", name="Eve")
    fake.fail(error)

    told = save(caller, vapi_api_key=KEY)

    assert (told["success"], told["webhookConfigured"]) == (True, False)
    assert error.message in told["webhookMessage"]
    assert caller.get(PATH).json["vapiConfigured"] is True
    assert caller.get(PATH).json["lastVerified"] is None
    assert stored(factory, "agents", caller.org_id)["sync_error"] == error.reason


def test_a_provider_that_does_not_answer_is_asked_once(factory: Factory, fake) -> None:
    caller = factory.caller("admin")
    for role in ("inbound", "outbound"):
        factory.insert("public.agents", org_id=caller.org_id, role=role, name=role)
    fake.fail(VapiUnreachable())

    save(caller, vapi_api_key=KEY, twilio_account_sid=SID, twilio_auth_token=TOKEN,
         twilio_from_number=number_of(factory, caller.org_id))  # fmt: skip

    assert len(fake.calls) == 1


def test_another_organisations_settings_stay_as_they_are(factory: Factory, fake) -> None:
    ours, theirs = factory.caller("admin"), factory.caller("admin")
    save(theirs, vapi_api_key=KEY)

    save(ours, vapi_api_key="our-own-key-1234567890")

    assert theirs.get(PATH).json["vapiApiKey"] == "mark••••••••efgh"


def test_a_key_with_a_space_is_refused_without_being_quoted(factory: Factory, recorder: RequestRecorder) -> None:
    reply = factory.caller("admin").post(PATH, {"vapi_api_key": f"{KEY} {KEY}"})

    assert reply.status_code == 400
    assert KEY not in reply.text
    assert recorder.last == []
