"""Password accounts: sign-up, sign-in, refresh, user, logout."""

import os
import time

import httpx
import jwt
import pytest

from supabase import ClientOptions, create_client
from tests.stack.conftest import PASSWORD


def sign_in(door, email, password=PASSWORD):
    return door.post("/auth/v1/token?grant_type=password", json={"email": email, "password": password})


def refresh(door, token):
    return door.post("/auth/v1/token?grant_type=refresh_token", json={"refresh_token": token})


def test_sign_up_shows_what_the_trigger_wrote(session):
    user = session["user"]
    assert user["app_metadata"]["org_id"]
    assert user["app_metadata"]["role"] == "admin"
    assert user["app_metadata"]["provider"] == "email"
    assert user["email_confirmed_at"]
    assert user["user_metadata"] == {"business_name": "Clinic S"}


def test_token_carries_the_hosted_claims(session):
    key = os.environ["SUPABASE_JWT_SECRET"]
    issuer = os.environ["SUPABASE_URL"] + "/auth/v1"
    claims = jwt.decode(session["access_token"], key, algorithms=["HS256"], audience="authenticated", issuer=issuer)
    assert claims["sub"] == session["user"]["id"]
    assert claims["role"] == "authenticated"
    assert claims["app_metadata"] == session["user"]["app_metadata"]
    assert claims["exp"] - claims["iat"] == 3600 == session["expires_in"]
    assert claims["session_id"]


def test_sign_in_is_case_insensitive_and_shows_the_same_user(door, session, email):
    reply = sign_in(door, email.upper())
    assert reply.status_code == 200
    assert reply.json()["user"]["id"] == session["user"]["id"]
    assert reply.json()["user"]["app_metadata"]["org_id"] == session["user"]["app_metadata"]["org_id"]


@pytest.mark.parametrize("password", ["wrong-password", "", None, 17])
def test_wrong_password_is_the_hosted_error(door, session, email, password):
    reply = sign_in(door, email, password)
    assert reply.status_code == 400
    assert reply.json() == {"code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials"}


def test_newer_clients_get_the_code_as_a_string(door):
    reply = door.post(
        "/auth/v1/token?grant_type=password",
        json={"email": "nobody@x.example", "password": "x"},
        headers={"X-Supabase-Api-Version": "2024-01-01"},
    )
    assert reply.json() == {"code": "invalid_credentials", "message": "Invalid login credentials"}
    assert reply.headers["x-supabase-api-version"] == "2024-01-01"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"email": "no address", "password": PASSWORD}, 400, "validation_failed"),
        ({"password": PASSWORD}, 400, "validation_failed"),
        ({"email": "short@x.example", "password": "short"}, 422, "weak_password"),
        ({"email": "none@x.example"}, 400, "validation_failed"),
    ],
)
def test_bad_sign_up_is_refused(door, body, status, code):
    reply = door.post("/auth/v1/signup", json=body)
    assert (reply.status_code, reply.json()["error_code"]) == (status, code)


def test_second_sign_up_with_one_address_is_refused(door, session, email):
    reply = door.post("/auth/v1/signup", json={"email": email, "password": PASSWORD})
    assert (reply.status_code, reply.json()["error_code"]) == (422, "user_already_exists")


def test_malformed_json_is_a_400(door):
    reply = door.post("/auth/v1/signup", content=b"{")
    assert (reply.status_code, reply.json()["error_code"]) == (400, "bad_json")


def test_refresh_rotates_and_a_quick_repeat_gets_the_same_successor(door, session):
    first = refresh(door, session["refresh_token"]).json()
    again = refresh(door, session["refresh_token"]).json()
    assert first["refresh_token"] != session["refresh_token"]
    assert again["refresh_token"] == first["refresh_token"]
    assert first["user"]["id"] == session["user"]["id"]


def test_old_refresh_token_ends_the_session(door, session, service, age_refresh_tokens):
    newest = refresh(door, session["refresh_token"]).json()["refresh_token"]
    age_refresh_tokens(session["user"]["id"])
    reply = refresh(door, session["refresh_token"])
    assert (reply.status_code, reply.json()["error_code"]) == (400, "refresh_token_already_used")
    assert refresh(door, newest).json()["error_code"] == "refresh_token_already_used"


def test_unknown_refresh_token_is_refused(door):
    reply = refresh(door, "nothing")
    assert (reply.status_code, reply.json()["error_code"]) == (400, "refresh_token_not_found")


def test_user_needs_a_good_token(door, session, bearer):
    assert door.get("/auth/v1/user", headers=bearer).json()["id"] == session["user"]["id"]
    assert door.get("/auth/v1/user", headers={"Authorization": "Bearer a.b.c"}).json()["error_code"] == "bad_jwt"
    forged = jwt.encode(
        {"sub": session["user"]["id"], "exp": time.time() + 60}, "another-secret-of-thirty-two-bytes", algorithm="HS256"
    )
    assert door.get("/auth/v1/user", headers={"Authorization": f"Bearer {forged}"}).status_code == 403


