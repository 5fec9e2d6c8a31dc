"""Invitations to the caller, who need not belong to an organisation: a removed member can be invited again."""

from flask import Blueprint, Response, jsonify

from voxanne import database
from voxanne.auth import account
from voxanne.openapi import describe
from voxanne.queries import members
from voxanne.schemas.team import Acceptance, Invitation, Joined
from voxanne.services import team

bp = Blueprint("invitations", __name__, url_prefix="/api/team/invitations")


@bp.get("")
@describe("Team", list[Invitation])
def list_invitations() -> Response:
    """List what the caller is invited to join."""
    return jsonify(members.list_own_invitations(database.for_principal(account().token)))


@bp.post("/accept")
@describe("Team", Joined, errors=(404, 409, 413, 415))
def accept_invitation(json: Acceptance) -> Response:
    """Join the organisation of an invitation; the session has to be refreshed afterwards.

    409 for the last owner or admin of the caller's present organisation.
    """
    joined = team.accept(account(), str(json.invitation_id))
    return jsonify(success=True, message="You have joined. Refresh the session to work there.", **joined)
