"""Organisations, and whether somebody is a member of one."""

from postgrest import SyncPostgrestClient

from voxanne.database import Row
from voxanne.queries.results import first


def get_with_membership(db: SyncPostgrestClient, org_id: str, user_id: str) -> Row | None:
    """Return id, name and status of an organisation, and under `user_org_roles` the user's accepted membership."""
    return first(
        db.from_("organizations")
        .select("id,name,status,user_org_roles(role)")
        .eq("id", org_id)
        .eq("user_org_roles.user_id", user_id)
        .filter("user_org_roles.accepted_at", "not.is", "null")
        .limit(1)
    )
