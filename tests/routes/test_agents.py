"""GET /api/agents: the people with the role agent."""

from tests.factories import Factory
from tests.recorder import RequestRecorder

PATH = "/api/agents"


def ids(reply) -> list[str]:
    assert reply.status_code == 200, reply.json
    return [agent["id"] for agent in reply.json]


def test_an_agent_is_shown_with_address_and_day(factory: Factory) -> None:
    caller = factory.caller("viewer")
    agent = factory.member(caller.org_id, "agent")
    email = factory.sql.execute("select email from auth.users where id = %s", [agent.user_id]).fetchone()["email"]

    (row,) = caller.get(PATH).json

    assert set(row) == {"id", "email", "created_at"}
    assert (row["id"], row["email"]) == (agent.user_id, email)


def test_no_agents_are_an_empty_list(factory: Factory) -> None:
    assert factory.caller().get(PATH).json == []


def test_only_the_role_agent_is_listed(factory: Factory) -> None:
    caller = factory.caller("owner")
    agent = factory.member(caller.org_id, "agent")
    for role in ["owner", "admin", "manager", "viewer"]:
        factory.member(caller.org_id, role)

    assert ids(caller.get(PATH)) == [agent.user_id]


def test_the_oldest_comes_first(factory: Factory) -> None:
    caller = factory.caller()
    agents = [factory.member(caller.org_id, "agent").user_id for _ in range(3)]
    for day, user_id in zip([2, 3, 1], agents, strict=True):
        moment = f"2026-01-0{day}T00:00:00Z"
        factory.sql.execute("update public.user_org_roles set created_at = %s where user_id = %s", [moment, user_id])

    assert ids(caller.get(PATH)) == [agents[2], agents[0], agents[1]]


def test_an_invitation_is_not_a_member_yet(factory: Factory) -> None:
    caller = factory.caller()
    invited = factory.member(caller.org_id, "agent")
    factory.sql.execute("update public.user_org_roles set accepted_at = null where user_id = %s", [invited.user_id])

    assert caller.get(PATH).json == []


def test_three_hundred_agents_cost_one_request(factory: Factory, recorder: RequestRecorder) -> None:
    # D-23: the original listed the first 1,000 users of the whole project.
    caller = factory.caller()
    agents = {factory.member(caller.org_id, "agent").user_id for _ in range(300)}

    found = ids(caller.get(PATH))

    assert len(found) == 300
    assert set(found) == agents
    assert recorder.last == ["POST rpc/list_agents"]


def test_agents_of_other_organisations_are_not_there(factory: Factory) -> None:
    caller, other = factory.caller(), factory.caller()
    factory.member(other.org_id, "agent")

    assert caller.get(PATH).json == []


def test_who_left_is_not_there(factory: Factory) -> None:
    caller = factory.caller()
    agent = factory.member(caller.org_id, "agent")
    factory.sql.execute("delete from public.user_org_roles where user_id = %s", [agent.user_id])

    assert caller.get(PATH).json == []


def test_whose_account_is_gone_is_not_there(factory: Factory) -> None:
    caller = factory.caller()
    agent = factory.member(caller.org_id, "agent")
    factory.sql.execute("delete from auth.users where id = %s", [agent.user_id])

    assert caller.get(PATH).json == []


def test_a_member_of_two_organisations_is_listed_where_he_is_an_agent(factory: Factory) -> None:
    caller, other = factory.caller(), factory.caller()
    person = factory.member(other.org_id, "agent")
    factory.insert(
        "public.user_org_roles", user_id=person.user_id, org_id=caller.org_id, role="manager", accepted_at="now"
    )

    assert ids(caller.get(PATH)) == []
    assert ids(other.get(PATH)) == [person.user_id]
