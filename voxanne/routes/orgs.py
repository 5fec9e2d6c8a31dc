"""The check by which the dashboard lets somebody in: whether the caller belongs to an organisation."""

from flask import Blueprint, Response, jsonify

from voxanne.auth import principal
from voxanne.errors import Forbidden
from voxanne.openapi import describe
from voxanne.schemas.system import OrgValidation
from voxanne.services import organizations

bp = Blueprint("orgs", __name__, url_prefix="/api/orgs")


@bp.get("/validate/<uuid:org_id>")
@describe("Organisations", OrgValidation, errors=(404, 410))
def validate_org(org_id: str) -> Response:
    """Confirm that the caller belongs to an organisation, which must be the one of the token."""
    caller = principal()
    if org_id != caller.org_id:
        # Without a look-up, so that the answer does not tell whether such an organisation exists.
        raise Forbidden("Access denied: this organisation is not yours.")
    row = organizations.require_membership(caller)
    return jsonify(
        success=True,
        orgId=row["id"],
        orgName=row["name"],
        userId=caller.user_id,
        validated=True,
        message="Organization validated",
    )
