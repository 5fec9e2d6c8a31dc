"""How an organisation's calls come in: from the cache, dropped by every change."""

from contextlib import AbstractContextManager
from typing import cast

from postgrest import SyncPostgrestClient

from voxanne.cache import INBOUND_CONFIG, cache
from voxanne.database import Row
from voxanne.queries import org_settings as queries


def load(db: SyncPostgrestClient, org_id: str) -> Row | None:
    """Return id, twilio_phone_number, vapi_assistant_id, vapi_phone_number_id, is_active, and what goes with them.

    That is the organisation's `telephony_country` and `status`, and `agent`: `active` and `vapi_assistant_id` of the
    inbound assistant, or None.
    None if the organisation takes no calls, which is an answer and cached, too.
    """
    return cast(Row | None, cache.load(INBOUND_CONFIG, org_id, lambda: _flat(queries.get_inbound_config(db, org_id))))


def changing(org_id: str) -> AbstractContextManager[None]:
    """Wrap a change of the voice assistants or of their numbers."""
    return cache.changing((INBOUND_CONFIG, org_id))


def _flat(row: Row | None) -> Row | None:
    if row is None:
        return None
    org = row.pop("organizations")
    return {**row, **org, "agent": next(iter(org.pop("agents")), None)}
