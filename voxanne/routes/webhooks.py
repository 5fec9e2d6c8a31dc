"""The other addresses for providers' events: the voice provider's second one, and what Twilio reports of texts."""

from datetime import UTC, datetime

from flask import Blueprint, Response, current_app, jsonify, request

from voxanne.config import Settings
from voxanne.errors import WrongMediaType
from voxanne.openapi import FORM_TYPE, describe, read_body
from voxanne.routes import vapi_webhook
from voxanne.schemas.webhooks import Received, SmsStatus, VapiEvent, VapiReply, WebhookHealth, WebhookStatus
from voxanne.services.webhooks import live

bp = Blueprint("webhooks", __name__, url_prefix="/api")

MAX_REPORT_BYTES = 100_000


@bp.post("/webhooks/vapi")
@describe("Webhooks", VapiReply, public=True, errors=(401, 404, 413, 415))
def receive_event(json: VapiEvent) -> Response:  # noqa: ARG001 -- described by it, read as it came
    """Take an event of the voice provider, as /api/vapi/webhook does."""
    return vapi_webhook.take()


@bp.post("/webhooks/sms-status")
@describe("Webhooks", Received, public=True, errors=(403, 413, 415))
def receive_sms_status(form: SmsStatus) -> Response:  # noqa: ARG001 -- described by it, read as it came
    """Take what Twilio reports of a text: a form, signed in X-Twilio-Signature with the account's token.

    It is kept while the database is away if it comes to the address that Twilio was given with the text.
    """
    live.receive_sms_status(request.headers.get("X-Twilio-Signature"), request.url, _form)
    return jsonify(received=True)


def _form() -> dict[str, str]:
    read_body(request, limit=MAX_REPORT_BYTES)
    if request.mimetype != FORM_TYPE:
        raise WrongMediaType(FORM_TYPE)
    return request.form.to_dict()


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
