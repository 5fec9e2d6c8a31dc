"""The team: members, roles and invitations."""

from flask import Blueprint, Response, jsonify

from voxanne import database
from voxanne.auth import Role, principal, require_role
from voxanne.openapi import describe
from voxanne.queries import members
from voxanne.schemas.team import Member, NewMember, RoleChange, RoleDescription
from voxanne.services import team

bp = Blueprint("team", __name__, url_prefix="/api/team")


@bp.get("/members")
@describe("Team", list[Member])
def list_members() -> Response:
    """List the members and those who are invited, newest first."""
    caller = principal()
    return jsonify(members.list_members(database.for_principal(caller.token), caller.org_id))


@bp.get("/roles")
@describe("Team", list[RoleDescription])
def list_roles() -> Response:
    """List the roles, the highest first."""
    return jsonify(
        [
            {"role": role.name.lower(), "name": name, "description": description}
            for role, (name, description) in team.DESCRIPTIONS.items()
        ]
    )


@bp.post("/members")
@describe("Team", Member, status=201, errors=(409, 413, 415))
@require_role(Role.ADMIN)
def invite_member(json: NewMember) -> tuple[Response, int]:
    """Invite somebody by e-mail address; they become a member when they accept.

    The reply does not tell whether the address has an account.
    """
    return jsonify(team.invite(principal(), json.email, json.role)), 201


@bp.patch("/members/<uuid:member_id>/role")
@describe("Team", Member, errors=(404, 409, 413, 415))
@require_role(Role.ADMIN)
def set_member_role(member_id: str, json: RoleChange) -> Response:
    """Change the role of a member or an invitation, by the id of the membership or of the user."""
    return jsonify(team.set_role(principal(), member_id, json.role))


@bp.delete("/members/<uuid:member_id>")
@describe("Team", status=204, errors=(404, 409))
@require_role(Role.ADMIN)
def remove_member(member_id: str) -> tuple[str, int]:
    """Remove a member or withdraw an invitation, by the id of the membership or of the user."""
    team.remove(principal(), member_id)
    return "", 204
