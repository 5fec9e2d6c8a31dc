"""Agents: the people of the team who take over calls, not the voice assistants."""

from flask import Blueprint, Response, jsonify

from voxanne.auth import principal
from voxanne.openapi import describe
from voxanne.schemas.team import Agent
from voxanne.services import team

bp = Blueprint("agents", __name__, url_prefix="/api/agents")


@bp.get("")
@describe("Team", list[Agent])
def list_agents() -> Response:
    """List the members with the role agent, oldest first."""
    return jsonify(team.agents(principal()))
