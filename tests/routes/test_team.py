"""/api/team: members, roles, invitations, and who may change them."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from flask import Flask

from tests.blocked import wait_until_blocked
from tests.factories import Caller, Factory, mint_token
from tests.recorder import RequestRecorder
from voxanne.config import DEVELOPMENT_ORG_ID

MEMBERS, ROLES, INVITATIONS = "/api/team/members", "/api/team/roles", "/api/team/invitations"
RANKED = ["viewer", "agent", "manager", "admin", "owner"]


def address() -> str:
    return f"person.{uuid.uuid4().hex[:12]}@clinic.example"


def email_of(factory: Factory, caller: Caller) -> str:
    row = factory.sql.execute("select email from auth.users where id = %s", [caller.user_id]).fetchone()
    assert row
    return row["email"]


def row_id(factory: Factory, caller: Caller) -> str:
    found = "select id from public.user_org_roles where user_id = %s and org_id = %s"
    row = factory.sql.execute(found, [caller.user_id, caller.org_id]).fetchone()
    assert row
    return str(row["id"])


def confirmed(factory: Factory, caller: Caller) -> str:
    """Confirm the caller's address and return it."""
    factory.sql.execute("update auth.users set email_confirmed_at = now() where id = %s", [caller.user_id])
    return email_of(factory, caller)


def member_of(factory: Factory, user_id: str, org_id: str) -> dict | None:
    found = "select role, accepted_at from public.user_org_roles where user_id = %s and org_id = %s"
    return factory.sql.execute(found, [user_id, org_id]).fetchone()


def roles(caller: Caller) -> dict[str, str]:
    return {member["user_id"]: member["role"] for member in caller.get(MEMBERS).json if not member["pending"]}


def test_members_are_a_bare_list_newest_first_in_one_request(factory: Factory, recorder: RequestRecorder) -> None:
    owner = factory.caller()
    agent = factory.member(owner.org_id, "agent")

    reply = owner.get(MEMBERS)

    assert recorder.last == ["POST rpc/team_members"]
    assert [member["user_id"] for member in reply.json] == [agent.user_id, owner.user_id]
    newest = reply.json[0]
    assert newest["email"] == newest["user"]["email"] == email_of(factory, agent)
    assert newest["id"] == row_id(factory, agent)
    assert (newest["role"], newest["pending"], newest["org_id"]) == ("agent", False, owner.org_id)
    assert newest["accepted_at"]
    assert newest["user"]["id"] == agent.user_id


def test_members_of_others_are_not_listed(factory: Factory) -> None:
    mine, other = factory.caller(), factory.caller()
    other.post(MEMBERS, {"email": address(), "role": "agent"})

    assert [member["user_id"] for member in mine.get(MEMBERS).json] == [mine.user_id]


def test_all_members_are_listed_beyond_a_thousand(factory: Factory) -> None:
    owner = factory.caller()
    factory.sql.execute(
        "insert into public.team_invitations (org_id, email, role) "
        "select %s, 'person' || number || '@clinic.example', 'viewer' from generate_series(1, 1100) as number",
        [owner.org_id],
    )

    assert len(owner.get(MEMBERS).json) == 1101


def test_five_roles_are_described_the_highest_first(factory: Factory) -> None:
    reply = factory.caller("viewer").get(ROLES)

    assert [role["role"] for role in reply.json] == RANKED[::-1]
    assert all(role["name"] and role["description"] for role in reply.json)


def test_inviting_tells_nothing_about_who_is_registered(factory: Factory, recorder: RequestRecorder) -> None:
    """D-50: a known and an unknown address get the same answer, take the same requests, and stay pending."""
    admin, stranger = factory.caller("admin"), factory.caller()
    known, unknown = email_of(factory, stranger), address()
    replies, requests = [], []

    for email in (known, unknown):
        replies.append(admin.post(MEMBERS, {"email": email, "role": "agent"}))
        requests.append([name for name in recorder.last if "user_org_roles" not in name])

    assert [reply.status_code for reply in replies] == [201, 201]
    assert requests[0] == requests[1] == ["POST rpc/invite_member"]
    varying = {"id", "email", "created_at", "updated_at", "invited_at"}
    bodies = [{key: value for key, value in reply.json.items() if key not in varying} for reply in replies]
    assert bodies[0] == bodies[1]
    assert bodies[0] == {
        "user_id": None, "user": None, "accepted_at": None, "pending": True,
        "org_id": admin.org_id, "role": "agent", "invited_by": admin.user_id,
    }  # fmt: skip
    listed = {member["email"]: member for member in admin.get(MEMBERS).json if member["pending"]}
    assert listed == {known: replies[0].json, unknown: replies[1].json}


