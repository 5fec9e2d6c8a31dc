"""Settings and secrets of an organisation, cached until they change."""

from contextlib import AbstractContextManager
from typing import Any, cast

from postgrest import SyncPostgrestClient

from voxanne import database
from voxanne.cache import INBOUND_CONFIG, ORG_SECRETS, ORG_SETTINGS, Change, cache
from voxanne.database import Row
from voxanne.queries import org_settings as queries
from voxanne.services import secrets


def load(db: SyncPostgrestClient, org_id: str) -> Row | None:
    """Return name, timezone, status, telephony_country, `integration` and `providers`; None if there is no such row.

    `integration` holds the columns of integration_settings, `providers` what may be shown of each connected service. No
    secret is among them, so callers of all roles get the same.
    """
    return cast(Row | None, cache.load(ORG_SETTINGS, org_id, lambda: shape(queries.get_settings(db, org_id))))


def secret(org_id: str, provider: str, field: str) -> str | None:
    """Return a secret of an organisation, or None; with the service key, for webhooks and other work without a caller.

    The cache holds ciphertexts only. Raises `SecretUnreadableError` (a 409).
    """
    db = database.as_service(hurried=True)
    stored = cache.load(ORG_SECRETS, org_id, lambda: _ciphertexts(db, org_id))
    return secrets.decrypt_one(org_id, provider, field, stored.get(provider))


def changing(org_id: str) -> AbstractContextManager[Change]:
    """Wrap a change of settings or secrets, so that nobody uses the old ones afterwards."""
    return cache.changing((ORG_SETTINGS, org_id), (ORG_SECRETS, org_id), (INBOUND_CONFIG, org_id))


def shape(row: Row | None) -> Row | None:
    """Give a row of `queries.get_settings` the shape that `load` describes."""
    if row is None:
        return None
    providers = {
        item["provider"]: {
            "masked": _shown(item["metadata"]),
            "last_verified_at": item["last_verified_at"],
            "verification_error": item["verification_error"],
        }
        for item in row.pop("org_credentials")
    }
    integration = row.pop("integration_settings") or {}
    return {**row, "integration": integration, "providers": providers}


def masked(settings: Row, provider: str, field: str) -> str:
    """Return what may be shown of a secret, "" if there is none."""
    return str((settings["providers"].get(provider) or {"masked": {}})["masked"].get(field) or "")


def _shown(metadata: Any) -> dict[str, str]:
    """Return what may be shown of a service's secrets, by field; nothing if the metadata has an unexpected form."""
    shown = metadata.get("masked") if isinstance(metadata, dict) else None
    fields = shown.items() if isinstance(shown, dict) else ()
    return {name: text for name, text in fields if isinstance(text, str)}


def _ciphertexts(db: SyncPostgrestClient, org_id: str) -> dict[str, str]:
    return {row["provider"]: row["encrypted_config"] for row in queries.list_ciphertexts(db, org_id)}
