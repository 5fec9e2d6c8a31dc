"""How an organisation's calls come in: from the cache, dropped by every change."""

from contextlib import AbstractContextManager
from typing import cast

from postgrest import SyncPostgrestClient

from voxanne.cache import INBOUND_CONFIG, Change, cache
from voxanne.database import Row
from voxanne.phones import to_e164
from voxanne.queries import org_settings as queries


def load(db: SyncPostgrestClient, org_id: str) -> Row | None:
    """Return `numbers`, `agent`, telephony_country, status and the columns of the configuration, each None without one.

    `numbers` are all that belong to the organisation, in E.164: the configured one and those of the active phone
    mappings. `is_active` says only whether anybody answers them; the calls to a number that nobody answers are the
    organisation's all the same. `agent` is `active` and `vapi_assistant_id` of the inbound assistant, or None. None
    if it has neither a number nor a configuration nor an assistant: that is an answer and cached, too.
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
