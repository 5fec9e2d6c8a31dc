"""An organisation's numbers and its inbound assistant, cached until they change."""

from contextlib import AbstractContextManager
from typing import cast

from postgrest import SyncPostgrestClient

from voxanne.cache import INBOUND_CONFIG, Change, cache
from voxanne.database import Row
from voxanne.phones import to_e164
from voxanne.queries import org_settings as queries


def load(db: SyncPostgrestClient, org_id: str) -> Row | None:
    """Return how an organisation is called, or None (cached, too) if it has no number, configuration or assistant.

    `numbers` are all its numbers in E.164: the configured one and those of active phone mappings. Calls to them are the
    organisation's whether or not they are answered, which `is_active` says. `agent` holds `active` and
    `vapi_assistant_id` of the inbound assistant, or is None. With them come telephony_country, status and the columns
    of inbound_agent_config, None where there is no such row.
    """
    return cast(Row | None, cache.load(INBOUND_CONFIG, org_id, lambda: _flat(queries.get_inbound_config(db, org_id))))


def changing(org_id: str) -> AbstractContextManager[Change]:
    """Wrap a change of the voice assistants or of the configured number."""
    return cache.changing((INBOUND_CONFIG, org_id))


def _flat(row: Row | None) -> Row | None:
    if row is None or not (row["inbound_agent_config"] or row["phone_number_mapping"] or row["agents"]):
        return None
    config = row["inbound_agent_config"] or {**dict.fromkeys(queries.INBOUND_COLUMNS.split(",")), "is_active": False}
    given = [
        config["twilio_phone_number"],
        *(mapping["inbound_phone_number"] for mapping in row["phone_number_mapping"]),
    ]
    return {
        **config,
        "telephony_country": row["telephony_country"],
        "status": row["status"],
        "numbers": sorted({to_e164(number) or number for number in given if number}),
        "agent": next(iter(row["agents"]), None),
    }
