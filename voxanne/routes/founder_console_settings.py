"""The console's settings: keys of other services, which are stored encrypted and shown masked."""

from flask import Blueprint, Response, jsonify

from voxanne.auth import Role, principal, require_role
from voxanne.openapi import describe
from voxanne.schemas.console_settings import SettingsChanges, SettingsReply, SettingsSaved
from voxanne.services import console_settings

bp = Blueprint("founder_console_settings", __name__, url_prefix="/api/founder-console/settings")


@bp.get("")
@describe("Founder console", SettingsReply)
def get_settings() -> Response:
    """Say which services are connected."""
    return jsonify(console_settings.show(principal()))


@bp.post("")
@describe("Founder console", SettingsSaved, errors=(404, 409, 413, 415, 502))
@require_role(Role.ADMIN)
def save_settings(json: SettingsChanges) -> Response:
    """Change settings and keys; an empty string clears one, an unknown name is a 400.

    They are saved even if the voice provider then fails, which `webhookConfigured` and `webhookMessage` tell. With a
    404 (the assistant is not the organisation's) or a 502 (the provider can't tell whose it is) nothing is saved.
    """
    return jsonify(console_settings.save(principal(), json))
