"""The console's settings: showing them masked, storing secrets encrypted, and passing them on to the voice provider."""

from flask import current_app, g

from voxanne import database
from voxanne.auth import Principal
from voxanne.config import Settings
from voxanne.database import Row
from voxanne.errors import ApiError, Conflict, ProviderError, ValidationFailed
from voxanne.integrations.vapi import VapiError, VapiKeyRefused, VapiUnreachable
from voxanne.queries import org_settings as queries
from voxanne.schemas.agent_config import AgentConfigChanges
from voxanne.schemas.console_fields import SecretFields
from voxanne.schemas.console_settings import SettingsChanges
from voxanne.services import org_settings, phone_mappings, provider_ids, provider_sync, secrets
from voxanne.services.assistants import KeyUnreadable
from voxanne.services.provider_sync import Progress

NO_KEY = "No voice provider key is stored."
NO_AGENT = "There is no voice assistant yet: save one on the agent page."


def show(caller: Principal) -> Row:
    """Return which services are connected, with masked keys; from the cache."""
    settings = org_settings.load(database.for_principal(caller.token), caller.org_id)
    settings = settings or {"integration": {}, "providers": {}}
    integration = settings["integration"]
    return {
        "vapiConfigured": vapi_configured(settings),
        "twilioConfigured": bool(integration.get("twilio_account_sid")) and "twilio" in settings["providers"],
        "lastVerified": integration.get("last_verified_at"),
        "vapiApiKey": org_settings.masked(settings, "vapi", "api_key"),
        "vapiWebhookSecret": org_settings.masked(settings, "vapi", "webhook_secret"),
        "vapiAssistantId": integration.get("vapi_assistant_id"),
        "twilioAccountSid": integration.get("twilio_account_sid"),
        "twilioAuthToken": org_settings.masked(settings, "twilio", "auth_token"),
        "twilioFromNumber": integration.get("twilio_from_number"),
    }


def vapi_configured(settings: Row) -> bool:
    """Whether the voice provider can be used, with the organisation's own key or the platform's."""
    program: Settings = current_app.config["SETTINGS"]
    return bool(org_settings.masked(settings, "vapi", "api_key") or program.platform_vapi_key)


def save(caller: Principal, changes: SettingsChanges) -> Row:
    """Save the settings, then update the voice provider if they concern it; its errors are reported, not raised."""
    columns, given = changes.columns(), changes.secrets()
    state = _store(caller, columns, given, {})
    if not _concerns_provider(columns, given):
        return {"success": True, "webhookConfigured": False, "phoneNumberConnected": False}
    progress = provider_sync.sync(caller.org_id, state, number=True)
    message = _trouble(progress)
    return {
        "success": True,
        "webhookConfigured": progress.agents_synced,
        **({"webhookMessage": message} if message else {}),
        "phoneNumberConnected": progress.number_id is not None,
    }


def save_agent_config(caller: Principal, changes: AgentConfigChanges) -> Row:
    """Save keys, number and inbound assistant at once, then update the voice provider.

    Raises a 400 for what the provider refuses, a 502 if it can't be reached and a 409 if a stored secret can't be
    decrypted; each holds under `steps` how far it got. What was saved stays saved.
    """
    state = _store(caller, changes.columns(), changes.secrets(), {"inbound": changes.vapi.columns()})
    progress = provider_sync.sync(caller.org_id, state, roles={"inbound"}, number=True)
    inbound = next(agent for agent in state["agents"] if agent["role"] == "inbound")
    told = next(iter(progress.agents), None)
    steps = {
        "stored": True,
        "vapiValidated": progress.account is not None and not isinstance(progress.first_error, VapiKeyRefused),
        "twilioValidated": progress.number_id is not None,
        "phoneNumberImported": progress.number_id is not None,
        "assistantSynced": progress.agents_synced,
    }
    if isinstance(progress.first_error, VapiUnreachable):
        steps["vapiValidated"] = False
    reply = {
        "ready": all(steps.values()) and progress.first_error is None,
        "steps": steps,
        "orgId": caller.org_id,
        "agentId": inbound["id"],
        "assistantId": told.assistant_id if told else inbound["vapi_assistant_id"],
        "phoneNumberId": progress.number_id,
        "requestId": g.request_id,
    }
    if progress.first_error is not None:
        raise _failure(progress, progress.first_error, reply)
    return reply


def _store(caller: Principal, columns: Row, given: SecretFields, agents: dict[str, Row]) -> Row:
    encrypted: dict[str, Row] = {}
    masked: dict[str, Row] = {}
    for provider, fields in given.items():
        for name, value in fields.items():
            secret = value.get_secret_value()
            if secrets.is_masked(secret):
                continue
            ciphertext = secrets.encrypt(caller.org_id, provider, name, secret) if secret else None
            encrypted.setdefault(provider, {})[name] = ciphertext
            masked.setdefault(provider, {})[name] = secrets.mask(secret) or None
    new_key = given.get("vapi", {}).get("api_key") if "api_key" in encrypted.get("vapi", {}) else None
    routing = phone_mappings.changing(caller.org_id, number=columns.get("twilio_from_number"))
    with org_settings.changing(caller.org_id), routing:
        return provider_ids.save_with_proof(
            caller,
            lambda db, proven: queries.save_settings(
                db,
                caller.org_id,
                settings=columns,
                secrets=encrypted,
                masked=masked,
                agents=agents,
                proven=proven,
            ),
            new_key=new_key,
        )


def _concerns_provider(columns: Row, given: SecretFields) -> bool:
    """Return whether the voice provider must be updated: for every new key, secret or number, not for removals."""
    secret = any(value.get_secret_value() for fields in given.values() for value in fields.values())
    return secret or any(columns.get(name) for name in ("twilio_account_sid", "twilio_from_number"))


def _trouble(progress: Progress) -> str | None:
    if progress.first_error is not None:
        return f"The settings are saved. {progress.first_error.message}"
    if progress.account is None:
        return f"The settings are saved. {NO_KEY}"
    return None if progress.agents else f"The settings are saved. {NO_AGENT}"


def _failure(progress: Progress, error: VapiError, reply: Row) -> ApiError:
    sentence = f"The configuration is saved, but is not ready. {error.message}"
    if isinstance(error, VapiUnreachable):
        return ProviderError(sentence, extra=reply)
    if isinstance(error, KeyUnreadable):
        return Conflict(sentence, code=error.code, extra=reply)
    field = "vapi.secretKey" if isinstance(error, VapiKeyRefused) else "vapi"
    if error is progress.number_error and not isinstance(error, VapiKeyRefused):
        field = "twilio"
    return ValidationFailed(sentence, details=[{"field": field, "message": error.message}], extra=reply)
