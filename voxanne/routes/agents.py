"""The people on the team who take calls over (not the voice assistants)."""

from flask import Blueprint, Response, jsonify

from voxanne import database
from voxanne.auth import principal
from voxanne.openapi import describe
from voxanne.queries import members
from voxanne.schemas.system import Agent

bp = Blueprint("agents", __name__, url_prefix="/api/agents")


@bp.get("")
@describe("Team", list[Agent])
def list_agents() -> Response:
    """List the members with the role agent, oldest first."""
    caller = principal()
    return jsonify(members.list_agents(database.for_principal(caller.token), caller.org_id))
