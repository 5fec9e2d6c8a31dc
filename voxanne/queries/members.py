"""Members of an organisation, their roles, and invitations to join it."""

from postgrest import SyncPostgrestClient

from voxanne.database import Row, call_function
from voxanne.queries.results import call_row, call_rows, first


def get_role(db: SyncPostgrestClient, org_id: str, user_id: str) -> str | None:
    """Return the role of an accepted member, or None."""
    query = db.from_("user_org_roles").select("role").eq("org_id", org_id).eq("user_id", user_id)
    row = first(query.not_.is_("accepted_at", "null").limit(1))
    return row["role"] if row else None


def list_agents(db: SyncPostgrestClient, org_id: str) -> list[Row]:
    """Return id, email and created_at of the members with the role agent, oldest first."""
    return call_rows(db, "list_agents", {"p_org_id": org_id})


def list_members(db: SyncPostgrestClient, org_id: str) -> list[Row]:
    """Return the members and those still invited (`pending`), newest first, in the shape of `schemas.team.Member`."""
    return call_rows(db, "team_members", {"p_org_id": org_id})


def invite(db: SyncPostgrestClient, org_id: str, email: str, role: str) -> Row:
    """Invite an address, or change the role it is offered; returns the pending member as in the list.

    Raises `APIError` with the code of a unique violation if the person is a member already.
    """
    return call_row(db, "invite_member", {"p_org_id": org_id, "p_email": email, "p_role": role})


def set_role(db: SyncPostgrestClient, org_id: str, member_id: str, role: str) -> Row:
    """Change the role of a member or of an invitation; the id is the row's or the user's.

    Returns `outcome`: done, missing, self (the caller's own), above (a role above the caller's) or last (the last owner
    or admin); if done, also `user_id` and `member`, as in the list.
    """
    return call_row(db, "set_member_role", {"p_org_id": org_id, "p_id": member_id, "p_role": role})


def remove(db: SyncPostgrestClient, org_id: str, member_id: str) -> Row:
    """End a membership or withdraw an invitation; takes ids and returns `outcome` and `user_id` as `set_role` does."""
    return call_row(db, "remove_member", {"p_org_id": org_id, "p_id": member_id})


def list_own_invitations(db: SyncPostgrestClient) -> list[Row]:
    """Return what the caller is asked to join, newest first."""
    return call_rows(db, "my_invitations", {})


def accept_invitation(db: SyncPostgrestClient, invitation_id: str) -> Row | None:
    """Make the caller a member; returns org_id and role, or None if the caller has no such invitation.

    If the caller is the last owner or admin of the organisation to leave, nothing changes and `outcome` is "last".
    """
    joined: Row | None = call_function(db, "accept_invitation", {"p_invitation_id": invitation_id})
    return joined
