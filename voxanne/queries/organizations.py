"""Organisations."""

from typing import cast

from postgrest import SyncPostgrestClient

from voxanne.database import Row


def get_with_membership(db: SyncPostgrestClient, org_id: str, user_id: str) -> Row | None:
    """Return id, name and status of an organisation, and under `user_org_roles` the user's accepted membership."""
    rows = (
        db.from_("organizations")
        .select("id,name,status,user_org_roles(role)")
        .eq("id", org_id)
        .eq("user_org_roles.user_id", user_id)
        .filter("user_org_roles.accepted_at", "not.is", "null")
        .limit(1)
        .execute()
        .data
    )
    return cast(Row, rows[0]) if rows else None


def database_size_bytes(db: SyncPostgrestClient) -> int:
    """Return the size of the whole database; needs the service key."""
    return cast(int, db.rpc("database_size_bytes", {}).execute().data)