def test_an_invitation_gives_nobody_anything(factory: Factory) -> None:
    """D-50: an existing account stays where it is until its person accepts."""
    admin, stranger = factory.caller("admin"), factory.caller()
    admin.post(MEMBERS, {"email": confirmed(factory, stranger), "role": "admin"})

    assert member_of(factory, stranger.user_id, admin.org_id) is None
    assert roles(stranger) == {stranger.user_id: "owner"}


def test_addresses_are_compared_without_case(factory: Factory) -> None:
    owner = factory.caller()
    colleague = factory.member(owner.org_id, "agent")
    factory.sql.execute("update auth.users set email = upper(email) where id = %s", [colleague.user_id])
    known, new = email_of(factory, colleague), address()

    assert owner.post(MEMBERS, {"email": f" {known.title()} ", "role": "agent"}).status_code == 409
    assert owner.post(MEMBERS, {"email": f" {new.upper()} ", "role": "agent"}).json["email"] == new


def test_a_member_is_not_invited_again(factory: Factory) -> None:
    owner = factory.caller()
    colleague = factory.member(owner.org_id, "agent")

    reply = owner.post(MEMBERS, {"email": email_of(factory, colleague), "role": "admin"})

    assert (reply.status_code, reply.json["code"]) == (409, "ALREADY_MEMBER")


def test_inviting_again_changes_the_role_that_is_offered(factory: Factory) -> None:
    owner, email = factory.caller(), address()
    first = owner.post(MEMBERS, {"email": email, "role": "agent"})

    second = owner.post(MEMBERS, {"email": email, "role": "manager"})

    assert (second.status_code, second.json["id"], second.json["role"]) == (201, first.json["id"], "manager")
    assert len([member for member in owner.get(MEMBERS).json if member["pending"]]) == 1


@pytest.mark.parametrize("role", RANKED)
def test_every_role_can_be_given_by_an_owner(factory: Factory, role: str) -> None:
    reply = factory.caller().post(MEMBERS, {"email": address(), "role": role})

    assert (reply.status_code, reply.json["role"]) == (201, role)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"email": "a@b.example"}, {"role": "agent"}, {"email": "a@b.example", "role": "king"},
        {"email": "nobody", "role": "agent"}, {"email": "a b@c.example", "role": "agent"},
        {"email": "a@b", "role": "agent"}, {"email": "@b.example", "role": "agent"}, {"email": 7, "role": "agent"},
        {"email": "x" * 320 + "@b.example", "role": "agent"}, {"email": "a@b.example", "role": None}, [],
    ],
)  # fmt: skip
def test_bad_invitations_are_refused_before_any_look_up(factory: Factory, recorder: RequestRecorder, body) -> None:
    reply = factory.caller().post(MEMBERS, body)

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")
    assert "pattern" not in reply.json["error"]
    assert recorder.last == []


@pytest.mark.parametrize("by", ["row", "user"])
def test_a_role_is_changed_by_either_id(factory: Factory, recorder: RequestRecorder, by: str) -> None:
    """D-49: the page sends the id of the row, the API was meant to take the user's."""
    owner = factory.caller()
    agent = factory.member(owner.org_id, "agent")
    target = row_id(factory, agent) if by == "row" else agent.user_id

    reply = owner.patch(f"{MEMBERS}/{target}/role", {"role": "manager"})

    assert recorder.last == ["GET user_org_roles", "POST rpc/set_member_role"]
    assert (reply.status_code, reply.json["role"], reply.json["user_id"]) == (200, "manager", agent.user_id)
    assert reply.json == next(member for member in owner.get(MEMBERS).json if member["user_id"] == agent.user_id)


@pytest.mark.parametrize("by", ["row", "user"])
def test_a_member_is_removed_by_either_id(factory: Factory, by: str) -> None:
    owner = factory.caller()
    agent = factory.member(owner.org_id, "agent")
    target = row_id(factory, agent) if by == "row" else agent.user_id

    reply = owner.delete(f"{MEMBERS}/{target}")

    assert (reply.status_code, reply.data) == (204, b"")
    assert roles(owner) == {owner.user_id: "owner"}
    assert owner.delete(f"{MEMBERS}/{target}").status_code == 404


def test_an_invitation_is_changed_and_withdrawn_like_a_member(factory: Factory) -> None:
    owner = factory.caller()
    invitation = owner.post(MEMBERS, {"email": address(), "role": "agent"}).json

    changed = owner.patch(f"{MEMBERS}/{invitation['id']}/role", {"role": "viewer"})
    removed = owner.delete(f"{MEMBERS}/{invitation['id']}")

    assert (changed.status_code, changed.json["role"], changed.json["pending"]) == (200, "viewer", True)
    assert removed.status_code == 204
    assert [member["user_id"] for member in owner.get(MEMBERS).json] == [owner.user_id]


