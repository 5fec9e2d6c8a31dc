"""The organisation's two voice assistants as the console shows and changes them."""

from datetime import datetime
from typing import Any

from flask import g

from voxanne.auth import Principal
from voxanne.database import Row
from voxanne.errors import ProviderError
from voxanne.queries import org_settings as queries
from voxanne.services import assistants, inbound_config, org_settings, provider_ids, provider_sync
from voxanne.services.console_settings import vapi_configured
from voxanne.services.provider_sync import Progress

BROWSER_ONLY = "Saved. There is no voice provider key yet, so the assistants answer in the browser only."


def describe(row: Row, role: str | None) -> Row:
    """Build the reply of GET agent/config from a row of `queries.get_with_agents`."""
    agents = [assistants.with_defaults(agent) for agent in row.pop("agents")]
    by_role = {agent["role"]: agent for agent in agents}
    settings = org_settings.shape(row) or {}
    integration = settings["integration"]
    shown = by_role.get(role or "inbound") or assistants.with_defaults(_unsaved(role or "inbound"))
    return {
        "success": True,
        "agents": [
            _present(by_role[name]) for name in ("inbound", "outbound") if name in by_role and role in {None, name}
        ],
        "vapiConfigured": vapi_configured(settings),
        "vapi": {
            "publicKey": integration.get("vapi_public_key") or "",
            "secretKey": org_settings.masked(settings, "vapi", "api_key"),
            "systemPrompt": shown["system_prompt"],
            "voice": shown["voice"],
            "language": shown["language"],
            "maxCallDuration": shown["max_call_duration"],
            "firstMessage": shown["first_message"],
            "phoneNumberId": integration.get("vapi_phone_number_id"),
        },
        "twilio": {
            "accountSid": integration.get("twilio_account_sid") or "",
            "authToken": org_settings.masked(settings, "twilio", "auth_token"),
            "fromNumber": integration.get("twilio_from_number") or "",
        },
    }


def save_behavior(caller: Principal, changes: dict[str, Row]) -> Row:
    """Save the assistants given by role, then send them to the voice provider.

    Raises `ProviderError` if the provider failed: they are saved all the same, and shown as not synced until it has
    them. Raises `NotFound`, and saves nothing, if the number to call out from is not the organisation's.
    """
    with inbound_config.changing(caller.org_id):
        state = provider_ids.save_with_proof(
            caller, lambda db, proven: queries.save_agents(db, caller.org_id, changes, proven=proven)
        )
    progress = provider_sync.sync(caller.org_id, state, roles=set(changes))
    saved = [agent for agent in state["agents"] if agent["role"] in changes]
    if progress.first_error is not None:
        raise _not_synced(saved, progress)
    told = [
        {"agentId": synced.agent["id"], "role": synced.agent["role"], "vapiAssistantId": synced.assistant_id}
        for synced in progress.agents
    ]
    reachable = progress.account is not None
    return {
        "success": True,
        "syncedAgentIds": [agent["id"] for agent in saved],
        "vapiAssistantIds": told,
        "agentDetails": [{"role": one["role"], "vapiAssistantId": one["vapiAssistantId"]} for one in told],
        "message": "Saved, and the voice provider has it." if reachable else BROWSER_ONLY,
        **({} if reachable else {"mode": "browser-only"}),
        "vapiSynced": reachable,
        "voiceSynced": reachable,
        "knowledgeBaseSynced": reachable,
        "requestId": g.request_id,
    }


def _not_synced(saved: list[Row], progress: Progress) -> ProviderError:
    cause = progress.first_error
    return ProviderError(
        code=cause.code if cause else None,
        message=f"Your changes are saved, but the voice provider still has the old ones. {cause} Save again to retry.",
        details=[
            {"field": synced.agent["role"], "message": synced.error.message if synced.error else "synced"}
            for synced in progress.agents
        ],
        extra={
            "success": False,
            "saved": True,
            "savedAgentIds": [agent["id"] for agent in saved],
            "syncedAgentIds": [synced.agent["id"] for synced in progress.agents if synced.error is None],
            "vapiSynced": False,
            "requestId": g.request_id,
        },
    )


def _present(agent: Row) -> Row:
    camel_case = {
        "systemPrompt": agent["system_prompt"],
        "firstMessage": agent["first_message"],
        "maxCallDuration": agent["max_call_duration"],
        "vapiAssistantId": agent["vapi_assistant_id"],
        "vapiPhoneNumberId": agent["vapi_phone_number_id"],
    }
    snake_case = ("system_prompt", "first_message", "max_call_duration", "vapi_assistant_id", "vapi_phone_number_id")
    return {
        **{name: agent[name] for name in ("id", "role", "name", "voice", "language", *snake_case)},
        **camel_case,
        "synced": agent["sync_error"] is None and _not_before(agent["prompt_synced_at"], agent["updated_at"]),
        "syncedAt": agent["prompt_synced_at"],
        "syncError": agent["sync_error"],
    }


def _not_before(synced: str | None, changed: str) -> bool:
    return synced is not None and datetime.fromisoformat(synced) >= datetime.fromisoformat(changed)


def _unsaved(role: str) -> dict[str, Any]:
    fields = ("system_prompt", "first_message", "voice", "language", "max_call_duration")
    return {"role": role, **dict.fromkeys(fields)}
