"""The console's voice assistants, and who the caller is."""

from flask import Blueprint, Response, jsonify

from voxanne import database
from voxanne.auth import Role, principal, require_role
from voxanne.errors import NotFound
from voxanne.openapi import describe
from voxanne.queries import org_settings as queries
from voxanne.schemas.agent_config import AgentConfig, AgentConfigChanges, AgentConfigQuery, AgentConfigSaved
from voxanne.schemas.common import Me
from voxanne.schemas.voice_agents import Behavior, BehaviorSaved
from voxanne.services import console_settings, voice_agents

bp = Blueprint("founder_console_v2", __name__, url_prefix="/api/founder-console")


@bp.get("/me")
@describe("Founder console", Me)
def get_me() -> Response:
    """Say who the caller is."""
    caller = principal()
    return jsonify(id=caller.user_id, email=caller.email, orgId=caller.org_id)


@bp.get("/agent/config")
@describe("Founder console", AgentConfig, errors=(404,))
def get_agent_config(query: AgentConfigQuery) -> Response:
    """Return the voice assistants with the services that they are connected to, keys masked."""
    caller = principal()
    row = queries.get_with_agents(database.for_principal(caller.token), caller.org_id)
    if row is None:
        raise NotFound("organization")
    return jsonify(voice_agents.describe(row, query.role))


@bp.post("/agent/behavior")
@describe("Founder console", BehaviorSaved, errors=(404, 409, 413, 415, 502))
@require_role(Role.ADMIN)
def save_behavior(json: Behavior) -> Response:
    """Change the inbound assistant, the outbound one or both; the one that is not sent stays as it is.

    A 502 with `saved` means that the changes are saved, but that the voice provider does not have them yet. Nothing is
    saved with a 404: the number to call out from is not the organisation's.
    """
    return jsonify(voice_agents.save_behavior(principal(), json.columns()))


@bp.post("/agent/config")
@describe("Founder console", AgentConfigSaved, errors=(409, 413, 415, 502))
@require_role(Role.ADMIN)
def save_agent_config(json: AgentConfigChanges) -> Response:
    """Store keys, number and inbound assistant at once, and connect them at the voice provider.

    If the provider fails, the error tells under `steps` how far it got; what is stored stays stored.
    """
    return jsonify(console_settings.save_agent_config(principal(), json))
