"""The admin user API, for the service key only."""

import pytest

from tests.stack.conftest import PASSWORD

USERS = "/auth/v1/admin/users"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def made(service, email):
    body = {
        "email": email,
        "password": PASSWORD,
        "email_confirm": True,
        "user_metadata": {"business_name": "Clinic A", "name": "Ann"},
    }
    reply = service.post(USERS, json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_create_honours_what_is_given(door, made, email):
    assert made["email_confirmed_at"]
    assert made["user_metadata"]["name"] == "Ann"
    assert (
        door.post("/auth/v1/token?grant_type=password", json={"email": email, "password": PASSWORD}).status_code == 200
    )


def test_unconfirmed_address_cannot_sign_in(door, service, email):
    service.post(USERS, json={"email": email, "password": PASSWORD})
    reply = door.post("/auth/v1/token?grant_type=password", json={"email": email, "password": PASSWORD})
    assert (reply.status_code, reply.json()["error_code"]) == (400, "email_not_confirmed")


def test_invited_member_joins_the_named_organisation(door, service, session, email):
    org_id = session["user"]["app_metadata"]["org_id"]
    body = {
        "email": f"member-{email}",
        "password": PASSWORD,
        "email_confirm": True,
        "app_metadata": {"org_id": org_id, "role": "agent"},
    }
    member = service.post(USERS, json=body).json()
    assert member["app_metadata"]["org_id"] == org_id
    assert member["app_metadata"]["role"] == "agent"


def test_list_is_paged_newest_first(service, made):
    reply = service.get(USERS, params={"page": 1, "per_page": 1})
    assert [user["id"] for user in reply.json()["users"]] == [made["id"]]
    total = int(reply.headers["x-total-count"])
    pages = range(1, total // 1000 + 2)
    every = [service.get(USERS, params={"page": page, "per_page": 1000}).json()["users"] for page in pages]
    assert len({user["id"] for page in every for user in page}) == total
    assert service.get(USERS, params={"page": total + 1, "per_page": 1}).json()["users"] == []


def test_update_merges_metadata_and_null_removes(service, made):
    change = {"app_metadata": {"flag": True}, "user_metadata": {"name": None, "title": "Dr"}}
    user = service.put(f"{USERS}/{made['id']}", json=change).json()
    assert user["app_metadata"]["flag"] is True
    assert user["app_metadata"]["org_id"] == made["app_metadata"]["org_id"]
    assert user["user_metadata"] == {"business_name": "Clinic A", "title": "Dr"}
    assert service.get(f"{USERS}/{made['id']}").json()["app_metadata"]["flag"] is True


def test_ban_shuts_out_until_lifted(door, service, made, email):
    credentials = {"email": email, "password": PASSWORD}
    service.put(f"{USERS}/{made['id']}", json={"ban_duration": "24h"})
    assert door.post("/auth/v1/token?grant_type=password", json=credentials).json()["error_code"] == "user_banned"
    service.put(f"{USERS}/{made['id']}", json={"ban_duration": "none"})
    assert door.post("/auth/v1/token?grant_type=password", json=credentials).status_code == 200


def test_delete_removes_the_account(door, service, made, email):
    assert service.delete(f"{USERS}/{made['id']}").status_code == 200
    assert service.get(f"{USERS}/{made['id']}").json()["error_code"] == "user_not_found"
    assert (
        door.post("/auth/v1/token?grant_type=password", json={"email": email, "password": PASSWORD}).status_code == 400
    )


def test_same_address_twice_is_refused(service, made, email):
    reply = service.post(USERS, json={"email": email, "password": PASSWORD})
    assert (reply.status_code, reply.json()["error_code"]) == (422, "email_exists")


@pytest.mark.parametrize(("identifier", "code"), [(NOBODY, "user_not_found"), ("17", "validation_failed")])
def test_unknown_user_is_a_404(service, identifier, code):
    reply = service.get(f"{USERS}/{identifier}")
    assert (reply.status_code, reply.json()["error_code"]) == (404, code)


def test_nobody_else_is_let_in(door, bearer):
    assert door.get(USERS).json()["error_code"] == "not_admin"
    assert door.get(USERS, headers=bearer).status_code == 403
    assert door.post(USERS, headers=bearer, json={}).status_code == 403
