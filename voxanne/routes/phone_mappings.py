"""Phone mappings: the numbers of an organisation that callers dial."""

from flask import Blueprint, Response, jsonify
from pydantic import TypeAdapter, ValidationError

from voxanne import database
from voxanne.auth import Role, principal, require_role
from voxanne.errors import NotFound, ValidationFailed
from voxanne.openapi import describe
from voxanne.queries import phone_mappings as queries
from voxanne.schemas.common import DialledNumber, Done
from voxanne.schemas.phone_mappings import (
    NewPhoneMapping,
    PhoneLookup,
    PhoneMappings,
    SavedPhoneMapping,
)
from voxanne.services import phone_mappings

bp = Blueprint("phone_mappings", __name__, url_prefix="/api/inbound")
_number: TypeAdapter[str] = TypeAdapter(DialledNumber)


@bp.get("/phone-mappings")
@describe("Phone mappings", PhoneMappings)
def list_mappings() -> Response:
    """List the active numbers, newest first."""
    caller = principal()
    found = queries.list_mappings(database.for_principal(caller.token), caller.org_id)
    return jsonify(success=True, mappings=found.rows, count=found.total)


@bp.post("/phone-mappings")
@describe("Phone mappings", SavedPhoneMapping, errors=(409, 413, 415))
@require_role(Role.MANAGER)
def save_mapping(json: NewPhoneMapping) -> Response:
    """Add a number, or change it and bring it back.

    Without a country code it is taken for one of the organisation's country (`telephony_country`), and stored in full.
    409 if another organisation uses the number or the provider's id.
    """
    row = phone_mappings.save(
        principal(), json.inbound_phone_number, clinic_name=json.clinic_name, vapi_id=json.vapi_phone_number_id
    )
    return jsonify(success=True, message="Phone mapping saved", mapping=row)


@bp.delete("/phone-mappings/<uuid:mapping_id>")
@describe("Phone mappings", Done, errors=(404,))
@require_role(Role.MANAGER)
def delete_mapping(mapping_id: str) -> Response:
    """Deactivate a number."""
    phone_mappings.deactivate(principal(), mapping_id)
    return jsonify(success=True, message="Phone mapping deactivated")


@bp.get("/phone-lookup/<number>")
@describe("Phone mappings", PhoneLookup, errors=(404,))
def look_up_number(number: str) -> Response:
    """Return the name of the clinic with a number, among the organisation's own numbers."""
    caller = principal()
    try:
        dialled = phone_mappings.own(caller, _number.validate_python(number))
    except ValidationError:
        dialled = None
    if dialled is None:
        raise ValidationFailed(
            "The number in the address must be an international one such as +14155550123, or one of your country."
        )
    row = queries.find_by_number(database.for_principal(caller.token), caller.org_id, dialled)
    if row is None:
        raise NotFound("phone mapping")
    return jsonify(success=True, **row)
