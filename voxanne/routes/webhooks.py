"""The other addresses for providers' events: the voice provider's second one, and what Twilio reports of texts."""

from datetime import UTC, datetime

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import UnsupportedMediaType

from voxanne.config import Settings
from voxanne.errors import Forbidden, ValidationFailed
from voxanne.openapi import describe, read_body
from voxanne.routes import vapi_webhook
from voxanne.schemas.webhooks import Received, SmsStatus, VapiEvent, VapiReply, WebhookHealth, WebhookStatus
from voxanne.services import sms_status
from voxanne.services.sms_status import SmsOutcome
from voxanne.services.webhooks import live
from voxanne.services.webhooks.deliveries import Outcome

bp = Blueprint("webhooks", __name__, url_prefix="/api")

_FORM = "application/x-www-form-urlencoded"


@bp.post("/webhooks/vapi")
@describe("Webhooks", VapiReply, public=True, errors=(401, 404, 413, 415))
def receive_event(json: VapiEvent) -> Response:  # noqa: ARG001 -- described by it, read as it came
    """Take an event of the voice provider, as /api/vapi/webhook does."""
    return vapi_webhook.take()


@bp.post("/webhooks/sms-status")
@describe("Webhooks", Received, public=True, errors=(403, 413, 415))
def receive_sms_status(json: SmsStatus) -> Response:  # noqa: ARG001 -- described by it, read as it came
    """Take what Twilio reports of a text: a form, signed in X-Twilio-Signature with the account's token."""
    with live.watched("twilio", "sms-status") as watch:
        outcome = _take_sms_status()
        watch.outcome = Outcome.REFUSED if outcome is SmsOutcome.INVALID else Outcome(outcome.value)
    if outcome is SmsOutcome.REFUSED:
        raise Forbidden("Missing or invalid webhook signature.")
    if outcome is SmsOutcome.INVALID:
        raise ValidationFailed("MessageSid and MessageStatus are needed.")
    return jsonify(received=True)


def _take_sms_status() -> SmsOutcome:
    signature = request.headers.get("X-Twilio-Signature")
    if not signature:
        return SmsOutcome.REFUSED
    read_body(request)
    if request.mimetype != _FORM:
        raise UnsupportedMediaType
    return sms_status.apply_status(request.form.to_dict(), request.url, signature)


@bp.get("/webhook/health")
@describe("Webhooks", WebhookHealth, public=True)
def get_health() -> Response:
    """Say that events are taken here."""
    return jsonify(status="ok", timestamp=datetime.now(UTC))


@bp.get("/webhook/status")
@describe("Webhooks", WebhookStatus, public=True)
def get_status() -> Response:
    """Say what the webhook side is set up with."""
    settings: Settings = current_app.config["SETTINGS"]
    return jsonify(
        status="ok",
        timestamp=datetime.now(UTC),
        secretConfigured=bool(settings.webhook_secrets),
        sharedSecretAccepted=settings.vapi_shared_secret_accepted,
        spool=live.SPOOL in current_app.extensions,
    )
