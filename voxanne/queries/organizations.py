"""Organisations, and whether somebody is a member of one."""

from postgrest import CountMethod, SyncPostgrestClient

from voxanne.database import Row
from voxanne.queries.results import count, first, rows


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


def get_country(db: SyncPostgrestClient, org_id: str) -> str | None:
    """Return the country ("US") whose telephone numbers are an organisation's."""
    found = first(db.from_("organizations").select("telephony_country").eq("id", org_id).limit(1))
    return found["telephony_country"] if found else None


def count_organizations(db: SyncPostgrestClient, org_id: str | None = None) -> int:
    """Return how many there are, of all or with that id; needs the service key."""
    query = db.from_("organizations").select("id", count=CountMethod.exact, head=True)
    return count(query.eq("id", org_id) if org_id else query)


def list_ids(db: SyncPostgrestClient, *, after: str | None, limit: int) -> list[str]:
    """Return the next ids after one, in their order; needs the service key."""
    query = db.from_("organizations").select("id").order("id").limit(limit)
    return [str(row["id"]) for row in rows(query.gt("id", after) if after else query)]
