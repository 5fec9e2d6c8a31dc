"""What Twilio reports of the texts that were sent: signed with the token of the account that sent them."""

import re
from collections.abc import Mapping
from enum import StrEnum

from flask import current_app

from voxanne import database
from voxanne.config import Settings
from voxanne.integrations import twilio
from voxanne.queries import outbox
from voxanne.services import org_settings, texts
from voxanne.services.secrets import SecretUnreadableError

STATUSES = (
    "accepted", "scheduled", "queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled", "read",
)  # fmt: skip
_SID, _ERROR_CODE = re.compile(r"[A-Za-z0-9]{1,100}"), re.compile(r"[0-9]{1,10}")


class SmsOutcome(StrEnum):
    """What became of a report; `INVALID` is the sender's fault (400), `REFUSED` a wrong signature (403)."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    REFUSED = "refused"


def apply_status(form: Mapping[str, str], url: str, signature: str | None) -> SmsOutcome:
    """Store what a report says, if it is newer than what is known; `url` is the one that the request came in on.

    Without a signature, or without the fields that it takes, nothing is asked of the database. A text that we do not
    know is acknowledged (`UNKNOWN`), as Twilio could do nothing about it.
    """
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    status = (form.get("MessageStatus") or form.get("SmsStatus") or "").lower()
    if not signature:
        return SmsOutcome.REFUSED
    if not _SID.fullmatch(sid) or status not in STATUSES:
        return SmsOutcome.INVALID
    db = database.as_service()
    account = form.get("AccountSid", "")
    # Nobody has signed this yet: what is no id must not become a trouble of the database's.
    org_id = outbox.owner_of(db, sid, account if _SID.fullmatch(account) else "")
    token = _token(org_id)
    if not token or not twilio.signature_is_valid(token, texts.callback_url() or url, form, signature):
        return SmsOutcome.REFUSED
    if org_id is None:
        return SmsOutcome.UNKNOWN
    code = form.get("ErrorCode") or ""
    code = code if _ERROR_CODE.fullmatch(code) else ""
    message = f"Twilio could not deliver the text (error {code})." if code else None
    found = outbox.apply_status(db, org_id, sid, status, error_code=code or None, error_message=message)
    if not found["known"]:
        return SmsOutcome.UNKNOWN
    return SmsOutcome.APPLIED if found["applied"] else SmsOutcome.DUPLICATE


def _token(org_id: str | None) -> str | None:
    """Return the organisation's own token, else the platform's."""
    settings: Settings = current_app.config["SETTINGS"]
    platform = settings.twilio_auth_token.get_secret_value() if settings.twilio_auth_token else None
    if org_id is None:
        return platform
    try:
        return org_settings.secret(org_id, "twilio", "auth_token") or platform
    except SecretUnreadableError:
        return None
