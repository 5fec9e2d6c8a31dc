"""Contacts, as the leads page shows them."""

from flask import Blueprint, Response

from voxanne import conditional
from voxanne.auth import principal
from voxanne.openapi import describe
from voxanne.schemas.contacts import ContactStats
from voxanne.services import contacts

bp = Blueprint("contacts", __name__, url_prefix="/api/contacts")


@bp.get("/stats")
@describe("Contacts", ContactStats, replies=conditional.UNCHANGED)
def get_stats() -> Response:
    """Return how many contacts there are, in all and by lead status.

    304 if the ETag that the request sends still holds.
    """
    caller = principal()
    found = contacts.stats(caller)
    return conditional.reply(caller.org_id, current_version=lambda: found["version"], load=lambda: found, storable=True)
