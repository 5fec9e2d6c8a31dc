"""The console where what is stored cannot be read: it says so, and what needs no secret works on."""

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from psycopg.types.json import Jsonb

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory
from voxanne import create_app
from voxanne.services import org_settings
from voxanne.services.secrets import SecretUnreadableError

SETTINGS, CONFIG, BEHAVIOR = (f"/api/founder-console/{path}" for path in ("settings", "agent/config", "agent/behavior"))
KEY = "marker-key-7f3a-abcd-efgh"
TWILIO = {"twilio_account_sid": "AC" + "3" * 32, "twilio_auth_token": "marker-token-91be"}


@pytest.fixture
def mistaken() -> Flask:
    """An application with a valid encryption key that is not the one that the secrets are under."""
    return create_app(settings_for_tests(encryption_keys=Fernet.generate_key().decode()))


@pytest.fixture
def caller(factory: Factory, mistaken: Flask) -> Caller:
    """An administrator whose secrets were stored before the key was mistaken."""
    caller = factory.caller("admin")
    number = f"+44205{int(caller.org_id[:8], 16) % 10_000_000:07}"
    reply = caller.post(
        SETTINGS, {"vapi_api_key": KEY, "vapi_webhook_secret": KEY, **TWILIO, "twilio_from_number": number}
    )
    assert reply.status_code == 200, reply.json
    caller.app = mistaken
    return caller


@pytest.fixture
def without_constraint(factory: Factory):
    """As a database that was in use before there was one."""
    factory.sql.execute("alter table public.org_credentials drop constraint masked_is_text")
    yield
    factory.sql.execute("update public.org_credentials set metadata = '{}' where encrypted_config = '{}'")
    factory.sql.execute(
        "alter table public.org_credentials add constraint masked_is_text check (not metadata ? 'masked' or ("
        "jsonb_typeof(metadata -> 'masked') = 'object' and not jsonb_path_exists("
        "metadata, 'strict $.masked.* ? (@.type() != \"string\")', silent => true)))"
    )


def test_the_pages_are_read_as_ever(caller: Caller) -> None:
    settings, config = caller.get(SETTINGS), caller.get(CONFIG)

    assert (settings.status_code, settings.json["vapiApiKey"]) == (200, "mark••••••••efgh")
    assert (config.status_code, config.json["twilio"]["authToken"]) == (200, "mark••••••••91be")


def test_what_cannot_be_told_to_the_provider_is_saved_and_says_why(caller: Caller) -> None:
    behavior = caller.post(BEHAVIOR, {"inbound": {"name": "Eve"}})
    config = caller.post(CONFIG, {"vapi": {"systemPrompt": "Be kind."}})
    settings = caller.post(SETTINGS, {"vapi_webhook_secret": "a-new-secret"})

    assert (behavior.status_code, behavior.json["code"]) == (502, "SECRET_UNREADABLE")
    assert behavior.json["saved"] is True
    assert (config.status_code, config.json["code"]) == (409, "SECRET_UNREADABLE")
    assert (config.json["steps"]["stored"], config.json["ready"]) == (True, False)
    assert (settings.status_code, settings.json["webhookConfigured"]) == (200, False)
    for sentence in (behavior.json["error"], config.json["error"], settings.json["webhookMessage"]):
        assert "The stored key of the voice provider can't be read any more: please enter it again." in sentence
    assert not mistakes_were_made(caller)


def mistakes_were_made(caller: Caller) -> bool:
    """Whether the provider was asked for anything with another key than the organisation's."""
    return bool(caller.app.extensions["voxanne.vapi"].calls)


def test_entering_the_secrets_again_mends_it_one_by_one(caller: Caller) -> None:
    caller.post(BEHAVIOR, {"inbound": {"name": "Eve"}})

    half = caller.post(SETTINGS, {"vapi_api_key": KEY})
    twilio = caller.post(SETTINGS, {"vapi_webhook_secret": KEY})
    whole = caller.post(SETTINGS, {"twilio_auth_token": "a-token-of-today"})

    assert "The stored webhook secret of the voice provider can't be read" in half.json["webhookMessage"]
    assert "The stored Twilio auth token can't be read" in twilio.json["webhookMessage"]
    assert whole.json == {"success": True, "webhookConfigured": True, "phoneNumberConnected": True}


def test_a_secret_that_is_asked_for_elsewhere_is_no_error_without_a_code(caller: Caller) -> None:
    with caller.app.test_request_context(), pytest.raises(SecretUnreadableError) as refusal:
        org_settings.secret(caller.org_id, "vapi", "webhook_secret")

    assert (refusal.value.status, refusal.value.code) == (409, "SECRET_UNREADABLE")
    assert KEY not in refusal.value.message


def test_an_id_that_would_have_to_be_asked_for_is_not_saved(caller: Caller) -> None:
    reply = caller.post(BEHAVIOR, {"outbound": {"name": "Olaf", "vapiPhoneNumberId": "phone-of-whoever"}})

    assert (reply.status_code, reply.json["code"]) == (502, "SECRET_UNREADABLE")
    assert caller.get(CONFIG).json["agents"] == []


@pytest.mark.usefixtures("without_constraint")
@pytest.mark.parametrize(
    "metadata",
    [{"masked": "text"}, {"masked": None}, {"masked": ["x"]}, {"masked": {"api_key": {"x": 1}}}, {}],
    ids=str,
)
def test_what_is_shown_of_a_secret_may_have_any_form(factory: Factory, metadata: dict) -> None:
    caller = factory.caller("admin")
    factory.insert(
        "public.org_credentials", org_id=caller.org_id, provider="vapi", encrypted_config="{}", metadata=Jsonb(metadata)
    )

    settings, config = caller.get(SETTINGS), caller.get(CONFIG)

    assert (settings.status_code, settings.json["vapiApiKey"]) == (200, "")
    assert (config.status_code, config.json["vapi"]["secretKey"]) == (200, "")