def test_logout_ends_token_and_refresh(door, session, bearer):
    assert door.post("/auth/v1/logout?scope=global", headers=bearer).status_code == 204
    assert door.get("/auth/v1/user", headers=bearer).json()["error_code"] == "session_not_found"
    assert refresh(door, session["refresh_token"]).status_code == 400


def test_user_changes_password_and_metadata(door, bearer, email):
    reply = door.put("/auth/v1/user", headers=bearer, json={"password": "a new password", "data": {"theme": "dark"}})
    assert reply.json()["user_metadata"] == {"business_name": "Clinic S", "theme": "dark"}
    assert sign_in(door, email).status_code == 400
    assert sign_in(door, email, "a new password").status_code == 200
    assert (
        door.put("/auth/v1/user", headers=bearer, json={"password": "a new password"}).json()["error_code"]
        == "same_password"
    )


def test_user_cannot_change_app_metadata(door, session, bearer):
    door.put("/auth/v1/user", headers=bearer, json={"app_metadata": {"org_id": "stolen"}, "data": {}})
    assert door.get("/auth/v1/user", headers=bearer).json()["app_metadata"] == session["user"]["app_metadata"]


def test_public_documents_need_no_key():
    url = os.environ["SUPABASE_URL"] + "/auth/v1"
    assert httpx.get(url + "/.well-known/jwks.json").json() == {"keys": []}
    assert httpx.get(url + "/health").status_code == 200


def test_settings_name_what_there_is(door):
    assert door.get("/auth/v1/settings").json()["external"]["email"] is True


def test_supabase_py_signs_up_in_and_refreshes(publishable, email):
    with httpx.Client(timeout=20) as connections:
        options = ClientOptions(httpx_client=connections)
        signs_up_in_and_refreshes(create_client(os.environ["SUPABASE_URL"], publishable, options), email)


def signs_up_in_and_refreshes(client, email):
    made = client.auth.sign_up(
        {"email": email, "password": PASSWORD, "options": {"data": {"business_name": "Clinic P"}}}
    )
    user = client.auth.sign_in_with_password({"email": email, "password": PASSWORD}).user
    assert user.id == made.user.id
    assert client.auth.refresh_session().user.app_metadata["org_id"] == user.app_metadata["org_id"]
    assert client.table("organizations").select("name").execute().data == [{"name": "Clinic P"}]
    client.auth.sign_out()


def test_recovery_answers_alike_for_everybody(door, session, email):
    for address in (email, "nobody@x.example"):
        reply = door.post("/auth/v1/recover", json={"email": address})
        assert (reply.status_code, reply.json()) == (200, {})


@pytest.fixture
def link(service, session, email):
    return service.post("/auth/v1/admin/generate_link", json={"type": "recovery", "email": email}).json()


def test_recovery_link_opens_a_session_once(door, session, link):
    location = httpx.get(link["action_link"]).headers["location"]
    assert location.startswith("http://localhost:3000#access_token=")
    assert "error_code=otp_expired" in httpx.get(link["action_link"]).headers["location"]


def test_recovery_code_opens_a_session(door, session, link, email):
    wrong = door.post("/auth/v1/verify", json={"type": "recovery", "email": email, "token": "abcdef"})
    assert (wrong.status_code, wrong.json()["error_code"]) == (403, "otp_expired")
    right = door.post("/auth/v1/verify", json={"type": "recovery", "email": email, "token": link["email_otp"]})
    assert right.json()["user"]["id"] == session["user"]["id"]


def test_links_are_made_for_the_service_key_only(door, session, bearer, email):
    reply = door.post("/auth/v1/admin/generate_link", json={"type": "recovery", "email": email}, headers=bearer)
    assert reply.status_code == 403


NUL = "a\0b@clinic.example"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("signup", {"email": NUL, "password": PASSWORD}),
        ("signup", {"email": "nul@clinic.example", "password": PASSWORD, "data": {"name": "a\0b"}}),
        ("token?grant_type=password", {"email": NUL, "password": PASSWORD}),
        ("token?grant_type=password", {"email": "nul@clinic.example", "password": "a\0b"}),
        ("token?grant_type=refresh_token", {"refresh_token": "a\0b"}),
        ("recover", {"email": NUL}),
    ],
)
def test_text_that_postgres_cannot_keep_is_the_clients_mistake(door, path, body):
    reply = door.post(f"/auth/v1/{path}", json=body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error_code"] == "validation_failed"


def test_link_with_such_text_is_the_clients_mistake(door):
    assert door.get("/auth/v1/verify?type=recovery&token=a%00b", follow_redirects=False).status_code == 400
