"""Members of an organisation and their roles."""

from typing import cast

from postgrest import SyncPostgrestClient

from voxanne.database import Row


def get_role(db: SyncPostgrestClient, org_id: str, user_id: str) -> str | None:
    """Return the role of an accepted member, or None."""
    rows = (
        db.from_("user_org_roles")
        .select("role")
        .eq("org_id", org_id)
        .eq("user_id", user_id)
        .not_.is_("accepted_at", "null")
        .limit(1)
        .execute()
    )
    return cast(Row, rows.data[0])["role"] if rows.data else None


def list_agents(db: SyncPostgrestClient, org_id: str) -> list[Row]:
    """Return id, email and created_at of the members with the role agent, oldest first."""
    return cast(list[Row], db.rpc("list_agents", {"p_org_id": org_id}).execute().data)
