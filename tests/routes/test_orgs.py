"""GET /api/orgs/validate/:id: the gate of the dashboard."""

import uuid

import pytest
from flask import Flask

from tests.conftest import settings_for_tests
from tests.factories import Caller, Factory, mint_token
from tests.recorder import RequestRecorder


def path(org_id: str) -> str:
    return f"/api/orgs/validate/{org_id}"


@pytest.mark.parametrize("role", ["owner", "admin", "manager", "agent", "viewer"])
def test_a_member_gets_in(factory: Factory, recorder: RequestRecorder, role: str) -> None:
    caller = factory.caller(role, name="Clinic of Dr. Ödön")

    reply = caller.get(path(caller.org_id))

    assert reply.status_code == 200
    assert reply.json == {
        "success": True,
        "orgId": caller.org_id,
        "orgName": "Clinic of Dr. Ödön",
        "userId": caller.user_id,
        "validated": True,
        "message": reply.json["message"],
    }
    assert recorder.last == ["GET organizations"]


def test_the_id_may_be_written_in_capitals(factory: Factory) -> None:
    caller = factory.caller()

    assert caller.get(path(caller.org_id.upper())).json["orgId"] == caller.org_id


def test_a_malformed_id(factory: Factory, recorder: RequestRecorder) -> None:
    reply = factory.caller().get(path("clinic-01"))

    assert (reply.status_code, reply.json["code"]) == (400, "INVALID_UUID")
    assert recorder.last == []


def test_without_a_session(app: Flask) -> None:
    reply = app.test_client().get(path(str(uuid.uuid4())))

    assert reply.status_code == 401
    assert "Authorization" in reply.json["error"]


def test_another_organisation_looks_the_same_whether_it_exists_or_not(
    factory: Factory, recorder: RequestRecorder
) -> None:
    # D-46: existence is nobody else's business.
    caller = factory.caller()

    replies = [caller.get(path(org_id)) for org_id in (factory.org(), factory.org(status="deleted"), str(uuid.uuid4()))]

    for reply in replies:
        assert (reply.status_code, reply.json["code"]) == (403, "FORBIDDEN")
        assert "Access denied" in reply.json["error"]
        assert recorder.last == []
    assert len({reply.json["error"] for reply in replies}) == 1
    assert caller.org_id not in replies[0].get_data(as_text=True)


def test_an_organisation_that_is_not_there_any_more(app: Flask) -> None:
    org_id, user_id = str(uuid.uuid4()), str(uuid.uuid4())
    token = mint_token(settings_for_tests(), user_id=user_id, org_id=org_id)

    reply = Caller(app, org_id, user_id, token).get(path(org_id))

    assert (reply.status_code, reply.json["code"]) == (404, "ORGANIZATION_NOT_FOUND")
    assert reply.json["error"] == "Organization not found"


def test_a_deleted_organisation_is_gone(factory: Factory) -> None:
    caller = factory.caller(status="deleted")

    reply = caller.get(path(caller.org_id))

    assert (reply.status_code, reply.json["code"]) == (410, "GONE")


def test_who_was_removed_stays_out_although_the_token_lives_on(factory: Factory) -> None:
    caller = factory.caller("agent")
    factory.sql.execute("delete from public.user_org_roles where user_id = %s", [caller.user_id])

    reply = caller.get(path(caller.org_id))

    assert reply.status_code == 403
    assert "Access denied" in reply.json["error"]


def test_who_has_not_accepted_yet_stays_out(factory: Factory) -> None:
    caller = factory.caller("agent")
    factory.sql.execute("update public.user_org_roles set accepted_at = null where user_id = %s", [caller.user_id])

    assert caller.get(path(caller.org_id)).status_code == 403


def test_an_invited_member_of_two_organisations_gets_into_the_one_of_the_token(factory: Factory) -> None:
    # D-46: the original asked for the one organisation in the profile.
    home, second = factory.caller(), factory.org()
    factory.insert("public.user_org_roles", user_id=home.user_id, org_id=second, role="agent", accepted_at="now")
    token = mint_token(factory.settings, user_id=home.user_id, org_id=second)

    assert Caller(factory.app, second, home.user_id, token).get(path(second)).status_code == 200
    assert home.get(path(home.org_id)).status_code == 200