@pytest.mark.parametrize("by", ["row", "user"])
def test_nobody_changes_or_removes_themselves(factory: Factory, by: str) -> None:
    owner = factory.caller()
    factory.member(owner.org_id, "owner")
    target = row_id(factory, owner) if by == "row" else owner.user_id

    assert owner.patch(f"{MEMBERS}/{target}/role", {"role": "viewer"}).status_code == 400
    assert owner.delete(f"{MEMBERS}/{target}").status_code == 400
    assert roles(owner)[owner.user_id] == "owner"


def test_nobody_touches_a_role_above_their_own(factory: Factory) -> None:
    owner = factory.caller()
    admin = factory.member(owner.org_id, "admin")
    agent = factory.member(owner.org_id, "agent")

    assert admin.patch(f"{MEMBERS}/{owner.user_id}/role", {"role": "viewer"}).status_code == 403
    assert admin.delete(f"{MEMBERS}/{row_id(factory, owner)}").status_code == 403
    assert admin.patch(f"{MEMBERS}/{agent.user_id}/role", {"role": "owner"}).status_code == 403
    assert admin.post(MEMBERS, {"email": address(), "role": "owner"}).status_code == 403
    assert roles(owner) == {owner.user_id: "owner", admin.user_id: "admin", agent.user_id: "agent"}


def test_an_owners_invitation_is_out_of_an_admins_reach(factory: Factory) -> None:
    owner = factory.caller()
    admin = factory.member(owner.org_id, "admin")
    invitation = owner.post(MEMBERS, {"email": address(), "role": "owner"}).json

    assert admin.patch(f"{MEMBERS}/{invitation['id']}/role", {"role": "viewer"}).status_code == 403
    assert admin.delete(f"{MEMBERS}/{invitation['id']}").status_code == 403
    assert admin.post(MEMBERS, {"email": invitation["email"], "role": "viewer"}).status_code == 403
    assert owner.get(MEMBERS).json[0]["role"] == "owner"


@pytest.mark.parametrize("role", ["viewer", "agent", "manager"])
def test_below_admin_the_team_is_read_only(factory: Factory, role: str) -> None:
    owner = factory.caller()
    member, target = factory.member(owner.org_id, role), factory.member(owner.org_id, "viewer")
    before = roles(owner)

    assert member.get(MEMBERS).status_code == 200
    assert member.post(MEMBERS, {"email": address(), "role": "viewer"}).status_code == 403
    assert member.patch(f"{MEMBERS}/{target.user_id}/role", {"role": "agent"}).status_code == 403
    assert member.delete(f"{MEMBERS}/{target.user_id}").status_code == 403
    assert roles(owner) == before


def test_members_and_invitations_of_others_are_missing(factory: Factory) -> None:
    mine, other = factory.caller(), factory.caller()
    invitation = other.post(MEMBERS, {"email": address(), "role": "agent"}).json["id"]

    for target in (other.user_id, row_id(factory, other), invitation, str(uuid.uuid4())):
        for reply in (mine.patch(f"{MEMBERS}/{target}/role", {"role": "viewer"}), mine.delete(f"{MEMBERS}/{target}")):
            assert (reply.status_code, reply.json["code"]) == (404, "MEMBER_NOT_FOUND")
    assert len(other.get(MEMBERS).json) == 2


def test_two_admins_who_remove_each_other_leave_one(factory: Factory) -> None:
    """The last owner or admin stays, even where two requests come at the same moment."""
    first = factory.caller("admin")
    second = factory.member(first.org_id, "admin")
    for caller in (first, second):
        assert caller.get("/api/agents").status_code == 200
        assert caller.delete(f"{MEMBERS}/{uuid.uuid4()}").status_code == 404

    with psycopg.connect(factory.sql.info.dsn, password=factory.sql.info.password) as holder:
        holder.execute("select from public.organizations where id = %s for update", [first.org_id])
        with ThreadPoolExecutor() as pool:
            removals = [
                pool.submit(one.delete, f"{MEMBERS}/{other.user_id}")
                for one, other in ((first, second), (second, first))
            ]
            wait_until_blocked(factory.sql, holder, 2)
            holder.rollback()
            statuses = sorted(removal.result().status_code for removal in removals)

    assert statuses == [204, 409]
    left = "select count(*) as admins from public.user_org_roles where org_id = %s and role = 'admin'"
    assert factory.sql.execute(left, [first.org_id]).fetchone() == {"admins": 1}


