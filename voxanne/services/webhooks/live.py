"""Events as they come in: found genuine, answered or applied at once, kept where the database is away."""

import json
import logging
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, cast

import orjson
from flask import current_app
from pydantic import ValidationError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from voxanne import deadline
from voxanne.database import Row
from voxanne.errors import (
    ApiError,
    DatabaseUnavailable,
    Forbidden,
    NotFound,
    Unauthenticated,
    ValidationFailed,
    is_unavailable,
)
from voxanne.services import sms_status
from voxanne.services.webhooks import assistant_request, breaker, envelope, handler, routing, signature, tool_calls
from voxanne.services.webhooks.deliveries import Delivery, Outcome, Spool
from voxanne.services.webhooks.envelope import ASSISTANT_REQUEST, FUNCTION_CALL, KNOWN, TOOL_CALLS, Event
from voxanne.services.webhooks.signature import Claim
from voxanne.signals import webhook_event

logger = logging.getLogger(__name__)

SPOOL = "voxanne.webhook_spool"
"""Where the application keeps its `Spool`; without one nothing is accepted while the database is away."""
# Kinds whose answer somebody on the telephone waits for.
_ANSWERED = {ASSISTANT_REQUEST, TOOL_CALLS, FUNCTION_CALL}
_NOT_TWILIOS = "Missing or invalid webhook signature."
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


@dataclass
class Watch:
    """What the monitoring is told of a delivery."""

    event_type: str = "other"
    outcome: Outcome = Outcome.FAILED


def receive(headers: Headers, read: Callable[[], bytes]) -> Row:
    """Take an event and return the reply; `read` returns its body and is not called without a signature.

    Raises `Unauthenticated` for what is not the provider's, `NotFound` for nobody's assistant, `ValidationFailed` for
    what is no event, `DatabaseUnavailable` for what can neither be applied nor kept: the provider is to send it again.
    """
    with watched("vapi") as watch:
        claim = signature.claim(headers)
        body = read()
        payload, head = _read(body)
        watch.event_type = head.type if head and head.type in KNOWN else "other"
        waits = head is not None and head.type in _ANSWERED
        with deadline.within(breaker.current().patience()) if waits else nullcontext():
            org_id = _genuine(claim, body, head)
            if payload is None or head is None:
                raise ValidationFailed("This is not an event: it has no message with a type.")
            reply, watch.outcome = _reply(org_id, head, payload)
            return reply


def receive_sms_status(signature: str | None, url: str, read: Callable[[], Mapping[str, str]]) -> None:
    """Take what Twilio reports of a text; `read` returns the form and is not called without a signature.

    Raises `Forbidden` for what is not Twilio's, `ValidationFailed` for what is no report, and what says that the
    database is away if it can't be kept, as what came to an address not of our making, which anybody may have sent.
    """
    with watched("twilio", sms_status.EVENT_TYPE) as watch:
        if not signature:
            raise Forbidden(_NOT_TWILIOS)
        form, seen = read(), sms_status.seen_by_twilio(url)
        if not sms_status.is_report(form):
            raise ValidationFailed("MessageSid and MessageStatus are needed.")
        payload = {"form": dict(form), "url": seen, "signature": signature}
        org_id = sms_status.addressed_to(seen)
        delivery = Delivery("twilio", org_id, payload, datetime.now(UTC))
        watch.outcome = _take(delivery) if org_id else handler.process(delivery)
        if watch.outcome is Outcome.REFUSED:
            raise Forbidden(_NOT_TWILIOS)


def _reply(org_id: str | None, head: Event, payload: Row) -> tuple[Row, Outcome]:
    delivery = Delivery("vapi", org_id, payload, datetime.now(UTC))
    if head.type == ASSISTANT_REQUEST:
        reply = assistant_request.answer(org_id, head)
        return reply, Outcome.FAILED if "error" in reply else Outcome.ANSWERED
    if head.type in _ANSWERED:
        return tool_calls.answer(org_id, payload, keep=cache(lambda: _kept(delivery)))
    outcome = _take(delivery) if handler.stored(head) else Outcome.IGNORED
    return _acknowledged(head, outcome), outcome


