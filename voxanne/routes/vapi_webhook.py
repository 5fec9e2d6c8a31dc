"""The address that every assistant sends its events to; the signature is the key."""

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import UnsupportedMediaType

from voxanne.openapi import JSON_TYPES, describe, read_body
from voxanne.schemas.webhooks import VapiEvent, VapiReply, WebhookHealth
from voxanne.services.webhooks import live

bp = Blueprint("vapi_webhook", __name__, url_prefix="/api/vapi/webhook")

MAX_EVENT_BYTES = 5_000_000
"""A report holds the whole conversation, several times over."""


@bp.post("")
@describe("Webhooks", VapiReply, public=True, errors=(401, 404, 413, 415))
def receive_event(json: VapiEvent) -> Response:  # noqa: ARG001 -- described by it, read as it came
    """Take an event of the voice provider, once however often it comes.

    Signed by HMAC-SHA256 over "timestamp.body" (X-Signature, X-Timestamp), or with the secret itself in X-Vapi-Secret.
    503 if it can neither be applied nor kept: send it again.
    """
    return take()


@bp.get("/health")
@describe("Webhooks", WebhookHealth, public=True)
def get_health() -> Response:
    """Say that events are taken here."""
    return jsonify(status="ok", timestamp=datetime.now(UTC))


def take() -> Response:
    """Take the event that this request brings."""
    return jsonify(live.receive(request.headers, _body))


def _body() -> bytes:
    raw = read_body(request, limit=MAX_EVENT_BYTES)
    if raw and request.mimetype not in JSON_TYPES:
        raise UnsupportedMediaType
    return raw
