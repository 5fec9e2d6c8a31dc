"""Calls whose report never came: the provider is asked what became of them, and they are closed from its record."""

import enum
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app

from voxanne.config import Settings
from voxanne.database import Row
from voxanne.integrations import vapi
from voxanne.integrations.vapi import VapiError, VapiKeyRefused, VapiNotFound
from voxanne.services import org_settings
from voxanne.services.secrets import SecretUnreadableError
from voxanne.services.webhooks import handler, statuses
from voxanne.services.webhooks.deliveries import Delivery, Outcome
from voxanne.services.webhooks.envelope import END_REPORT, STATUS_UPDATE

# Until then a call that the provider does not know may be one that it is slow to show.
FORGOTTEN_AFTER = timedelta(days=1)
FORGOTTEN = "not-found-at-provider"


class Found(enum.StrEnum):
    """What came of asking for a call."""

    CLOSED = "closed"
    ADDED = "added"
    GOING = "still going"
    UNKNOWN = "not known to the provider"
    KEY_REFUSED = "with an API key that the provider does not accept"
    NO_KEY = "without a readable API key"
    NOT_OURS = "of nobody's assistant"
    UNREACHABLE = "not answered by the provider"
    FAILED = "not applicable, see the dead letters"


def close(call: Row) -> Found:
    """Ask the provider for one of `webhook_log.unfinished_calls` and apply its record as the call's report.

    Raises what says that the database is away.
    """
    key = _key(call["org_id"])
    if key is None:
        return Found.NO_KEY
    try:
        record = vapi.provider().get_call(key, call["vapi_call_id"])
    except VapiNotFound:
        return _forget(call)
    except VapiKeyRefused:
        return Found.KEY_REFUSED
    except VapiError:
        return Found.UNREACHABLE
    if record.get("status") != statuses.ENDED_WORD:
        return Found.GOING
    # The id that was asked for: another call's record must not get in by it.
    return _apply(call, {"type": END_REPORT, "call": {**record, "id": call["vapi_call_id"]}})


def _forget(call: Row) -> Found:
    """Close a call that the provider does not know, as failed, but only one that seemed to go on."""
    if call["event_rank"] >= statuses.ENDED or datetime.fromisoformat(call["began"]) > _now() - FORGOTTEN_AFTER:
        return Found.UNKNOWN
    kind = "inboundPhoneCall" if call["call_type"] == "inbound" else "outboundPhoneCall"
    ended = {"status": statuses.ENDED_WORD, "endedReason": FORGOTTEN}
    return _apply(call, {"type": STATUS_UPDATE, **ended, "call": {"id": call["vapi_call_id"], "type": kind}})


def _apply(call: Row, message: dict[str, Any]) -> Found:
    outcome = handler.process(Delivery("vapi", call["org_id"], {"message": message}, _now()))
    return Found.CLOSED if outcome in {Outcome.APPLIED, Outcome.DUPLICATE} else Found.FAILED


def _key(org_id: str) -> str | None:
    settings: Settings = current_app.config["SETTINGS"]
    try:
        return org_settings.secret(org_id, "vapi", "api_key") or settings.platform_vapi_key
    except SecretUnreadableError:
        return None


def _now() -> datetime:
    return datetime.now(UTC)
