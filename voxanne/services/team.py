"""The team: members, roles and invitations. Every change of it goes through `changing` here.

An invitation belongs to an e-mail address, and the reply does not tell whether the address has an account. Only the
owner of the address can turn it into a membership: by accepting it when signed in, or by signing up with it
(`invitation_id` in the user metadata).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NoReturn, cast

from postgrest.exceptions import APIError

from voxanne import database
from voxanne.auth import Account, Principal, Role
from voxanne.cache import AGENTS, ROLE, Change, cache
from voxanne.database import Row
from voxanne.errors import UNIQUE_VIOLATION, ApiError, Conflict, Forbidden, NotFound, ValidationFailed
from voxanne.queries import members

DESCRIPTIONS = {
    Role.OWNER: ("Owner", "Everything, and the only one who can make or remove another owner."),
    Role.ADMIN: ("Admin", "Settings, the voice assistants and the team."),
    Role.MANAGER: ("Manager", "Services, escalation rules and phone numbers."),
    Role.AGENT: ("Agent", "Calls, contacts, appointments and follow-ups."),
    Role.VIEWER: ("Viewer", "Sees everything and changes nothing."),
}

LAST_TO_LEAVE = "You are the last owner or admin of your organisation: make somebody else one before you leave it."


def changing(*org_ids: str) -> AbstractContextManager[Change]:
    """Wrap a change of the team, so that nobody reads the old list of agents or anybody's old role afterwards."""
    return cache.changing(*((region, org_id) for org_id in org_ids for region in (AGENTS, ROLE)))


def agents(caller: Principal) -> list[Row]:
    """Return id, email and created_at of the members with the role agent, oldest first, from the cache."""
    db = database.for_principal(caller.token)
    return cast(list[Row], cache.load(AGENTS, caller.org_id, lambda: members.list_agents(db, caller.org_id)))


def invite(caller: Principal, email: str, role: str) -> Row:
    """Invite an address and return the pending member; the reply is the same with and without an account.

    Inviting an address again changes the role that is offered.
    """
    _refuse_above(caller, role)
    db = database.for_principal(caller.token)
    try:
        with cache.changing((AGENTS, caller.org_id)):  # no role changes before the invitation is accepted
            return members.invite(db, caller.org_id, email, role)
    except APIError as error:
        if error.code != UNIQUE_VIOLATION:
            raise
        raise Conflict("This person is a member of the team already.", code="ALREADY_MEMBER") from None


def set_role(caller: Principal, member_id: str, role: str) -> Row:
    """Give a member or an invitation another role and return it as the list shows it."""
    _refuse_above(caller, role)
    db = database.for_principal(caller.token)
    return cast(Row, _change(caller, member_id, lambda: members.set_role(db, caller.org_id, member_id, role))["member"])


def remove(caller: Principal, member_id: str) -> None:
    """End a membership or withdraw an invitation."""
    db = database.for_principal(caller.token)
    _change(caller, member_id, lambda: members.remove(db, caller.org_id, member_id))


def accept(caller: Account, invitation_id: str) -> Row:
    """Make the caller a member of the organisation that invites; returns its id and the role.

    The caller's token names the former organisation until it is refreshed. Raises `NotFound`, and `Conflict` for the
    last owner or admin of the former organisation.
    """
    db = database.for_principal(caller.token)
    # Asked first, because the organisation must be known for the cache even if the reply to the change is lost.
    invited_by = next((one["org_id"] for one in members.list_own_invitations(db) if one["id"] == invitation_id), None)
    if invited_by is None:
        raise NotFound("invitation")
    with changing(*filter(None, (caller.org_id, invited_by))):
        joined = members.accept_invitation(db, invitation_id)
    if joined is None:
        raise NotFound("invitation")
    if joined.get("outcome") == "last":
        raise Conflict(LAST_TO_LEAVE, code="LAST_ADMIN")
    return joined


def _change(caller: Principal, member_id: str, write: Callable[[], Row]) -> Row:
    if member_id == caller.user_id:
        _explain("self")
    with changing(caller.org_id):
        result = write()
    if result["outcome"] != "done":
        _explain(result["outcome"])
    return result


def _explain(outcome: str) -> NoReturn:
    reasons: dict[str, ApiError] = {
        "self": ValidationFailed("You can't change or remove your own membership.", code="OWN_MEMBERSHIP"),
        "above": Forbidden("Only somebody with that role or a higher one may do this."),
        "last": Conflict("An organisation keeps at least one owner or admin.", code="LAST_ADMIN"),
    }
    raise reasons.get(outcome) or NotFound("member")


def _refuse_above(caller: Principal, role: str) -> None:
    if Role[role.upper()] > caller.role:
        raise Forbidden("Nobody can give a role above their own.")
