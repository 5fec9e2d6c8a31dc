"""Settings, voice assistants and encrypted secrets of an organisation, and their state at the voice provider."""

from collections.abc import Sequence

from postgrest import SyncPostgrestClient

from voxanne.database import Row
from voxanne.queries.results import call_row, first, rows

INTEGRATION_COLUMNS = (
    "vapi_public_key,vapi_assistant_id,vapi_phone_number_id,twilio_account_sid,twilio_from_number,"
    "test_destination_number,hot_lead_alert_phone,transfer_phone_number,transfer_sip_uri,transfer_departments,"
    "redact_transcripts,last_verified_at"
)
# Never encrypted_config: the browser's role may not read it, and the cache must not hold it.
PROVIDER_COLUMNS = "provider,metadata,last_verified_at,verification_error"
AGENT_COLUMNS = (
    "id,role,name,system_prompt,first_message,voice,voice_provider,language,max_call_duration,active,"
    "vapi_assistant_id,vapi_phone_number_id,prompt_synced_at,sync_error,updated_at"
)
INBOUND_COLUMNS = "id,twilio_phone_number,vapi_assistant_id,vapi_phone_number_id,is_active"


def get_settings(db: SyncPostgrestClient, org_id: str) -> Row | None:
    """Return name, time zone and status of an organisation with its settings and connected services, or None."""
    return _organization(
        db,
        org_id,
        f"name,timezone,status,telephony_country,integration_settings({INTEGRATION_COLUMNS}),"
        f"org_credentials({PROVIDER_COLUMNS})",
    )


def get_with_agents(db: SyncPostgrestClient, org_id: str) -> Row | None:
    """Return what the console shows: the voice assistants, the settings and the connected services."""
    return _organization(
        db,
        org_id,
        f"id,agents({AGENT_COLUMNS}),integration_settings({INTEGRATION_COLUMNS}),org_credentials({PROVIDER_COLUMNS})",
    )


def get_inbound_config(db: SyncPostgrestClient, org_id: str) -> Row | None:
    """Return telephony_country, status and inbound_agent_config (or None), or None without such an organisation.

    With them come two lists: the active `phone_number_mapping`, and the inbound assistant in `agents`.
    """
    columns = (
        f"telephony_country,status,inbound_agent_config({INBOUND_COLUMNS}),phone_number_mapping(inbound_phone_number),"
        "agents(active,vapi_assistant_id)"
    )
    query = db.from_("organizations").select(columns).eq("id", org_id).eq("agents.role", "inbound")
    return first(query.is_("phone_number_mapping.is_active", "true").limit(1))


def list_ciphertexts(db: SyncPostgrestClient, org_id: str) -> list[Row]:
    """Return provider and encrypted_config of each connected service; needs the service key."""
    query = db.from_("org_credentials").select("provider,encrypted_config").eq("org_id", org_id)
    return rows(query.eq("is_active", value=True))


def save_settings(
    db: SyncPostgrestClient,
    org_id: str,
    *,
    settings: Row,
    secrets: Row,
    masked: Row,
    agents: dict[str, Row],
    proven: Sequence[str] = (),
) -> Row:
    """Change settings, secrets and assistants in one transaction; returns all of them as they are now.

    `settings` are columns (None clears one); `secrets` are ciphertexts and `masked` what may be shown of them, both by
    provider and field (None removes one); `agents` and `proven` are as in `save_agents`. The result holds `settings`,
    `secrets` (encrypted_config by provider), `agents` and `unrouted` (the provider's id of a number by which calls are
    not routed any more); or, if nothing was saved, what `save_agents` describes.
    """
    arguments = {
        "p_org_id": org_id,
        "p_settings": settings,
        "p_secrets": secrets,
        "p_masked": masked,
        "p_agents": agents,
        "p_proven": list(proven),
    }
    return call_row(db, "save_org_settings", arguments)


def save_agents(db: SyncPostgrestClient, org_id: str, agents: dict[str, Row], *, proven: Sequence[str] = ()) -> Row:
    """Change columns of the assistants given by role, or create them; returns what `save_settings` does.

    If an id of the provider is named that is not the organisation's, nothing is saved, and the result holds `unproven`
    (`kind` and `id`) and the encrypted `secrets` of the provider. `proven` are ids that the provider has confirmed; the
    database accepts them with the service key only.
    """
    return call_row(db, "save_agents", {"p_org_id": org_id, "p_agents": agents, "p_proven": list(proven)})


def record_sync(
    db: SyncPostgrestClient,
    org_id: str,
    agents: list[Row],
    *,
    phone_number: str | None,
    phone_number_id: str | None,
    verified: bool,
) -> Row:
    """Store what the voice provider has been sent; needs the service key.

    `agents` are rows of `SyncResult.record`. `phone_number_id` is the provider's id of `phone_number`; `verified` says
    that the provider has accepted the organisation's own key.

    Returns the `agents` as they are now, and `unrouted`, the id that the number had before.
    """
    arguments = {
        "p_org_id": org_id,
        "p_agents": agents,
        "p_phone_number": phone_number,
        "p_phone_number_id": phone_number_id,
        "p_verified": verified,
    }
    return call_row(db, "record_provider_sync", arguments)


def _organization(db: SyncPostgrestClient, org_id: str, columns: str) -> Row | None:
    return first(db.from_("organizations").select(columns).eq("id", org_id).limit(1))
