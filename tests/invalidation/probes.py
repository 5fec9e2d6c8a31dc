"""Addresses that only tests have: what the program reads through the cache without a route of its own showing it."""

from flask import Blueprint, Flask, Response, jsonify

from voxanne import database
from voxanne.auth import principal
from voxanne.services import inbound_config, org_settings, organizations, phone_mappings, pricing

bp = Blueprint("probes", __name__, url_prefix="/probe")


def init_app(app: Flask) -> None:
    """Add them; as with every blueprint that names no guard, they need a session."""
    app.register_blueprint(bp)


@bp.get("/price-list")
def price_list() -> Response:
    caller = principal()
    return jsonify(pricing.price_list(database.for_principal(caller.token), caller.org_id))


@bp.get("/inbound-config")
def get_inbound_config() -> Response:
    caller = principal()
    return jsonify(inbound_config.load(database.for_principal(caller.token), caller.org_id))


@bp.get("/org-settings")
def get_org_settings() -> Response:
    caller = principal()
    return jsonify(org_settings.load(database.for_principal(caller.token), caller.org_id))


@bp.get("/secret/<provider>/<field>")
def get_secret(provider: str, field: str) -> Response:
    return jsonify(org_settings.secret(principal().org_id, provider, field))


@bp.get("/timezone")
def get_timezone() -> Response:
    return jsonify(str(organizations.timezone(principal())))


@bp.get("/role")
def get_role() -> Response:
    return jsonify(principal().role.name)


@bp.get("/organization-for/<phone>")
def organization_for(phone: str) -> Response:
    return jsonify(phone_mappings.organization_for(phone))
