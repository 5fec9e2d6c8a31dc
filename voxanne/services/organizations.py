"""An organisation's time zone, and the check that the caller is a member."""

import logging
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voxanne import database
from voxanne.auth import Principal
from voxanne.database import Row
from voxanne.errors import Forbidden, Gone, NotFound
from voxanne.queries import organizations
from voxanne.services import org_settings

logger = logging.getLogger(__name__)


def timezone(caller: Principal) -> ZoneInfo:
    """Return the caller's organisation's time zone, from the cache; UTC where it is unset."""
    settings = org_settings.load(database.for_principal(caller.token), caller.org_id)
    try:
        return ZoneInfo(settings["timezone"] if settings else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        # Postgres accepts a few names ("localtime", "posix/...") that Python does not know.
        logger.warning("unknown time zone", extra={"org_id": caller.org_id})
        return ZoneInfo("UTC")


def require_membership(caller: Principal) -> Row:
    """Return id and name of the caller's organisation.

    Raises a 404 if it is not there, `Gone` if it was deleted and `Forbidden` without an accepted membership.
    """
    db = database.for_principal(caller.token)
    row = organizations.get_with_membership(db, caller.org_id, caller.user_id)
    if row is None:
        raise NotFound("organization")
    if row["status"] == "deleted":
        raise Gone("This organization was deleted.")
    if not row["user_org_roles"] and not caller.bypass:
        raise Forbidden("Access denied: you are not a member of this organisation.")
    return row