@contextmanager
def watched(source: Literal["vapi", "twilio"], event_type: str = "other") -> Iterator[Watch]:
    """Tell the monitoring, once, how the block dealt with a delivery; an error says so itself."""
    watch, started = Watch(event_type), time.perf_counter()
    try:
        yield watch
    except NotFound:
        watch.outcome = Outcome.UNKNOWN
        raise
    except Exception as error:
        refused = isinstance(error, (ApiError, HTTPException)) and not is_unavailable(error)
        watch.outcome = Outcome.REFUSED if refused else Outcome.FAILED
        raise
    finally:
        seconds = time.perf_counter() - started
        webhook_event.send(source=source, event_type=watch.event_type, outcome=watch.outcome.value, seconds=seconds)


def _read(body: bytes) -> tuple[Row | None, Event | None]:
    """Read the payload and whose it is; None for what is not there."""
    payload = _json(_NUL.sub(rb"\1", body) if b"\\u0000" in body else body)
    try:
        return payload, envelope.head(payload or {})
    except ValidationError:
        return None, None


def _json(body: bytes) -> Row | None:
    """Read an object; NUL, half characters and NaN, which no store holds, are not worth losing it for."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            text = body.decode("utf-8", "replace")
            read = json.loads(text, parse_float=_real, parse_int=_whole, parse_constant=lambda _: None)
            payload = orjson.loads(json.dumps(read, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
    return payload if isinstance(payload, dict) else None


def _whole(digits: str) -> int | float | None:
    return int(digits) if len(digits) < len(str(2**63)) else _real(digits)


def _real(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _genuine(claim: Claim, body: bytes, head: Event | None) -> str | None:
    """Return the organisation in whose name the event is signed; raises for what nobody signed.

    None only for what is no event, and where Supabase can't be asked, if the platform's own secret proves it: nobody
    else has that.
    """
    try:
        with breaker.current().watching():
            org_id = routing.organization_for(head) if head else None
            accepted = signature.secrets_of(org_id) if org_id else signature.platform_secrets()
    except Exception as error:
        if not is_unavailable(error) or not claim.holds(body, signature.platform_secrets()):
            raise
        return None
    if not claim.holds(body, accepted):
        raise Unauthenticated("Invalid webhook signature.")
    if head is not None and org_id is None:
        ids = {"assistant_id": head.assistant_id, "phone_number_id": head.phone_number_id, "event_type": head.type}
        logger.warning("event of nobody's assistant", extra={**ids, "provider_call_id": head.call_id})
        raise NotFound("assistant")
    return org_id


def _take(delivery: Delivery) -> Outcome:
    way = breaker.current()
    if SPOOL not in current_app.extensions or way.lets_through():
        try:
            outcome = handler.process(delivery)
        except Exception as error:
            way.note(error)
            if not is_unavailable(error):
                raise
        else:
            way.note(None)
            return outcome
    _keep(delivery)
    return Outcome.SPOOLED


def _keep(delivery: Delivery) -> None:
    """Keep a delivery until the database is back; raises `DatabaseUnavailable` if that can't be done."""
    spool = cast(Spool | None, current_app.extensions.get(SPOOL))
    if spool is None:
        raise DatabaseUnavailable
    ids = {"org_id": delivery.org_id, "event_id": handler.names(delivery)[1]}
    logger.warning("database away, event kept", extra=ids)
    try:
        spool.put(delivery)
    except Exception as error:
        logger.exception("event can't be kept", extra=ids)
        raise DatabaseUnavailable from error


def _kept(delivery: Delivery) -> bool:
    try:
        _keep(delivery)
    except DatabaseUnavailable:
        return False
    return True


def _acknowledged(head: Event, outcome: Outcome) -> dict[str, Any]:
    return {
        "success": True,
        "received": True,
        "jobId": head.event_id,
        "processed": "async" if outcome is Outcome.SPOOLED else "sync",
        "outcome": outcome.value,
        # What an event that only asks for knowledge is answered with: there is none yet.
        **({"context": "", "chunks": []} if outcome is Outcome.IGNORED else {}),
    }
