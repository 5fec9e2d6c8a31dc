"""The voices that assistants can have, the same for every organisation."""

from flask import Blueprint, Response, jsonify

from voxanne import voices
from voxanne.openapi import describe
from voxanne.schemas.voices import VoiceLabels, VoiceList

bp = Blueprint("voices", __name__, url_prefix="/api")


@bp.get("/founder-console/voices")
@describe("Founder console", VoiceLabels, public=True)
def list_console_voices() -> Response:
    """List the voices of the default provider."""
    found = [voice for voice in voices.VOICES if voice.provider == "vapi"]
    labels = [{"id": v.id, "label": v.label, "provider": v.provider, "gender": v.gender} for v in found]
    return jsonify(provider="vapi", voices=labels, default=voices.DEFAULT)


@bp.get("/assistants/voices/available")
@describe("Founder console", VoiceList, public=True)
def list_voices() -> Response:
    """List all voices."""
    return jsonify(voices=[voices.describe(voice) for voice in voices.VOICES])
