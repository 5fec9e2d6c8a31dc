"""The blueprints, each with its guard."""

import uuid
from collections.abc import Callable

from flask import Blueprint, Flask, request
from werkzeug.routing import BaseConverter

from voxanne import limits
from voxanne.auth import has_account, operator, public, signed_in
from voxanne.errors import InvalidId, Unauthenticated
from voxanne.observability.timing import checking_caller
from voxanne.routes import (
    agents,
    analytics,
    calls_dashboard,
    contacts,
    founder_console_settings,
    founder_console_v2,
    invitations,
    metrics,
    monitoring,
    operations,
    ops,
    orgs,
    phone_mappings,
    recordings,
    services,
    system,
    team,
    vapi_webhook,
    voices,
    webhooks,
)

Guard = Callable[[], None]

BLUEPRINTS: tuple[tuple[Blueprint, Guard], ...] = (
    (system.bp, public),
    (recordings.bp, public),  # the signed link is the key
    (orgs.bp, signed_in),
    (calls_dashboard.bp, signed_in),
    (analytics.bp, signed_in),
    (services.bp, signed_in),
    (agents.bp, signed_in),
    (voices.bp, public),
    (founder_console_settings.bp, signed_in),
    (founder_console_v2.bp, signed_in),
    (team.bp, signed_in),
    (invitations.bp, has_account),
    (contacts.bp, signed_in),
    (phone_mappings.bp, signed_in),
    (vapi_webhook.bp, public),  # the signature is the key, here and below
    (webhooks.bp, public),
    (monitoring.bp, signed_in),
    (monitoring.health_bp, public),
    (operations.bp, operator),
    (ops.bp, public),  # a sign-in of its own
    (metrics.bp, public),  # a token of its own
)
WEBHOOKS = (vapi_webhook.bp, webhooks.bp)
GUARDS = {blueprint.name: guard for blueprint, guard in BLUEPRINTS}


class UuidConverter(BaseConverter):
    """Matches any path segment, so that a malformed id is a 400 and not the 404 of an unknown path."""

    def to_url(self, value: object) -> str:
        """Write the id."""
        return str(value)


def init_app(app: Flask) -> None:
    """Register every blueprint; the guard runs before anything of the route, and an unlisted route needs a session."""
    app.url_map.converters["uuid"] = UuidConverter
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.before_request(_guard)
    app.before_request(_check_ids)
    for blueprint, _ in BLUEPRINTS:
        app.register_blueprint(blueprint)


def _guard() -> None:
    if request.url_rule is None or request.method == "OPTIONS":
        return
    try:
        with checking_caller():
            GUARDS.get(request.blueprint or "", signed_in)()
    except Unauthenticated:
        limits.count_failed_authentication()
        raise


def _check_ids() -> None:
    arguments = request.view_args or {}
    for name in [name for name in arguments if name.endswith("_id")]:
        try:
            arguments[name] = str(uuid.UUID(arguments[name]))
        except ValueError:
            raise InvalidId from None
