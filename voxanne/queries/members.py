"""Members of an organisation, their roles, and invitations to join it."""

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


def list_members(db: SyncPostgrestClient, org_id: str) -> list[Row]:
    """Return the members and those still invited (`pending`), newest first, in the reply's own shape."""
    return cast(list[Row], db.rpc("team_members", {"p_org_id": org_id}).execute().data)


def invite(db: SyncPostgrestClient, org_id: str, email: str, role: str) -> Row:
    """Invite an address, or change what it is invited as; returns the pending member as in the list.

    A conflict means that the person is a member already.
    """
    return cast(Row, db.rpc("invite_member", {"p_org_id": org_id, "p_email": email, "p_role": role}).execute().data)


def set_role(db: SyncPostgrestClient, org_id: str, member_id: str, role: str) -> Row:
    """Change the role of a member or of an invitation; the id is the row's or the user's.

    Returns `outcome` (done, missing, self, above or last), and after a change `user_id` and `member`, as in the list.
    """
    parameters = {"p_org_id": org_id, "p_id": member_id, "p_role": role}
    return cast(Row, db.rpc("set_member_role", parameters).execute().data)


def remove(db: SyncPostgrestClient, org_id: str, member_id: str) -> Row:
    """End a membership or withdraw an invitation; takes the same ids and returns the same outcomes and `user_id`."""
    return cast(Row, db.rpc("remove_member", {"p_org_id": org_id, "p_id": member_id}).execute().data)


def list_own_invitations(db: SyncPostgrestClient) -> list[Row]:
    """Return what the caller is asked to join, newest first."""
    return cast(list[Row], db.rpc("my_invitations", {}).execute().data)


def accept_invitation(db: SyncPostgrestClient, invitation_id: str) -> Row | None:
    """Make the caller a member; returns org_id and role, or None if the caller has no such invitation.

    Where nobody else could run the organisation that the caller would leave, nothing changes and `outcome` is "last".
    """
    return cast(Row | None, db.rpc("accept_invitation", {"p_invitation_id": invitation_id}).execute().data)