def test_a_new_role_counts_at_once_in_the_app_and_in_the_database(factory: Factory) -> None:
    owner = factory.caller()
    member = factory.member(owner.org_id, "viewer")
    service = {"name": "Botox", "price": 400, "keywords": ["botox"]}
    assert member.post("/api/services", service).status_code == 403

    owner.patch(f"{MEMBERS}/{row_id(factory, member)}/role", {"role": "manager"})
    assert member.post("/api/services", service).status_code == 201

    owner.patch(f"{MEMBERS}/{member.user_id}/role", {"role": "viewer"})
    assert member.post("/api/services", service).status_code == 403


def test_the_invited_person_accepts_and_is_a_member(factory: Factory, recorder: RequestRecorder) -> None:
    owner, person = factory.caller(name="The inviting clinic"), factory.caller("manager")
    owner.get("/api/agents")
    owner.post(MEMBERS, {"email": confirmed(factory, person), "role": "agent"})

    (invitation,) = person.get(INVITATIONS).json
    assert (invitation["organization_name"], invitation["role"]) == ("The inviting clinic", "agent")
    reply = person.post(f"{INVITATIONS}/accept", {"invitation_id": invitation["id"]})

    assert recorder.last == ["POST rpc/my_invitations", "POST rpc/accept_invitation"]
    assert (reply.status_code, reply.json["org_id"], reply.json["role"]) == (200, owner.org_id, "agent")
    assert roles(owner) == {owner.user_id: "owner", person.user_id: "agent"}
    assert [agent["id"] for agent in owner.get("/api/agents").json] == [person.user_id]
    assert [member for member in owner.get(MEMBERS).json if member["pending"]] == []
    metadata = factory.sql.execute("select raw_app_meta_data as app from auth.users where id = %s", [person.user_id])
    assert metadata.fetchone()["app"]["org_id"] == owner.org_id
    token = mint_token(factory.settings, user_id=person.user_id, org_id=owner.org_id)
    there = Caller(factory.app, owner.org_id, person.user_id, token)
    assert there.get(f"/api/orgs/validate/{owner.org_id}").status_code == 200
    assert person.post(f"{INVITATIONS}/accept", {"invitation_id": invitation["id"]}).status_code == 404


def test_only_who_has_the_address_accepts(factory: Factory) -> None:
    owner, person, stranger = factory.caller(), factory.caller("agent"), factory.caller()
    confirmed(factory, stranger)
    body = {"invitation_id": owner.post(MEMBERS, {"email": email_of(factory, person), "role": "owner"}).json["id"]}

    assert stranger.get(INVITATIONS).json == []
    assert stranger.post(f"{INVITATIONS}/accept", body).status_code == 404
    assert person.get(INVITATIONS).json == [], "an unconfirmed address proves nothing"
    assert person.post(f"{INVITATIONS}/accept", body).status_code == 404
    confirmed(factory, person)
    assert person.post(f"{INVITATIONS}/accept", body).status_code == 200


def test_a_withdrawn_invitation_is_not_accepted(factory: Factory) -> None:
    owner, person = factory.caller(), factory.caller()
    invitation = owner.post(MEMBERS, {"email": confirmed(factory, person), "role": "agent"}).json["id"]
    owner.delete(f"{MEMBERS}/{invitation}")

    assert person.post(f"{INVITATIONS}/accept", {"invitation_id": invitation}).status_code == 404
    assert roles(owner) == {owner.user_id: "owner"}


def test_a_pending_membership_shows_no_address_and_can_be_accepted(factory: Factory) -> None:
    """The browser may write such a row itself; whose account it names must not show before that person agrees."""
    owner, person = factory.caller(), factory.caller("viewer")
    pending = factory.insert("public.user_org_roles", user_id=person.user_id, org_id=owner.org_id, role="agent")

    listed = next(member for member in owner.get(MEMBERS).json if member["id"] == pending)
    assert (listed["pending"], listed["email"], listed["user"]) == (True, None, None)
    assert [invitation["id"] for invitation in person.get(INVITATIONS).json] == [pending]
    assert person.post(f"{INVITATIONS}/accept", {"invitation_id": pending}).json["role"] == "agent"
    assert roles(owner)[person.user_id] == "agent"


def sign_up(factory: Factory, email: str, invitation: str, *, confirmed: bool) -> str:
    user_id = str(uuid.uuid4())
    factory.sql.execute(
        "insert into auth.users (id, email, email_confirmed_at, raw_app_meta_data, raw_user_meta_data) "
        "values (%s, %s, case when %s then now() end, '{}', jsonb_build_object('invitation_id', %s::text))",
        [user_id, email, confirmed, invitation],
    )
    return user_id


