"""The team past the API: what a browser with a session gets straight from PostgREST."""

import uuid
from typing import Any

import httpx
import pytest

from tests.factories import Caller, Factory
from tests.routes.test_team import address, email_of, roles


def rest(factory: Factory, caller: Caller | None, path: str, body: Any) -> httpx.Response:
    settings = factory.settings
    key = settings.supabase_publishable_key.get_secret_value()
    token = {"Authorization": f"Bearer {caller.token}"} if caller else {}
    return httpx.post(f"{settings.supabase_base}/rest/v1/{path}", json=body, headers={"apikey": key, **token})


@pytest.mark.parametrize("role", ["viewer", "agent", "manager"])
def test_functions_give_no_rights_that_the_role_has_not(factory: Factory, role: str) -> None:
    owner = factory.caller()
    caller, target = factory.member(owner.org_id, role), factory.member(owner.org_id, "viewer")
    org, before = owner.org_id, roles(owner)
    body = {"p_org_id": org, "p_id": target.user_id}

    invited = rest(factory, caller, "rpc/invite_member", {"p_org_id": org, "p_email": address(), "p_role": "viewer"})
    promoted = rest(factory, caller, "rpc/set_member_role", {**body, "p_role": "owner"})
    removed = rest(factory, caller, "rpc/remove_member", body)

    assert invited.status_code == 403
    assert promoted.json()["outcome"] == removed.json()["outcome"] == "above"
    assert roles(owner) == before
    assert len(owner.get("/api/team/members").json) == 3


def test_functions_keep_to_the_callers_organisation(factory: Factory) -> None:
    mine, other = factory.caller(), factory.caller()
    body = {"p_org_id": other.org_id, "p_id": other.user_id}

    assert rest(factory, mine, "rpc/team_members", {"p_org_id": other.org_id}).json() == []
    assert rest(factory, mine, "rpc/set_member_role", {**body, "p_role": "viewer"}).json() == {"outcome": "missing"}
    assert rest(factory, mine, "rpc/remove_member", body).json() == {"outcome": "missing"}
    assert rest(factory, mine, "rpc/contact_stats", {"p_org_id": other.org_id}).json()["total_leads"] == 0
    assert roles(other) == {other.user_id: "owner"}


def test_no_role_above_ones_own_by_way_of_a_function(factory: Factory) -> None:
    owner = factory.caller()
    admin, agent = factory.member(owner.org_id, "admin"), factory.member(owner.org_id, "agent")
    body = {"p_org_id": owner.org_id, "p_id": agent.user_id, "p_role": "owner"}

    assert rest(factory, admin, "rpc/set_member_role", body).status_code == 403
    assert roles(owner)[agent.user_id] == "agent"


@pytest.mark.parametrize("known", [True, False])
def test_nobody_learns_by_inviting_elsewhere_who_is_a_member_there(factory: Factory, known: bool) -> None:
    mine, other = factory.caller(), factory.caller()
    email = email_of(factory, other) if known else address()

    reply = rest(factory, mine, "team_invitations", {"org_id": other.org_id, "email": email, "role": "viewer"})

    assert (reply.status_code, reply.json()["code"]) == (403, "42501")


def test_an_invitation_cannot_be_forged_or_accepted_for_somebody_else(factory: Factory) -> None:
    owner, person = factory.caller(), factory.caller()
    body = {"org_id": owner.org_id, "email": address(), "role": "viewer", "invited_by": person.user_id}

    assert rest(factory, owner, "team_invitations", body).status_code == 403
    for internal in ("join_by_invitation", "invitation_for"):
        call = {"p_user_id": person.user_id, "p_invitation_id": str(uuid.uuid4())}
        assert rest(factory, owner, f"rpc/{internal}", call).status_code in {403, 404}


@pytest.mark.parametrize("function", ["team_members", "my_invitations", "contact_stats", "accept_invitation"])
def test_without_a_session_there_is_nothing(factory: Factory, function: str) -> None:
    bodies = {"my_invitations": {}, "accept_invitation": {"p_invitation_id": str(uuid.uuid4())}}
    reply = rest(factory, None, f"rpc/{function}", bodies.get(function, {"p_org_id": factory.org()}))

    assert reply.status_code == 401
