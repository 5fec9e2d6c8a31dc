"""Text messages out of the outbox: each is sent once, however often a sender dies in between.

A sender claims a text for `LEASE_SECONDS`, sends it and notes the result. If the result never arrives (the process
died, Twilio's answer was lost, the database was away), nobody knows whether the text went out; so the next sender looks
for it at Twilio, by number and by the reference that ends each text, and sends it only if it is not there.
"""

import base64
import hashlib
import logging
import random
import time
from datetime import datetime
from typing import NamedTuple

from voxanne import database
from voxanne.database import Row
from voxanne.errors import is_unavailable
from voxanne.integrations import twilio
from voxanne.integrations.text_messages import Account
from voxanne.integrations.twilio import TwilioBusy, TwilioError, TwilioKeyRefused, TwilioUnreachable
from voxanne.queries import outbox
from voxanne.queries.outbox import Ending
from voxanne.services import org_settings, sms_status
from voxanne.services.secrets import SecretUnreadableError
from voxanne.services.stored_text import clean

logger = logging.getLogger(__name__)

LEASE_SECONDS = 180
MOST_ATTEMPTS = 8
_BATCH = 5
# What one text can take at the most: looked up, sent, noted.
_ONE_TEXT_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 3600.0
# Long enough for a request that nobody waited for to show in Twilio's list.
_FIRST_PAUSE_IN_DOUBT = 120.0
_REFERENCE_LENGTH, _LONGEST_PART = 8, 60

NO_ACCOUNT = "No Twilio account is set up: account, token and number are needed in the settings."
TOKEN_UNREADABLE = "The stored Twilio token can't be read; enter it again in the settings."  # noqa: S105
KEY_REFUSED = "Twilio does not accept the stored account and token."
UNCONFIRMED = "Twilio could not be asked whether the text went out; it may have been sent."
GAVE_UP = "Twilio could not take the text in time."


class Result(NamedTuple):
    """How an attempt ended, in the words of `queries.outbox.finish`."""

    ending: Ending
    sid: str | None = None
    error: str | None = None


def reference(call_id: str) -> str:
    """Return the reference that ends the text of a call: the same for each delivery of its report."""
    digest = hashlib.sha256(f"hot lead text:{call_id}".encode("utf-8", "replace")).digest()
    return base64.b32encode(digest).decode()[:_REFERENCE_LENGTH]


def hot_lead_text(call_id: str, alert: Row, settings: Row) -> Row | None:
    """Return `to` and `body` of the text that tells the clinic of a hot lead, or None if it wants none.

    It goes to the clinic's own telephone, so it names the lead and the number to call back.
    """
    to = (settings.get("integration") or {}).get("hot_lead_alert_phone")
    if not to:
        return None
    parts = [
        clean(str(alert.get("lead_name") or ""), _LONGEST_PART),
        alert.get("lead_phone") or "number withheld",
        clean(str(alert.get("service_interest") or ""), _LONGEST_PART),
        f"urgency {alert['urgency_level']}" if alert.get("urgency_level") else "",
    ]
    line = ", ".join(" ".join(str(part).split()) for part in parts if part)
    return {"to": to, "body": f"Voxanne hot lead: {line}. (ref {reference(call_id)})"}


def send_due(limit: int = 20) -> int:
    """Send texts that are due and return how many went out; raises as PostgREST does if it can't claim them."""
    sent = claimed = 0
    while claimed < limit:
        until = time.monotonic() + LEASE_SECONDS
        batch = outbox.claim(database.as_service(), limit=min(_BATCH, limit - claimed), lease_seconds=LEASE_SECONDS)
        claimed += len(batch)
        for text in batch:
            # A lease that may run out meanwhile is somebody else's soon.
            if time.monotonic() > until - _ONE_TEXT_SECONDS:
                return sent
            result = _attempt(text)
            if not _note(text, result):
                return sent
            sent += result.ending == "sent"
        if len(batch) < _BATCH:
            break
    return sent


def _attempt(text: Row) -> Result:
    try:
        account = _account(str(text["org_id"]))
        return _send_once(account, text) if account else Result("failed", error=NO_ACCOUNT)
    except SecretUnreadableError:
        return Result("failed", error=TOKEN_UNREADABLE)
    except TwilioError as error:
        return _again(text, _meaning(error))
    except Exception as error:
        # The other texts need not wait for one that finds a bug, or Supabase away while its settings are read.
        if not is_unavailable(error):
            logger.exception("text could not be sent", extra={"message_id": text["id"], "cause": type(error).__name__})
        return _again(text, Result("unknown", error=UNCONFIRMED))


def _meaning(error: TwilioError) -> Result:
    if isinstance(error, TwilioUnreachable):
        return Result("unknown", error=UNCONFIRMED)
    if isinstance(error, TwilioBusy):
        return Result("retry", error=GAVE_UP)
    if isinstance(error, TwilioKeyRefused):
        return Result("failed", error=KEY_REFUSED)
    code = f" (error {error.provider_code})" if error.provider_code else ""
    return Result("failed", error=f"Twilio refused the text{code}.")


def _send_once(account: Account, text: Row) -> Result:
    provider = twilio.provider()
    if text.get("uncertain_since"):
        mark = text["content"].rpartition("(ref ")[2].partition(")")[0]
        try:
            listed = provider.sent_since(account, text["recipient"], datetime.fromisoformat(text["uncertain_since"]))
        except (TwilioBusy, TwilioUnreachable):
            return _again(text, Result("unknown", error=UNCONFIRMED))
        found = next(
            (one for one in listed if (mark and f"(ref {mark})" in one.body) or one.body == text["content"]), None
        )
        if found:
            return Result("sent", sid=found.sid)
    sent = provider.send(account, text["recipient"], text["content"], sms_status.callback_url(str(text["org_id"])))
    return Result("sent", sid=sent.sid)


def _again(text: Row, result: Result) -> Result:
    return Result("failed", error=result.error) if text["attempts"] >= MOST_ATTEMPTS else result


def _note(text: Row, result: Result) -> bool:
    """Store how it ended; False if that failed, so that somebody will look it up when the claim has run out."""
    first = _FIRST_PAUSE_IN_DOUBT if result.ending == "unknown" else _FIRST_PAUSE
    pause = min(_LONGEST_PAUSE, first * 2 ** max(0, text["attempts"] - 1)) * random.uniform(0.8, 1.2)  # noqa: S311
    try:
        outbox.finish(
            database.as_service(),
            text["id"],
            result.ending,
            external_id=result.sid,
            error=result.error,
            retry_seconds=round(pause),
        )
    except Exception as error:
        logger.exception(
            "result of a text could not be stored",
            extra={"message_id": text["id"], "cause": type(error).__name__},
        )
        return False
    if result.ending != "sent":
        logger.warning("text not sent", extra={"message_id": text["id"], "outcome": result.ending})
    return True


def _account(org_id: str) -> Account | None:
    settings = org_settings.load(database.as_service(), org_id)
    integration = (settings or {}).get("integration") or {}
    sid, number = integration.get("twilio_account_sid"), integration.get("twilio_from_number")
    token = org_settings.secret(org_id, "twilio", "auth_token") if sid and number else None
    return Account(sid, token, number) if sid and number and token else None
