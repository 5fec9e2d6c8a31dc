"""The price list: services of the organisation."""

import functools

from flask import Blueprint, Response, jsonify

from voxanne import database
from voxanne.auth import Role, principal, require_role
from voxanne.errors import NotFound
from voxanne.openapi import describe
from voxanne.queries import services as queries
from voxanne.schemas.common import Done
from voxanne.schemas.services import NewService, Service, ServiceChanges, ServiceList, ServiceListQuery
from voxanne.services import pricing
from voxanne.services.idempotency import create_once

bp = Blueprint("services", __name__, url_prefix="/api/services")


@bp.get("")
@describe("Services", ServiceList)
def list_services(query: ServiceListQuery) -> Response:
    """List the services, newest first."""
    caller = principal()
    db = database.for_principal(caller.token)
    found = queries.list_services(db, caller.org_id, offset=query.offset, limit=query.limit)
    return jsonify(services=found.rows, pagination={"offset": query.offset, "limit": query.limit, "total": found.total})


@bp.get("/<uuid:service_id>")
@describe("Services", Service, errors=(404,))
def get_service(service_id: str) -> Response:
    """Return one service."""
    caller = principal()
    row = queries.get_service(database.for_principal(caller.token), caller.org_id, service_id)
    if row is None:
        raise NotFound("service")
    return jsonify(row)


@bp.post("")
@describe("Services", Service, status=201, errors=(409, 413, 415))
@require_role(Role.MANAGER)
def create_service(json: NewService) -> tuple[Response, int]:
    """Add a service.

    A repeat under the same X-Request-ID adds nothing and returns the service of the first time.
    """
    caller = principal()
    db = database.for_principal(caller.token)
    with pricing.changing(caller.org_id):
        row = create_once(
            scope=f"service:{caller.org_id}:{caller.user_id}",
            values=json.model_dump(mode="json"),
            insert=functools.partial(queries.create_service, db, caller.org_id),
            find=functools.partial(queries.get_service, db, caller.org_id),
        )
    return jsonify(row), 201


@bp.patch("/<uuid:service_id>")
@describe("Services", Service, errors=(404, 413, 415))
@require_role(Role.MANAGER)
def update_service(service_id: str, json: ServiceChanges) -> Response:
    """Change a service; fields that are left out stay."""
    caller = principal()
    changes = json.model_dump(mode="json", exclude_unset=True)
    with pricing.changing(caller.org_id):
        row = queries.update_service(database.for_principal(caller.token), caller.org_id, service_id, changes)
    if row is None:
        raise NotFound("service")
    return jsonify(row)


@bp.delete("/<uuid:service_id>")
@describe("Services", Done, errors=(404,))
@require_role(Role.MANAGER)
def delete_service(service_id: str) -> Response:
    """Delete a service; the history of its prices stays."""
    caller = principal()
    with pricing.changing(caller.org_id):
        found = queries.delete_service(database.for_principal(caller.token), caller.org_id, service_id)
    if not found:
        raise NotFound("service")
    return jsonify(success=True, message="Service deleted")
