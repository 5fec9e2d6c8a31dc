"""Which assistant answers a call that comes in, and what it may know of the caller.

The provider waits 7.5 seconds. What is known of the caller goes along with this one call; an assistant's prompt is
shared by all callers and never holds anything of theirs.
"""

import logging
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from voxanne import database
from voxanne.database import Row
from voxanne.errors import is_unavailable
from voxanne.phones import to_e164
from voxanne.queries import tools
from voxanne.services import inbound_config, org_settings
from voxanne.services.webhooks import breaker, speech
from voxanne.services.webhooks.envelope import Event

logger = logging.getLogger(__name__)

NOBODY = "We are sorry, nobody can take your call right now. Please call again later."


def answer(org_id: str | None, event: Event) -> Row:
    """Return the reply: the inbound assistant, and values for the placeholders of its prompt.

    Without an assistant that answers it is the provider's form of an error, whose sentence the caller hears. What is
    cached answers while Supabase is away; who calls is then not known, as when looking that up takes too long.
    """
    if org_id is None:
        return {"error": NOBODY}
    db = database.as_service(hurried=True)
    try:
        with breaker.current().watching():
            config = inbound_config.load(db, org_id)
    except Exception as error:
        if not is_unavailable(error):
            raise
        logger.warning("call not answered, database away", extra={"org_id": org_id})
        return {"error": NOBODY}
    assistant_id = _assistant(config)
    if assistant_id is None:
        logger.warning("call not answered, no active assistant", extra={"org_id": org_id})
        return {"error": NOBODY}
    country = config["telephony_country"] if config else None
    return {
        "assistantId": assistant_id,
        "assistantOverrides": {"variableValues": _values(org_id, to_e164(event.customer_number or "", country))},
    }


def _assistant(config: Row | None) -> str | None:
    if config is None or not config["is_active"] or config["status"] != "active":
        return None
    agent = config["agent"] or {"active": True, "vapi_assistant_id": None}
    return (config["vapi_assistant_id"] or agent["vapi_assistant_id"]) if agent["active"] else None


def _values(org_id: str, number: str | None) -> dict[str, str]:
    """Return every placeholder, "" for what is not known: the assistant would read an unfilled one aloud."""
    settings: Row = {}
    known = {"callerKnown": "no", "callerName": "", "nextAppointment": ""}
    zone = ZoneInfo("UTC")
    try:
        with breaker.current().watching():
            settings = org_settings.load(database.as_service(hurried=True), org_id) or {}
            zone = ZoneInfo(settings.get("timezone") or "UTC")
            known |= _known(org_id, number, zone) if number else {}
    except Exception as error:
        # The phone is ringing: whatever it is, the assistant can answer without.
        if not is_unavailable(error):
            logger.exception("caller can't be looked up", extra={"org_id": org_id})
    return {"clinicName": settings.get("name") or "", **known, "today": speech.day(datetime.now(zone))}


def _known(org_id: str, number: str, zone: ZoneInfo) -> dict[str, str]:
    caller = tools.find_caller(database.as_service(hurried=True), org_id, number)
    contact, booked = caller["contact"] or {}, caller["next_appointment"]
    return {
        "callerKnown": "yes" if contact else "no",
        "callerName": speech.name(contact.get("name")),
        "nextAppointment": _appointment(booked, zone) if booked else "",
    }


def _appointment(booked: dict[str, Any], zone: ZoneInfo) -> str:
    when = speech.moment(datetime.fromisoformat(booked["scheduled_at"]).astimezone(zone))
    return f"{booked.get('service_type') or 'appointment'} on {when}"
