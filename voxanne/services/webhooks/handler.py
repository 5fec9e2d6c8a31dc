"""Applying events: the one way to the database, for those just received, spooled, played again and made up alike."""

import logging
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from postgrest.exceptions import APIError
from pydantic import ValidationError

from voxanne import database
from voxanne.database import Row
from voxanne.errors import DatabaseUnavailable, is_unavailable
from voxanne.queries import call_events, webhook_log
from voxanne.services import call_reports, contacts, org_settings, pricing, sms_status
from voxanne.services.call_type_detector import CallType
from voxanne.services.webhooks import envelope, routing, statuses, tools
from voxanne.services.webhooks.deliveries import Delivery, Outcome
from voxanne.services.webhooks.envelope import END_REPORT, STATUS_UPDATE, Event
from voxanne.services.webhooks.tools import Line
from voxanne.signals import text_queued

logger = logging.getLogger(__name__)


def process(delivery: Delivery) -> Outcome:
    """Apply an event, once however often it comes; one that can't be applied goes to the dead letters.

    Raises only what says that the database is away (`errors.is_unavailable`): then the delivery is still to be made.
    """
    try:
        return apply(delivery)
    except Exception as error:
        if is_unavailable(error):
            raise
        bury(delivery, error)
        return Outcome.DEAD


def apply(delivery: Delivery) -> Outcome:
    """Apply an event, as `process` does, but raise whatever goes wrong."""
    if delivery.source == "twilio":
        return sms_status.apply(delivery)
    event = envelope.parse(delivery.payload)
    if not (stored(event) or event.tool_calls):
        return Outcome.IGNORED
    org_id = delivery.org_id or routing.organization_for(event)
    if org_id is None:
        return Outcome.UNKNOWN
    if event.tool_calls:
        return tools.make_good(Line(org_id, event))
    changes = {
        "event_id": event.event_id,
        "event_type": event.type,
        "received_at": delivery.received_at.isoformat(),
        "attempts": delivery.attempts,
        **_changes(org_id, event),
    }
    with contacts.changing(org_id) if changes["contact"] else nullcontext(lambda _: None) as tell:
        result = call_events.apply(database.as_service(), org_id, changes)
        tell(result)
    if result.get("message_id"):
        text_queued.send()
    return Outcome.DUPLICATE if result["duplicate"] else Outcome.APPLIED


def stored(event: Event) -> bool:
    """Whether an event changes a call: the report of its end, and a status that is known."""
    return event.type == END_REPORT or (
        event.type == STATUS_UPDATE and (event.status in statuses.LIVE or event.status == statuses.ENDED_WORD)
    )


def _changes(org_id: str, event: Event) -> Row:
    """Return rank, call, contact and alert, as `call_events.apply` takes them; no request while all is cached."""
    db = database.as_service()
    direction, settings = routing.direction_of(org_id, event), org_settings.load(db, org_id) or {}
    if event.type == STATUS_UPDATE:
        return _status_changes(event, direction, settings.get("telephony_country"))
    redact = settings.get("integration", {}).get("redact_transcripts", True)
    services = pricing.price_list(db, org_id)
    described = call_reports.describe(
        event, direction=direction, services=services, settings=settings, redact=redact is not False
    )
    return {"rank": statuses.REPORTED, **described}


def _status_changes(event: Event, direction: CallType, country: str | None) -> Row:
    status, rank = statuses.LIVE.get(event.status or "", ("", statuses.ENDED))
    over = rank == statuses.ENDED
    call: dict[str, Any] = {
        **statuses.course(event, direction, country),
        "status": status,
        "started_at": event.started_at or (event.occurred_at if rank == statuses.TALKING else None),
        "transfer_to": event.transfer_to,
    }
    if over:
        call |= {
            "status": statuses.ended_status(event.ended_reason, transferred=bool(event.transfer_to)),
            "ended_at": event.ended_at or event.occurred_at,
            "ended_reason": event.ended_reason,
        }
    elif event.transfer_to:
        call["transfer_time"] = event.occurred_at
    answered = rank == statuses.TALKING and call["phone_number"] and not call["is_test_call"]
    return {
        "rank": rank,
        "call": {name: _plain(value) for name, value in call.items() if value is not None},
        "contact": {"phone": call["phone_number"], "name": event.customer_name} if answered else None,
        "alert": None,
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def bury(delivery: Delivery, error: Exception) -> None:
    """Put a delivery with the dead letters; if even that fails, it counts as not made, so that nothing is lost."""
    reason = describe(error)
    event_type, event_id = names(delivery)
    ids = {"event_type": event_type, "event_id": event_id, "org_id": delivery.org_id}
    logger.error("event can't be applied", extra={**ids, "reason": reason})
    try:
        webhook_log.record_dead_letter(
            database.as_service(),
            delivery.org_id,
            source=delivery.source,
            event_id=event_id,
            event_type=event_type,
            payload=delivery.payload,
            reason=reason,
            attempts=delivery.attempts,
            received_at=delivery.received_at,
        )
    except Exception as second:
        logger.error("dead letter can't be written", extra={**ids, "reason": describe(second)})  # noqa: TRY400
        raise DatabaseUnavailable from second


def names(delivery: Delivery) -> tuple[str | None, str | None]:
    """Return an event's type and what names it in the records, None for what it does not say."""
    if delivery.source == "twilio":
        return sms_status.EVENT_TYPE, sms_status.event_id(delivery.payload["form"])
    try:
        head = envelope.head(delivery.payload)
    except ValidationError:
        return None, None
    return head.type, head.event_id


def describe(error: Exception) -> str:
    """Return why an event was not applied, without any of its content."""
    if isinstance(error, ValidationError):
        parts = (f"{'.'.join(map(str, item['loc']))}: {item['type']}" for item in error.errors(include_input=False))
        return ("the message has another shape: " + "; ".join(list(parts)[:10]))[:2000]
    if isinstance(error, APIError):
        return f"the database refused it: {error.code}"
    return type(error).__name__
