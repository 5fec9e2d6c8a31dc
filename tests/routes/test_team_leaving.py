"""Joining one organisation is leaving another: none is left to nobody, and who belongs to none can still join."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.blocked import wait_until_blocked
from tests.factories import Caller, Factory, mint_token
from tests.routes.test_team import INVITATIONS, MEMBERS, confirmed, roles
from tests.test_guards import GUARDED
from voxanne.auth import has_account
from voxanne.routes import GUARDS

ACCEPT = f"{INVITATIONS}/accept"


def invited(factory: Factory, person: Caller, owner: Caller, role: str = "agent") -> dict[str, str]:
    reply = owner.post(MEMBERS, {"email": confirmed(factory, person), "role": role})
    assert reply.status_code == 201, reply.json
    return {"invitation_id": reply.json["id"]}


def org_of(factory: Factory, caller: Caller) -> str | None:
    """The organisation that the account's next token will name."""
    query = "select raw_app_meta_data ->> 'org_id' as org_id from auth.users where id = %s"
    return factory.sql.execute(query, [caller.user_id]).fetchone()["org_id"]


def without_organisation(factory: Factory, caller: Caller) -> Caller:
    """The same account with the token that it gets after it was removed."""
    token = mint_token(factory.settings, user_id=caller.user_id, org_id=None)
    return Caller(factory.app, caller.org_id, caller.user_id, token)


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_the_last_owner_or_admin_cannot_join_another_organisation(factory: Factory, role: str) -> None:
    elsewhere, last = factory.caller(), factory.caller(role)
    factory.member(last.org_id, "manager")
    body = invited(factory, last, elsewhere)

    reply = last.post(ACCEPT, body)

    assert (reply.status_code, reply.json["code"]) == (409, "LAST_ADMIN")
    assert org_of(factory, last) == last.org_id
    assert last.user_id not in roles(elsewhere)
    assert len(last.get(INVITATIONS).json) == 1, "the invitation is still there for later"

    factory.member(last.org_id, "admin")
    assert last.post(ACCEPT, body).status_code == 200
    assert org_of(factory, last) == elsewhere.org_id


@pytest.mark.parametrize(("used", "status"), [(False, 200), (True, 409)])
def test_who_has_only_signed_up_leaves_nothing_behind(factory: Factory, used: bool, status: int) -> None:
    elsewhere, alone = factory.caller(), factory.caller()
    if used:
        factory.call(alone.org_id)

    assert alone.post(ACCEPT, invited(factory, alone, elsewhere)).status_code == status


def test_an_admin_whose_account_has_gone_elsewhere_does_not_count(factory: Factory) -> None:
    elsewhere, owner = factory.caller(), factory.caller()
    admin = factory.member(owner.org_id, "admin")
    assert admin.post(ACCEPT, invited(factory, admin, elsewhere)).status_code == 200

    assert owner.post(ACCEPT, invited(factory, owner, elsewhere)).status_code == 409
    demote = "update public.user_org_roles set role = 'viewer' where user_id = %s and org_id = %s"
    with pytest.raises(psycopg.errors.CheckViolation):
        factory.sql.execute(demote, [owner.user_id, owner.org_id])


def test_of_two_admins_who_join_elsewhere_at_once_one_stays(factory: Factory) -> None:
    elsewhere, first = factory.caller(), factory.caller("admin")
    second = factory.member(first.org_id, "admin")
    bodies = {one.user_id: invited(factory, one, elsewhere) for one in (first, second)}

    with psycopg.connect(factory.sql.info.dsn, password=factory.sql.info.password) as holder:
        holder.execute("select from public.organizations where id = %s for update", [first.org_id])
        with ThreadPoolExecutor() as pool:
            joining = [pool.submit(one.post, ACCEPT, bodies[one.user_id]) for one in (first, second)]
            wait_until_blocked(factory.sql, holder, 2)
            holder.rollback()
            statuses = sorted(reply.result().status_code for reply in joining)

    assert statuses == [200, 409]
    assert sorted([org_of(factory, first), org_of(factory, second)]) == sorted([first.org_id, elsewhere.org_id])


@pytest.mark.parametrize(("first", "expected"), [("join", [200, 409]), ("remove", [409, 204])])
def test_of_two_admins_one_joins_elsewhere_while_the_other_is_removed(
    factory: Factory, first: str, expected: list[int]
) -> None:
    elsewhere, leaving = factory.caller(), factory.caller("admin")
    removed = factory.member(leaving.org_id, "admin")
    factory.call(leaving.org_id)  # one that was never used, its last member may leave
    body = invited(factory, leaving, elsewhere)
    changes = {
        "join": lambda: leaving.post(ACCEPT, body),
        "remove": lambda: leaving.delete(f"{MEMBERS}/{removed.user_id}"),
    }

    with psycopg.connect(factory.sql.info.dsn, password=factory.sql.info.password) as holder:
        holder.execute("select from public.organizations where id = %s for update", [leaving.org_id])
        with ThreadPoolExecutor() as pool:
            replies = {}
            for blocked, name in enumerate(sorted(changes, key=lambda name: name != first), start=1):
                replies[name] = pool.submit(changes[name])
                # they get the lock in the order in which they asked for it
                wait_until_blocked(factory.sql, holder, blocked)
            holder.rollback()
            statuses = [replies[name].result().status_code for name in ("join", "remove")]

    assert statuses == expected
    assert leaving.org_id in {org_of(factory, leaving), org_of(factory, removed)}


def test_a_removed_member_who_is_asked_again_comes_back(factory: Factory) -> None:
    owner = factory.caller()
    member = factory.member(owner.org_id, "agent")
    owner.delete(f"{MEMBERS}/{member.user_id}")
    member = without_organisation(factory, member)
    body = invited(factory, member, owner, "manager")

    assert [one["id"] for one in member.get(INVITATIONS).json] == [body["invitation_id"]]
    reply = member.post(ACCEPT, body)

    assert (reply.status_code, reply.json["org_id"], reply.json["role"]) == (200, owner.org_id, "manager")
    assert roles(owner)[member.user_id] == "manager"
    assert org_of(factory, member) == owner.org_id


def test_without_an_organisation_there_are_only_the_invitations(factory: Factory) -> None:
    stranger = without_organisation(factory, factory.caller())

    open_to_it = {rule.endpoint for rule in GUARDED if GUARDS[rule.endpoint.split(".")[0]] is has_account}

    assert open_to_it == {"invitations.list_invitations", "invitations.accept_invitation"}
    for path in (MEMBERS, "/api/agents", "/api/calls-dashboard", "/api/founder-console/me"):
        reply = stranger.get(path)
        assert reply.status_code == 401
        assert "Missing org_id" in reply.json["error"]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer nonsense", "Bearer undefined"])
def test_invitations_need_an_account(factory: Factory, token: str) -> None:
    caller = factory.caller()

    for reply in (
        caller.request("GET", INVITATIONS, headers={"Authorization": token}),
        caller.request("POST", ACCEPT, json={}, headers={"Authorization": token}),
    ):
        assert (reply.status_code, reply.json["code"]) == (401, "UNAUTHENTICATED")
