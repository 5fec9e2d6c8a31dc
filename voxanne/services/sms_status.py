"""What Twilio reports of the texts that were sent: signed with the token of the account that sent them.

The address that Twilio is given says whose text it is, and is signed by us: nobody else can make one. So a report can
be kept while the database is away, and whether Twilio signed it is found out when it is applied.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from flask import current_app
from itsdangerous import BadSignature, Signer

from voxanne import database
from voxanne.config import Settings
from voxanne.integrations import twilio
from voxanne.queries import outbox
from voxanne.services import org_settings
from voxanne.services.secrets import SecretUnreadableError
from voxanne.services.webhooks.deliveries import Delivery, Outcome

PATH = "/api/webhooks/sms-status"
EVENT_TYPE = "sms-status"
STATUSES = (
    "accepted", "scheduled", "queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled", "read",
)  # fmt: skip
_SID, _ERROR_CODE = re.compile(r"[A-Za-z0-9]{1,100}"), re.compile(r"[0-9]{1,10}")
_OWNER = "for"


def callback_url(org_id: str) -> str | None:
    """Return where Twilio is to report what becomes of a text; None if the program does not know its own address."""
    base = _address()
    return f"{base}?{_OWNER}={_signer().sign(org_id).decode()}" if base else None


def addressed_to(url: str) -> str | None:
    """Return the organisation that an address of `callback_url` was made for, None for any other address."""
    given = parse_qs(urlsplit(url).query).get(_OWNER, [""])[0]
    try:
        return str(uuid.UUID(_signer().unsign(given).decode()))
    except (BadSignature, ValueError):
        return None


def seen_by_twilio(url: str) -> str:
    """Return the address of a request as Twilio knows it, whatever stands between us and the world."""
    base, query = _address(), urlsplit(url).query
    return (f"{base}?{query}" if query else base) if base else url


def is_report(form: Mapping[str, Any]) -> bool:
    """Whether a form says of which text it is, and a status that is known."""
    sid, status = _said(form)
    return bool(_SID.fullmatch(sid)) and status in STATUSES


def event_id(form: Mapping[str, Any]) -> str:
    """Return what names a report in the records."""
    return "sms:{}:{}".format(*_said(form))


def apply(delivery: Delivery) -> Outcome:
    """Store what a report says if it is newer than what is known; its payload is `form`, `url` and `signature`.

    `REFUSED` if it is not signed for that address by the account that sent the text, `UNKNOWN` for a text that is not
    ours, as Twilio could do nothing about it.
    """
    form, db = delivery.payload["form"], database.as_service()
    sid, status = _said(form)
    account = str(form.get("AccountSid") or "")
    org_id = delivery.org_id or outbox.owner_of(db, sid, account if _SID.fullmatch(account) else None)
    token = _token(org_id)
    if not token or not twilio.signature_is_valid(token, delivery.payload["url"], form, delivery.payload["signature"]):
        return Outcome.REFUSED
    if org_id is None:
        return Outcome.UNKNOWN
    code = str(form.get("ErrorCode") or "")
    code = code if _ERROR_CODE.fullmatch(code) else ""
    message = f"Twilio could not deliver the text (error {code})." if code else None
    found = outbox.apply_status(db, org_id, sid, status, error_code=code or None, error_message=message)
    if not found["known"]:
        return Outcome.UNKNOWN
    return Outcome.APPLIED if found["applied"] else Outcome.DUPLICATE


def _said(form: Mapping[str, Any]) -> tuple[str, str]:
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    return str(sid), str(form.get("MessageStatus") or form.get("SmsStatus") or "").lower()


def _token(org_id: str | None) -> str | None:
    """Return the organisation's own token, else the platform's."""
    settings = _settings()
    platform = settings.twilio_auth_token.get_secret_value() if settings.twilio_auth_token else None
    if org_id is None:
        return platform
    try:
        return org_settings.secret(org_id, "twilio", "auth_token") or platform
    except SecretUnreadableError:
        return None


def _address() -> str | None:
    base = _settings().backend_url
    return f"{str(base).rstrip('/')}{PATH}" if base else None


def _signer() -> Signer:
    return Signer(_settings().signing_key, salt="sms-status")


def _settings() -> Settings:
    return cast(Settings, current_app.config["SETTINGS"])