def org_count(factory: Factory, user_id: str) -> list[str]:
    found = "select org_id from public.user_org_roles where user_id = %s and accepted_at is not null"
    return [str(row["org_id"]) for row in factory.sql.execute(found, [user_id])]


def test_signing_up_with_an_invitation_joins_and_founds_nothing(factory: Factory) -> None:
    owner, email = factory.caller(), address()
    invitation = owner.post(MEMBERS, {"email": email, "role": "manager"}).json["id"]

    user_id = sign_up(factory, email, invitation, confirmed=True)

    assert org_count(factory, user_id) == [owner.org_id]
    assert roles(owner) == {owner.user_id: "owner", user_id: "manager"}
    founded = "select count(*) as founded from public.organizations where email = %s"
    assert factory.sql.execute(founded, [email]).fetchone() == {"founded": 0}


def test_a_new_account_joins_when_its_address_is_confirmed(factory: Factory) -> None:
    owner, email = factory.caller(), address()
    invitation = owner.post(MEMBERS, {"email": email, "role": "agent"}).json["id"]
    user_id = sign_up(factory, email, invitation, confirmed=False)
    assert owner.org_id not in org_count(factory, user_id)

    factory.sql.execute("update auth.users set email_confirmed_at = now() where id = %s", [user_id])

    assert owner.org_id in org_count(factory, user_id)


@pytest.mark.parametrize("case", ["another address", "no invitation", "no id"])
def test_signing_up_with_what_is_not_ones_invitation_founds_an_organisation(factory: Factory, case: str) -> None:
    owner, email = factory.caller(), address()
    invitation = owner.post(MEMBERS, {"email": email, "role": "owner"}).json["id"]
    given = {"another address": invitation, "no invitation": str(uuid.uuid4()), "no id": "x"}[case]

    user_id = sign_up(factory, address() if case == "another address" else email, given, confirmed=True)

    assert len(org_count(factory, user_id)) == 1
    assert org_count(factory, user_id) != [owner.org_id]


def test_signing_up_without_naming_the_invitation_is_no_consent(factory: Factory) -> None:
    """Else anybody could draw a newcomer into their organisation by inviting the address first."""
    owner, email = factory.caller(), address()
    owner.post(MEMBERS, {"email": email, "role": "agent"})
    user_id = str(uuid.uuid4())
    insert = "insert into auth.users (id, email, email_confirmed_at, raw_app_meta_data) values (%s, %s, now(), '{}')"
    factory.sql.execute(insert, [user_id, email])

    assert len(org_count(factory, user_id)) == 1
    assert roles(owner) == {owner.user_id: "owner"}


def test_agents_come_from_the_cache(factory: Factory, recorder: RequestRecorder) -> None:
    owner = factory.caller()
    agent = factory.member(owner.org_id, "agent")
    factory.member(owner.org_id, "manager")
    costs = []

    for _ in range(2):
        reply = owner.get("/api/agents")
        costs.append(recorder.last)
        assert [(one["id"], one["email"]) for one in reply.json] == [(agent.user_id, email_of(factory, agent))]

    assert costs == [["POST rpc/list_agents"], []]
    assert factory.caller().get("/api/agents").json == []


def test_the_last_owner_or_admin_stays_whoever_asks(factory: Factory, app_with: Callable[..., Flask]) -> None:
    """The development user is nobody's member, and so could otherwise empty the team."""
    make = "insert into public.organizations (id, name) values (%s, 'Development') on conflict do nothing"
    factory.sql.execute(make, [DEVELOPMENT_ORG_ID])
    last = factory.member(DEVELOPMENT_ORG_ID, "owner")
    others = "delete from public.user_org_roles where org_id = %s and user_id <> %s"
    factory.sql.execute(others, [DEVELOPMENT_ORG_ID, last.user_id])
    client = app_with(app_env="development", dev_auth_bypass=True).test_client()

    removed = client.delete(f"{MEMBERS}/{last.user_id}")
    demoted = client.patch(f"{MEMBERS}/{row_id(factory, last)}/role", json={"role": "manager"})

    assert [(reply.status_code, reply.json["code"]) for reply in (removed, demoted)] == [(409, "LAST_ADMIN")] * 2
    assert member_of(factory, last.user_id, DEVELOPMENT_ORG_ID)["role"] == "owner"
    invited = client.post(MEMBERS, json={"email": address(), "role": "admin"})
    assert (invited.status_code, invited.json["invited_by"]) == (201, None)
